from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan.commands import (
    DeviceTimeAns,
    LinkCheckAns,
    RekeyConf,
    parse_downlink_commands,
)
from bittern.lorawan.radio import Window
from bittern.lorawan.versions import MacVersion
from bittern.mac.downlink import Composed, PayloadTooLong, compose
from bittern.mac.refused import Refused
from bittern.mac.session import AwaitedAck
from bittern.mac.windows import Windows
from bittern.types import Refusal

V1_0_3, V1_1 = MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1
BOTH = pytest.mark.parametrize("version", [V1_0_3, V1_1])


def windows(rx1_max_size: int = 242, rx2_max_size: int = 51) -> Windows:
    return Windows(
        delay_s=1,
        rx1=Window(5, 868_100_000),
        rx1_max_size=rx1_max_size,
        rx2=Window(0, 869_525_000),
        rx2_max_size=rx2_max_size,
    )


WINDOWS = windows()
ANSWER = LinkCheckAns(10, 1)  # 3 bytes
TIME = DeviceTimeAns(1_300_000_000, 128)  # 6 bytes


@dataclass(frozen=True)
class Message:
    payload: bytes = b"open"
    fport: int = 10
    confirmed: bool = False
    message_id: str = "m1"


MESSAGE = Message()


def composed(outcome: object) -> Composed:
    assert isinstance(outcome, Composed), outcome
    return outcome


# What the device reads


@BOTH
def test_the_device_reads_the_message(make_device, version):
    device = make_device(version)
    down = composed(compose(device.session(), windows=WINDOWS, message=MESSAGE))
    frame = device.read(down.phy_payload, 0)
    assert (frame.fport, frame.frm_payload, frame.confirmed) == (10, b"open", False)
    assert (frame.ack, frame.fpending, frame.adr) == (False, False, False)
    assert (down.message_id, down.fport, down.fcnt_down) == ("m1", 10, 0)
    assert down.deferred is None


@BOTH
def test_commands_go_with_the_message_in_fopts(make_device, version):
    device = make_device(version)
    down = composed(
        compose(device.session(), windows=WINDOWS, message=MESSAGE, commands=[ANSWER, TIME])
    )
    frame = device.read(down.phy_payload, 0)
    assert parse_downlink_commands(frame.fopts) == [ANSWER, TIME]
    assert frame.frm_payload == b"open"


@BOTH
def test_commands_alone_go_in_fopts_without_a_port(make_device, version):
    device = make_device(version)
    down = composed(compose(device.session(), windows=WINDOWS, commands=[ANSWER]))
    frame = device.read(down.phy_payload, 0)
    assert parse_downlink_commands(frame.fopts) == [ANSWER]
    assert (frame.fport, down.fport) == (None, None)


@BOTH
def test_commands_beyond_15_bytes_go_on_port_0_before_the_message(make_device, version):
    device = make_device(version)
    commands = [TIME, TIME, ANSWER, ANSWER]
    down = composed(compose(device.session(), windows=WINDOWS, message=MESSAGE, commands=commands))
    frame = device.read(down.phy_payload, 0)
    assert frame.fport == 0
    assert parse_downlink_commands(frame.frm_payload) == commands
    assert frame.fpending
    assert down.message_id is None
    assert down.deferred is not None


@pytest.mark.parametrize("commands", [[TIME, TIME, ANSWER], [ANSWER] * 5])
def test_fifteen_bytes_of_commands_still_fit_fopts(device, commands):
    frame = device.read(
        composed(compose(device.session(), windows=WINDOWS, commands=commands)).phy_payload, 0
    )
    assert parse_downlink_commands(frame.fopts) == commands


def test_commands_that_find_no_room_are_left(device):
    down = composed(compose(device.session(), windows=windows(20, 20), commands=[TIME] * 4))
    frame = device.read(down.phy_payload, 0)
    assert parse_downlink_commands(frame.frm_payload) == [TIME] * 3
    assert down.commands_left == (TIME,)
    assert frame.fpending


def test_commands_fill_what_a_short_frame_has(device):
    # N is 11, so FOpts without a port have 12 bytes (US915 DR0 and AS923 DR2 under dwell time).
    down = composed(compose(device.session(), windows=windows(11, 11), commands=[TIME] * 3))
    frame = device.read(down.phy_payload, 0)
    assert (frame.fport, parse_downlink_commands(frame.fopts)) == (None, [TIME] * 2)
    assert down.commands_left == (TIME,)
    assert down.windows.rx1 is not None


@BOTH
def test_an_acknowledgement_needs_nothing_else(make_device, version):
    device = make_device(version)
    session = device.session(fcnt_up=0x1_0007)
    down = composed(compose(session, windows=WINDOWS, ack=True))
    frame = device.read(down.phy_payload, 0, conf_fcnt=7 if version is V1_1 else 0)
    assert frame.ack
    assert down.ack
    assert (frame.fport, frame.fopts, frame.frm_payload) == (None, b"", b"")
    assert len(down.phy_payload) == 12


def test_without_acknowledgement_no_uplink_counter_is_in_the_mic_of_1_1(device_1_1):
    down = composed(compose(device_1_1.session(fcnt_up=7), windows=WINDOWS, message=MESSAGE))
    assert device_1_1.read(down.phy_payload, 0, conf_fcnt=0).frm_payload == b"open"


@pytest.mark.parametrize("flag", ["fpending", "adr"])
def test_flags_are_told(device, flag):
    down = composed(compose(device.session(), windows=WINDOWS, **{flag: True}))
    frame = device.read(down.phy_payload, 0)
    assert [name for name in ("ack", "fpending", "adr") if getattr(frame, name)] == [flag]


def test_a_message_may_be_empty_and_still_has_its_port(device):
    down = composed(compose(device.session(), windows=WINDOWS, message=Message(payload=b"")))
    frame = device.read(down.phy_payload, 0)
    assert (frame.fport, frame.frm_payload) == (10, b"")


# Confirmed


@BOTH
def test_a_confirmed_message_awaits_its_acknowledgement(make_device, version):
    device = make_device(version)
    session = device.session(nfcnt_down=4, afcnt_down=4)
    down = composed(compose(session, windows=WINDOWS, message=Message(confirmed=True)))
    assert device.read(down.phy_payload, 4).confirmed
    assert down.confirmed
    assert down.after.awaited_ack == AwaitedAck("m1", 4)
    assert down.after.confirmed_down == (AwaitedAck("m1", 4),)


def test_an_unconfirmed_downlink_leaves_what_is_awaited(device):
    awaited = AwaitedAck("m0", 3)
    session = device.session(awaited_ack=awaited, confirmed_down=(awaited,))
    after = composed(compose(session, windows=WINDOWS, message=MESSAGE)).after
    assert (after.awaited_ack, after.confirmed_down) == (awaited, (awaited,))


def test_as_many_confirmed_downlinks_are_remembered_as_one_uplink_may_have(device):
    session = device.session()
    for _ in range(20):
        message = Message(confirmed=True)
        session = composed(compose(session, windows=WINDOWS, message=message)).after
    assert [sent.fcnt_down for sent in session.confirmed_down] == list(range(19, 3, -1))
    assert session.awaited_ack == session.confirmed_down[0]


def test_a_confirmed_message_left_out_is_not_awaited(device):
    session = device.session()
    long = Message(bytes(243), confirmed=True)
    down = composed(compose(session, windows=WINDOWS, ack=True, message=long))
    assert down.after.awaited_ack is None
    assert not device.read(down.phy_payload, 0).confirmed


@BOTH
def test_the_acknowledgement_of_the_device_is_understood(make_device, hear, version):
    device = make_device(version)
    session = device.session(nfcnt_down=8, afcnt_down=8, fcnt_up=1)
    down = composed(compose(session, windows=WINDOWS, message=Message(confirmed=True)))
    heard = hear(device.uplink(2, ack=True, conf_fcnt=8), down.after)
    assert heard.acked_message_id == "m1"


# Counters


def test_1_0_counts_every_downlink_by_one_counter(device):
    session = device.session(nfcnt_down=5)
    for fcnt, message in ((5, MESSAGE), (6, None), (7, MESSAGE)):
        down = composed(compose(session, windows=WINDOWS, message=message))
        device.read(down.phy_payload, fcnt)
        assert down.fcnt_down == fcnt
        session = down.after
    assert (session.nfcnt_down, session.afcnt_down) == (8, 0)


@pytest.mark.parametrize(
    ("arguments", "fcnt", "counters"),
    [
        ({"message": MESSAGE}, 70, (5, 71)),
        ({"message": MESSAGE, "commands": [ANSWER]}, 70, (5, 71)),
        ({"commands": [ANSWER]}, 5, (6, 70)),
        ({"commands": [TIME] * 3}, 5, (6, 70)),
        ({"ack": True}, 5, (6, 70)),
    ],
)
def test_1_1_counts_application_and_network_apart(device_1_1, arguments, fcnt, counters):
    session = device_1_1.session(nfcnt_down=5, afcnt_down=70)
    down = composed(compose(session, windows=WINDOWS, **arguments))
    device_1_1.read(down.phy_payload, fcnt, conf_fcnt=0xFFFF if "ack" in arguments else 0)
    assert (down.after.nfcnt_down, down.after.afcnt_down) == counters


def test_the_session_moves_on_by_one_revision(device):
    session = device.session(revision=8)
    down = composed(compose(session, windows=WINDOWS))
    assert down.before is session
    assert down.after.revision == 9


def test_the_upper_half_of_the_counter_is_in_the_mic(device):
    session = device.session(nfcnt_down=0x2_0001)
    down = composed(compose(session, windows=WINDOWS, message=MESSAGE))
    assert device.read(down.phy_payload, 0x2_0001).frm_payload == b"open"


@pytest.mark.parametrize(("counts_32_bits", "end"), [(True, 1 << 32), (False, 1 << 16)])
def test_a_counter_that_has_ended_is_refused(device, counts_32_bits, end):
    last = device.session(nfcnt_down=end - 1, counts_32_bits=counts_32_bits)
    down = composed(compose(last, windows=WINDOWS))
    assert device.read(down.phy_payload, end - 1)
    outcome = compose(down.after, windows=WINDOWS)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.FCNT_EXHAUSTED


def test_of_1_1_either_counter_may_end_alone(device_1_1):
    session = device_1_1.session(afcnt_down=1 << 32)
    assert isinstance(compose(session, windows=WINDOWS, message=MESSAGE), Refused)
    assert isinstance(compose(session, windows=WINDOWS, commands=[ANSWER]), Composed)


# Sizes


def test_both_windows_are_offered_where_both_have_room(device):
    down = composed(compose(device.session(), windows=WINDOWS, message=Message(bytes(51))))
    assert down.windows == WINDOWS


def test_a_window_that_is_too_slow_is_not_offered(device):
    down = composed(compose(device.session(), windows=WINDOWS, message=Message(bytes(52))))
    assert down.windows.rx1 == WINDOWS.rx1
    assert down.windows.rx2 is None


def test_commands_take_their_room_from_the_message(device):
    down = composed(
        compose(device.session(), windows=WINDOWS, commands=[ANSWER], message=Message(bytes(49)))
    )
    assert down.windows.rx2 is None


def test_a_message_too_long_for_both_is_told_with_its_sizes(device):
    outcome = compose(device.session(), windows=WINDOWS, message=Message(bytes(243)))
    assert outcome == PayloadTooLong(243, 0, 242, 51)
    assert outcome.reason == "payload of 243 bytes: RX1 takes 242, RX2 51"


def test_a_message_crowded_out_by_commands_waits_and_the_commands_go(device):
    down = composed(
        compose(
            device.session(),
            windows=windows(51, 51),
            commands=[TIME],
            message=Message(bytes(50)),
        )
    )
    frame = device.read(down.phy_payload, 0)
    assert parse_downlink_commands(frame.fopts) == [TIME]
    assert frame.fport is None
    assert frame.fpending
    assert down.message_id is None
    assert down.deferred == PayloadTooLong(50, 6, 51, 51)
    assert down.deferred.reason == (
        "payload of 50 bytes and 6 bytes of MAC commands: RX1 takes 51, RX2 51"
    )


def test_an_acknowledgement_does_not_wait_for_a_message_too_long(device):
    down = composed(
        compose(device.session(), windows=WINDOWS, ack=True, message=Message(bytes(243)))
    )
    assert device.read(down.phy_payload, 0).ack
    assert down.deferred == PayloadTooLong(243, 0, 242, 51)


@given(
    size=st.integers(0, 250),
    count=st.integers(0, 12),
    rx1=st.sampled_from((0, 11, 51, 53, 115, 242)),
    rx2=st.sampled_from((11, 51, 53, 115, 242)),
)
def test_a_frame_fits_every_window_it_is_offered_in(make_device, size, count, rx1, rx2):
    device = make_device()
    outcome = compose(
        device.session(),
        windows=windows(rx1, rx2),
        commands=[RekeyConf(1)] * count,
        message=Message(bytes(size)),
    )
    if isinstance(outcome, PayloadTooLong):
        assert count == 0
        assert size > max(rx1, rx2)
        return
    down = composed(outcome)
    mac_payload_size = len(down.phy_payload) - 5
    offered = [(down.windows.rx1, rx1), (down.windows.rx2, rx2)]
    assert any(window for window, _ in offered)
    for window, size_n in offered:
        assert (window is not None) == (mac_payload_size <= size_n + 8)


def test_a_key_is_in_no_text_of_it(device):
    down = composed(compose(device.session(), windows=WINDOWS, message=MESSAGE))
    assert device.keys.app_s_key.reveal().hex() not in repr(down)
