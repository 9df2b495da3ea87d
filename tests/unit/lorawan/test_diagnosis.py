from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan import crypto
from bittern.lorawan.diagnosis import Diagnosis, FrameContext, FrameKeys, Verdict
from bittern.lorawan.frame import (
    DataDown,
    DataUp,
    JoinAccept,
    JoinRequest,
    MType,
    RejoinRequest,
    parse,
)
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

DEV_ADDR = DevAddr.from_hex("49be7df1")
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
F_KEY, S_KEY = FNwkSIntKey(b"f" * 16), SNwkSIntKey(b"s" * 16)
APP_S_KEY = AppSKey(b"a" * 16)
NWK_KEY, APP_KEY = NwkKey(b"N" * 16), AppKey(b"A" * 16)
KEYS_1_1 = FrameKeys(f_nwk_s_int_key=F_KEY, s_nwk_s_int_key=S_KEY)
NO_CONTEXT = FrameContext()


def uplink(mic: bytes = bytes(4), *, ack: bool = False) -> DataUp:
    return DataUp(
        MType.CONFIRMED_DATA_UP,
        DEV_ADDR,
        ack=ack,
        fcnt16=2,
        fport=1,
        frm_payload=b"hello",
        mic=mic,
    )


def verdict(
    frame: DataUp | DataDown,
    keys: FrameKeys,
    context: FrameContext = NO_CONTEXT,
) -> Verdict:
    fcnt = context.fcnt_msb << 16 | frame.fcnt16
    return Diagnosis(frame.to_bytes(), keys, context).data_mic(frame, fcnt)


def signed_1_0(fcnt: int = 2, key: FNwkSIntKey = F_KEY) -> DataUp:
    msg = uplink().to_bytes()[:-4]
    return uplink(crypto.data_up_mic_1_0(key, msg, DEV_ADDR, fcnt))


def signed_1_1(*, ack: bool = False, conf_fcnt: int = 0) -> DataUp:
    msg = uplink(ack=ack).to_bytes()[:-4]
    mic = crypto.data_up_mic_1_1(
        F_KEY, S_KEY, msg, DEV_ADDR, 2, conf_fcnt=conf_fcnt, tx_dr=5, tx_ch=1
    )
    return uplink(mic, ack=ack)


def downlink(conf_fcnt: int = 0, *, ack: bool = False) -> DataDown:
    frame = DataDown(MType.UNCONFIRMED_DATA_DOWN, DEV_ADDR, ack=ack, fcnt16=9)
    mic = crypto.data_down_mic(S_KEY, frame.to_bytes()[:-4], DEV_ADDR, 9, conf_fcnt=conf_fcnt)
    return msgspec.structs.replace(frame, mic=mic)


def test_right_mic_is_valid() -> None:
    assert verdict(signed_1_0(), FrameKeys(nwk_s_key=F_KEY)) == Verdict(True)


def test_without_a_key_nobody_can_tell() -> None:
    assert verdict(signed_1_0(), FrameKeys()) == Verdict(
        None, "the MIC of a data frame needs nwk_s_key"
    )


def test_upper_half_of_the_counter_is_found() -> None:
    frame = signed_1_0(fcnt=3 << 16 | 2)
    found = verdict(frame, FrameKeys(nwk_s_key=F_KEY))
    assert found == Verdict(False, "right with fcnt_msb 3: FCnt 196610")
    assert verdict(frame, FrameKeys(nwk_s_key=F_KEY), FrameContext(fcnt_msb=3)).valid


def test_swapped_session_keys_are_found() -> None:
    frame = signed_1_0(key=FNwkSIntKey(b"a" * 16))
    found = verdict(frame, FrameKeys(nwk_s_key=F_KEY, app_s_key=APP_S_KEY))
    assert found == Verdict(False, "right with app_s_key: the two session keys are swapped")


def test_any_other_mismatch_is_the_key_or_the_frame() -> None:
    found = verdict(uplink(b"nope"), FrameKeys(nwk_s_key=F_KEY, app_s_key=APP_S_KEY))
    assert found == Verdict(False, "wrong nwk_s_key, or the frame was altered")


def test_downlink_of_1_0_is_checked_with_the_same_key() -> None:
    nwk_s_key = crypto.as_kind(FNwkSIntKey, S_KEY)
    assert verdict(downlink(), FrameKeys(nwk_s_key=nwk_s_key)).valid


CONTEXT_1_1 = FrameContext(version=MacVersion.LORAWAN_1_1, tx_dr=5, tx_ch=1)


def test_uplink_of_1_1_needs_both_keys_and_its_channel() -> None:
    assert verdict(signed_1_1(), KEYS_1_1, CONTEXT_1_1) == Verdict(True)


@pytest.mark.parametrize(
    ("keys", "context", "reason"),
    [
        (
            FrameKeys(s_nwk_s_int_key=S_KEY),
            CONTEXT_1_1,
            "the MIC of a LoRaWAN 1.1 uplink needs f_nwk_s_int_key",
        ),
        (
            FrameKeys(f_nwk_s_int_key=F_KEY),
            CONTEXT_1_1,
            "its second half is right; the first needs s_nwk_s_int_key, tx_dr and tx_ch",
        ),
        (
            KEYS_1_1,
            FrameContext(tx_dr=5),
            "its second half is right; the first needs s_nwk_s_int_key, tx_dr and tx_ch",
        ),
    ],
)
def test_half_a_mic_of_1_1_is_not_enough(
    keys: FrameKeys, context: FrameContext, reason: str
) -> None:
    assert verdict(signed_1_1(), keys, context) == Verdict(None, reason)


def test_which_half_of_a_1_1_mic_is_wrong_is_said() -> None:
    wrong_f = FrameKeys(f_nwk_s_int_key=FNwkSIntKey(b"x" * 16), s_nwk_s_int_key=S_KEY)
    assert verdict(signed_1_1(), wrong_f, CONTEXT_1_1) == Verdict(
        False, "its second half does not match: wrong f_nwk_s_int_key or fcnt_msb"
    )
    assert verdict(signed_1_1(), KEYS_1_1, FrameContext(tx_dr=5, tx_ch=2)) == Verdict(
        False, "its first half does not match: one of s_nwk_s_int_key, tx_dr, tx_ch is wrong"
    )


def test_acknowledging_frames_of_1_1_cover_the_acknowledged_counter() -> None:
    right = FrameContext(tx_dr=5, tx_ch=1, conf_fcnt=77)
    frame = signed_1_1(ack=True, conf_fcnt=77)
    assert verdict(frame, KEYS_1_1, right).valid
    found = verdict(frame, KEYS_1_1, CONTEXT_1_1)
    assert found.reason is not None
    assert "conf_fcnt" in found.reason
    assert verdict(downlink(77, ack=True), KEYS_1_1, right).valid
    found = verdict(downlink(77, ack=True), KEYS_1_1)
    assert found.reason is not None
    assert "conf_fcnt is not the counter" in found.reason


def test_downlink_of_1_1_needs_the_serving_key() -> None:
    found = verdict(downlink(), FrameKeys(f_nwk_s_int_key=F_KEY))
    assert found == Verdict(None, "the MIC of a LoRaWAN 1.1 downlink needs s_nwk_s_int_key")


def test_counter_acknowledged_does_not_matter_without_an_acknowledgement() -> None:
    assert verdict(downlink(), KEYS_1_1, FrameContext(conf_fcnt=77)).valid


@pytest.mark.parametrize(
    ("keys", "version", "is_1_1"),
    [
        (FrameKeys(nwk_s_key=F_KEY), None, False),
        (FrameKeys(), None, False),
        (FrameKeys(nwk_key=NWK_KEY), None, True),
        (FrameKeys(nwk_s_enc_key=NwkSEncKey(bytes(16))), None, True),
        (FrameKeys(nwk_key=NWK_KEY), MacVersion.LORAWAN_1_0_3, False),
        (FrameKeys(), MacVersion.LORAWAN_1_1, True),
    ],
)
def test_keys_tell_the_version_unless_it_is_given(
    keys: FrameKeys, version: MacVersion | None, is_1_1: bool
) -> None:
    assert Diagnosis(bytes(12), keys, FrameContext(version=version)).is_1_1 is is_1_1


def test_join_request() -> None:
    clear = JoinRequest(JOIN_EUI, DEV_EUI, 5)
    mic = crypto.join_request_mic(APP_KEY, clear.to_bytes()[:-4])
    frame = JoinRequest(JOIN_EUI, DEV_EUI, 5, mic)

    def by(keys: FrameKeys) -> Verdict:
        return Diagnosis(frame.to_bytes(), keys, NO_CONTEXT).join_request_mic(frame)

    assert by(FrameKeys(app_key=APP_KEY)) == Verdict(True)
    assert by(FrameKeys()) == Verdict(None, "the MIC of a join-request needs app_key")
    assert by(FrameKeys(app_key=AppKey(bytes(16)))) == Verdict(
        False, "wrong app_key, or the frame was altered"
    )
    assert by(FrameKeys(nwk_key=crypto.as_kind(NwkKey, APP_KEY))) == Verdict(True)


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_rejoin_request(rejoin_type: int) -> None:
    home = {"join_eui": JOIN_EUI} if rejoin_type == 1 else {"net_id": NetID(b"\x00\x00\x13")}
    clear = RejoinRequest(rejoin_type, DEV_EUI, 5, **home)
    key = crypto.derive_js_int_key(NWK_KEY, DEV_EUI) if rejoin_type == 1 else S_KEY
    mic = crypto.rejoin_mic(key, clear.to_bytes()[:-4])
    frame = msgspec.structs.replace(clear, mic=mic)

    def by(keys: FrameKeys) -> Verdict:
        return Diagnosis(frame.to_bytes(), keys, NO_CONTEXT).rejoin_mic(frame)

    assert by(FrameKeys(nwk_key=NWK_KEY, s_nwk_s_int_key=S_KEY)) == Verdict(True)
    assert by(FrameKeys()).valid is None
    wrong = FrameKeys(nwk_key=NwkKey(bytes(16)), s_nwk_s_int_key=SNwkSIntKey(bytes(16)))
    assert by(wrong).valid is False


REQUEST = FrameContext(dev_eui=DEV_EUI, join_eui=JOIN_EUI, dev_nonce=5)


def join_accept_verdict(context: FrameContext, *, opt_neg: bool, key: NwkKey = NWK_KEY) -> Verdict:
    msg = JoinAccept(1, NetID(b"\x00\x00\x13"), DEV_ADDR, opt_neg=opt_neg).to_bytes()[:-4]
    if opt_neg:
        mic = crypto.join_accept_mic_1_1(
            crypto.derive_js_int_key(NWK_KEY, DEV_EUI),
            msg,
            join_req_type=crypto.JOIN_REQUEST_TYPE,
            join_eui=JOIN_EUI,
            dev_nonce=5,
        )
    else:
        mic = crypto.join_accept_mic_1_0(NWK_KEY, msg)
    clear = JoinAccept(1, NetID(b"\x00\x00\x13"), DEV_ADDR, opt_neg=opt_neg, mic=mic)
    return Diagnosis(bytes(17), FrameKeys(nwk_key=key), context).join_accept_mic(key, clear, msg)


def test_join_accept_of_1_1_covers_its_request() -> None:
    assert join_accept_verdict(REQUEST, opt_neg=True) == Verdict(True)
    without = join_accept_verdict(NO_CONTEXT, opt_neg=True)
    assert without.valid is None
    assert "needs dev_eui, join_eui and dev_nonce" in str(without.reason)
    other = msgspec.structs.replace(REQUEST, dev_nonce=6)
    assert join_accept_verdict(other, opt_neg=True).valid is False


def test_join_accept_of_a_1_0_network_to_a_1_1_device_does_not() -> None:
    assert join_accept_verdict(NO_CONTEXT, opt_neg=False) == Verdict(True)
    wrong = join_accept_verdict(NO_CONTEXT, opt_neg=False, key=NwkKey(bytes(16)))
    assert wrong == Verdict(False, "wrong nwk_key, or the frame was altered")


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"fcnt_msb": 65536}, "fcnt_msb is 0 to 65535, not 65536"),
        ({"fcnt_msb": -1}, "fcnt_msb is 0 to 65535, not -1"),
        ({"tx_ch": 256}, "tx_ch is 0 to 255, not 256"),
        ({"dev_nonce": 65536}, "dev_nonce is 0 to 65535, not 65536"),
    ],
)
def test_number_that_does_not_fit_is_refused(numbers: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FrameContext(**numbers)  # type: ignore[arg-type]


def test_a_verdict_is_a_tree_with_its_reason_only_if_there_is_one() -> None:
    assert Verdict(True).tree(b"\x01\x02\x03\x04") == {"Value": "01020304", "Valid": True}
    tree = Verdict(None, "why").tree(bytes(4))
    assert tree == {"Value": "00000000", "Valid": None, "Reason": "why"}


def test_frames_of_these_tests_are_frames() -> None:
    assert parse(signed_1_0().to_bytes()) == signed_1_0()
    assert parse(downlink().to_bytes()) == downlink()
