"""One activation as the device holds it: keys, counters, and the frames that they protect."""

from __future__ import annotations

from dataclasses import dataclass

from bittern.lorawan.crypto import (
    SessionKeys,
    crypt_fopts,
    crypt_frm_payload,
    data_down_mic,
    data_up_mic_1_0,
    data_up_mic_1_1,
    mic_equal,
)
from bittern.lorawan.frame import MIC_SIZE, DataDown, DataUp
from bittern.simulator.complaint import Complaint, Objection
from bittern.types import DevAddr

MAX_FCNT_GAP = 16_384
"""In LoRaWAN versions before 1.0.4 a counter that jumps further is not taken."""


@dataclass(frozen=True, slots=True)
class OpenedDownlink:
    """A downlink whose MIC and counter are right."""

    frame: DataDown
    fcnt: int
    commands: bytes
    """From FOpts or FPort 0, decrypted."""
    payload: bytes
    """Of an application; empty with FPort 0."""


@dataclass(slots=True)
class DeviceSession:
    """Counters are full, 32 bits; of downlinks the last one taken, -1 before the first."""

    dev_addr: DevAddr
    keys: SessionKeys
    speaks_1_1: bool
    limits_fcnt_gap: bool
    fcnt_up: int = 0
    """The next one to send."""
    nfcnt_down: int = -1
    """In LoRaWAN 1.0.x the only one."""
    afcnt_down: int = -1

    def seal(
        self, frame: DataUp, fcnt: int, *, conf_fcnt: int, data_rate: int, channel: int
    ) -> bytes:
        """The PHYPayload of a frame whose FOpts and FRMPayload are in clear."""
        keys = self.keys
        key = keys.nwk_s_enc_key if frame.fport == 0 else keys.app_s_key
        payload = crypt_frm_payload(key, frame.frm_payload, self.dev_addr, fcnt, uplink=True)
        fopts = frame.fopts
        if self.speaks_1_1 and fopts:
            fopts = crypt_fopts(keys.nwk_s_enc_key, fopts, self.dev_addr, fcnt, uplink=True)
        message = replace_data(frame, fopts, payload).to_bytes()[:-MIC_SIZE]
        if not self.speaks_1_1:
            return message + data_up_mic_1_0(keys.f_nwk_s_int_key, message, self.dev_addr, fcnt)
        return message + data_up_mic_1_1(
            keys.f_nwk_s_int_key,
            keys.s_nwk_s_int_key,
            message,
            self.dev_addr,
            fcnt,
            conf_fcnt=conf_fcnt,
            tx_dr=data_rate,
            tx_ch=channel,
        )

    def open(self, phy_payload: bytes, frame: DataDown, conf_fcnt: int) -> OpenedDownlink:
        """Check and decrypt; the counter moves on. Raises ``Objection``.

        ``conf_fcnt`` is the counter of the confirmed uplink that this frame acknowledges, 0 if it
        does not.
        """
        if frame.dev_addr != self.dev_addr:
            raise Objection(
                Complaint.WRONG_DEV_ADDR, f"{frame.dev_addr} instead of {self.dev_addr}"
            )
        of_application = self.speaks_1_1 and frame.fport not in (None, 0)
        last = self.afcnt_down if of_application else self.nfcnt_down
        fcnt = next_counter(last, frame.fcnt16)
        self._check_mic(phy_payload, fcnt, last, conf_fcnt)
        if self.limits_fcnt_gap and last >= 0 and fcnt - last > MAX_FCNT_GAP:
            raise Objection(Complaint.COUNTER_GAP, f"{fcnt} after {last}")
        if of_application:
            self.afcnt_down = fcnt
        else:
            self.nfcnt_down = fcnt
        return self._decrypt(frame, fcnt, of_application)

    def _decrypt(self, frame: DataDown, fcnt: int, of_application: bool) -> OpenedDownlink:
        keys, fopts = self.keys, frame.fopts
        if self.speaks_1_1 and fopts:
            fopts = crypt_fopts(
                keys.nwk_s_enc_key,
                fopts,
                self.dev_addr,
                fcnt,
                uplink=False,
                a_fcnt_down=of_application,
            )
        key = keys.nwk_s_enc_key if frame.fport == 0 else keys.app_s_key
        payload = crypt_frm_payload(key, frame.frm_payload, self.dev_addr, fcnt, uplink=False)
        if frame.fport == 0:
            return OpenedDownlink(frame, fcnt, payload, b"")
        return OpenedDownlink(frame, fcnt, fopts, payload)

    def _check_mic(self, phy_payload: bytes, fcnt: int, last: int, conf_fcnt: int) -> None:
        """Raises with the likeliest reason: a right MIC for something else says what is wrong."""
        mentioned = conf_fcnt if self.speaks_1_1 else 0
        if self._mic_fits(phy_payload, fcnt, mentioned):
            return
        earlier = fcnt - 0x10000
        if earlier >= 0 and self._mic_fits(phy_payload, earlier, mentioned):
            raise Objection(Complaint.COUNTER_WENT_BACK, f"{earlier} after {last}")
        if self.speaks_1_1 and conf_fcnt and self._mic_fits(phy_payload, fcnt, 0):
            raise Objection(
                Complaint.WRONG_CONF_FCNT, f"0 instead of {conf_fcnt} in the MIC of {fcnt}"
            )
        raise Objection(Complaint.WRONG_MIC, f"FCntDown {fcnt}, ConfFCnt {mentioned}")

    def _mic_fits(self, phy_payload: bytes, fcnt: int, conf_fcnt: int) -> bool:
        expected = data_down_mic(
            self.keys.s_nwk_s_int_key,
            phy_payload[:-MIC_SIZE],
            self.dev_addr,
            fcnt,
            conf_fcnt=conf_fcnt,
        )
        return mic_equal(expected, phy_payload[-MIC_SIZE:])


def next_counter(last: int, fcnt16: int) -> int:
    """The smallest full counter above ``last`` that ends in ``fcnt16``."""
    fcnt = (max(last, 0) & ~0xFFFF) | fcnt16
    return fcnt if fcnt > last else fcnt + 0x10000


def replace_data(frame: DataUp, fopts: bytes, frm_payload: bytes) -> DataUp:
    """The frame as on air, its MIC still missing."""
    return DataUp(
        frame.mtype,
        frame.dev_addr,
        frame.adr,
        frame.adr_ack_req,
        frame.ack,
        frame.class_b,
        frame.fcnt16,
        fopts,
        frame.fport,
        frm_payload,
    )
