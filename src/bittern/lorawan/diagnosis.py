"""Whether the MIC of a frame is right; and if not, the likeliest mistake."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bittern.lorawan import crypto
from bittern.lorawan.frame import DataDown, DataUp, JoinAccept, JoinRequest, RejoinRequest
from bittern.lorawan.versions import MacVersion, is_1_1
from bittern.types import (
    AppKey,
    AppSKey,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

_TRIED_MSBS = 1024
"""67 million frames: two years of one each second."""


class FrameKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What of the device's keys is at hand."""

    nwk_s_key: FNwkSIntKey | None = None
    """LoRaWAN 1.0.x."""
    f_nwk_s_int_key: FNwkSIntKey | None = None
    s_nwk_s_int_key: SNwkSIntKey | None = None
    nwk_s_enc_key: NwkSEncKey | None = None
    app_s_key: AppSKey | None = None
    app_key: AppKey | None = None
    nwk_key: NwkKey | None = None

    @property
    def tell_1_1(self) -> bool:
        """Keys that only a LoRaWAN 1.1 device has."""
        only_1_1 = (self.f_nwk_s_int_key, self.s_nwk_s_int_key, self.nwk_s_enc_key, self.nwk_key)
        return any(key is not None for key in only_1_1)


class FrameContext(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into MIC and encryption and is not in the frame."""

    version: MacVersion | None = None
    """``None``: 1.1 if a key of 1.1 is given, 1.0.x otherwise."""
    fcnt_msb: int = 0
    """The upper 16 bits of the frame counter."""
    conf_fcnt: int = 0
    """1.1: the counter of the confirmed frame that this one acknowledges."""
    tx_dr: int | None = None
    """1.1, uplink: its data rate."""
    tx_ch: int | None = None
    """1.1, uplink: the index of its channel."""
    dev_eui: DevEUI | None = None
    """1.1, join-accept: of the request that it answers; and so the next three."""
    join_eui: JoinEUI | None = None
    dev_nonce: int | None = None
    """DevNonce, or RJcount of a rejoin-request."""
    join_req_type: int = crypto.JOIN_REQUEST_TYPE

    def __post_init__(self) -> None:
        """Raises ``ValueError`` on a number that its field on air cannot hold."""
        for name, limit in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not 0 <= value <= limit:
                raise ValueError(f"{name} is 0 to {limit}, not {value}")


_LIMITS = {
    "fcnt_msb": 0xFFFF,
    "conf_fcnt": 0xFFFF_FFFF,
    "tx_dr": 0xFF,
    "tx_ch": 0xFF,
    "dev_nonce": 0xFFFF,
    "join_req_type": 0xFF,
}


class Verdict(msgspec.Struct, frozen=True):
    """Whether a MIC is right; ``None`` if nobody can tell, for a reason."""

    valid: bool | None
    reason: str | None = None

    def tree(self, mic: bytes) -> dict[str, object]:
        tree: dict[str, object] = {"Value": mic.hex(), "Valid": self.valid}
        if self.reason is not None:
            tree["Reason"] = self.reason
        return tree


_VALID = Verdict(True)


class Diagnosis:
    """The bytes of one frame with what is known about its device."""

    def __init__(self, phy_payload: bytes, keys: FrameKeys, context: FrameContext) -> None:
        self.msg = phy_payload[:-4]
        self.keys = keys
        self.context = context
        self.is_1_1 = keys.tell_1_1 if context.version is None else is_1_1(context.version)

    def nwk_s_enc_key(self) -> NwkSEncKey | None:
        if self.is_1_1 or self.keys.nwk_s_key is None:
            return self.keys.nwk_s_enc_key
        return crypto.as_kind(NwkSEncKey, self.keys.nwk_s_key)

    @property
    def nwk_s_enc_key_name(self) -> str:
        return "nwk_s_enc_key" if self.is_1_1 else "nwk_s_key"

    def data_mic(self, frame: DataUp | DataDown, fcnt: int) -> Verdict:
        if not self.is_1_1:
            return self.data_mic_1_0(frame, fcnt)
        if isinstance(frame, DataUp):
            return self.up_mic_1_1(frame, fcnt)
        key = self.keys.s_nwk_s_int_key
        if key is None:
            return Verdict(None, "the MIC of a LoRaWAN 1.1 downlink needs s_nwk_s_int_key")
        conf_fcnt = self.context.conf_fcnt if frame.ack else 0
        hint = "or conf_fcnt is not the counter of the uplink acknowledged" if frame.ack else None
        return self.counted(
            frame,
            fcnt,
            lambda n: crypto.data_down_mic(key, self.msg, frame.dev_addr, n, conf_fcnt=conf_fcnt),
            "s_nwk_s_int_key",
            hint,
        )

    def data_mic_1_0(self, frame: DataUp | DataDown, fcnt: int) -> Verdict:
        key = self.keys.nwk_s_key
        if key is None:
            return Verdict(None, "the MIC of a data frame needs nwk_s_key")
        verdict = self.counted(frame, fcnt, self.mic_1_0_by(frame, key), "nwk_s_key", None)
        app_s_key = self.keys.app_s_key
        if verdict.valid is False and app_s_key is not None:
            by_app_s_key = self.mic_1_0_by(frame, crypto.as_kind(FNwkSIntKey, app_s_key))
            if crypto.mic_equal(by_app_s_key(fcnt), frame.mic):
                return Verdict(False, "right with app_s_key: the two session keys are swapped")
        return verdict

    def mic_1_0_by(self, frame: DataUp | DataDown, key: FNwkSIntKey) -> Callable[[int], bytes]:
        if isinstance(frame, DataUp):
            return lambda n: crypto.data_up_mic_1_0(key, self.msg, frame.dev_addr, n)
        serving = crypto.as_kind(SNwkSIntKey, key)
        return lambda n: crypto.data_down_mic(serving, self.msg, frame.dev_addr, n)

    def up_mic_1_1(self, frame: DataUp, fcnt: int) -> Verdict:
        """The last two bytes need one key and nothing else, so they are looked at first."""
        f_key, s_key = self.keys.f_nwk_s_int_key, self.keys.s_nwk_s_int_key
        if f_key is None:
            return Verdict(None, "the MIC of a LoRaWAN 1.1 uplink needs f_nwk_s_int_key")
        by_f = crypto.data_up_mic_1_0(f_key, self.msg, frame.dev_addr, fcnt)
        if not crypto.mic_equal(by_f[:2], frame.mic[2:]):
            return Verdict(
                False, "its second half does not match: wrong f_nwk_s_int_key or fcnt_msb"
            )
        tx_dr, tx_ch = self.context.tx_dr, self.context.tx_ch
        if s_key is None or tx_dr is None or tx_ch is None:
            return Verdict(
                None, "its second half is right; the first needs s_nwk_s_int_key, tx_dr and tx_ch"
            )
        expected = crypto.data_up_mic_1_1(
            f_key,
            s_key,
            self.msg,
            frame.dev_addr,
            fcnt,
            conf_fcnt=self.context.conf_fcnt if frame.ack else 0,
            tx_dr=tx_dr,
            tx_ch=tx_ch,
        )
        if crypto.mic_equal(expected, frame.mic):
            return _VALID
        suspects = "s_nwk_s_int_key, tx_dr, tx_ch" + (", conf_fcnt" if frame.ack else "")
        return Verdict(False, f"its first half does not match: one of {suspects} is wrong")

    def counted(
        self,
        frame: DataUp | DataDown,
        fcnt: int,
        mic_of: Callable[[int], bytes],
        key_name: str,
        hint: str | None,
    ) -> Verdict:
        """Check a MIC; if it is wrong, find out if just the upper half of the counter is."""
        if crypto.mic_equal(mic_of(fcnt), frame.mic):
            return _VALID
        for msb in range(_TRIED_MSBS):
            if crypto.mic_equal(mic_of(msb << 16 | frame.fcnt16), frame.mic):
                return Verdict(False, f"right with fcnt_msb {msb}: FCnt {msb << 16 | frame.fcnt16}")
        suspects = [f"wrong {key_name}, or the frame was altered", hint]
        return Verdict(False, ", ".join(text for text in suspects if text))

    def join_request_mic(self, frame: JoinRequest) -> Verdict:
        key = self.root_key()
        if key is None:
            return Verdict(None, f"the MIC of a join-request needs {self.root_key_name}")
        expected = crypto.join_request_mic(key, self.msg)
        return self.keyed(expected, frame.mic, self.root_key_name)

    def rejoin_mic(self, frame: RejoinRequest) -> Verdict:
        if frame.rejoin_type != 1:
            s_key = self.keys.s_nwk_s_int_key
            if s_key is None:
                return Verdict(None, "the MIC of a rejoin-request needs s_nwk_s_int_key")
            return self.keyed(crypto.rejoin_mic(s_key, self.msg), frame.mic, "s_nwk_s_int_key")
        nwk_key = self.keys.nwk_key
        if nwk_key is None:
            return Verdict(None, "the MIC of a rejoin-request of type 1 needs nwk_key")
        js_int_key = crypto.derive_js_int_key(nwk_key, frame.dev_eui)
        return self.keyed(crypto.rejoin_mic(js_int_key, self.msg), frame.mic, "nwk_key")

    def join_accept_mic(self, key: AppKey | NwkKey, clear: JoinAccept, msg: bytes) -> Verdict:
        """``msg`` is the decrypted frame without its MIC."""
        if not (clear.opt_neg and isinstance(key, NwkKey)):
            return self.keyed(crypto.join_accept_mic_1_0(key, msg), clear.mic, self.root_key_name)
        request = self.context
        if request.dev_eui is None or request.join_eui is None or request.dev_nonce is None:
            return Verdict(
                None,
                "the MIC of a LoRaWAN 1.1 join-accept needs dev_eui, join_eui and dev_nonce"
                " of the request; a wrong nwk_key would look the same",
            )
        expected = crypto.join_accept_mic_1_1(
            crypto.derive_js_int_key(key, request.dev_eui),
            msg,
            join_req_type=request.join_req_type,
            join_eui=request.join_eui,
            dev_nonce=request.dev_nonce,
        )
        return self.keyed(expected, clear.mic, "nwk_key, dev_eui, join_eui or dev_nonce")

    def keyed(self, expected: bytes, mic: bytes, suspects: str) -> Verdict:
        if crypto.mic_equal(expected, mic):
            return _VALID
        return Verdict(False, f"wrong {suspects}, or the frame was altered")

    @property
    def root_key_name(self) -> str:
        return "nwk_key" if self.is_1_1 else "app_key"

    def root_key(self) -> AppKey | NwkKey | None:
        return self.keys.nwk_key if self.is_1_1 else self.keys.app_key
