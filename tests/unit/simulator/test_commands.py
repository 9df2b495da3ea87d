from __future__ import annotations

import pytest

from bittern.lorawan.versions import MacVersion
from bittern.simulator.commands import _SIZES, REKEY_IND, CommandDesk, Down, split_commands
from bittern.simulator.complaint import Complaint, Objection
from bittern.simulator.radio import DeviceRadio
from bittern.simulator.regions import EU868, US915


def a_desk(version: MacVersion = MacVersion.LORAWAN_1_0_3, region=EU868) -> CommandDesk:
    return CommandDesk(version, DeviceRadio.of(region, 3))


def answers(desk: CommandDesk, commands: bytes, snr_db: float = 7.0) -> bytes:
    desk.receive(split_commands(commands, desk.version), snr_db)
    return desk.for_uplink()


def objection(desk: CommandDesk, commands: bytes) -> Complaint:
    with pytest.raises(Objection) as caught:
        answers(desk, commands)
    return caught.value.complaint


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"\x03\x51\x07\x00\x01", b"\x03\x07"),
        (b"\x04\x03", b"\x04"),
        (b"\x05\x12\xd2\xad\x84", b"\x05\x07"),
        (b"\x06", b"\x06\xff\x07"),
        (b"\x07\x03\x18\x4f\x84\x50", b"\x07\x03"),
        (b"\x08\x05", b"\x08"),
        (b"\x0a\x01\xd2\xad\x84", b"\x0a\x03"),
    ],
)
def test_request_is_answered(request_: bytes, answer: bytes) -> None:
    assert answers(a_desk(), request_) == answer


def test_requests_are_answered_in_order() -> None:
    assert answers(a_desk(), b"\x06\x04\x01\x03\x51\x07\x00\x01") == b"\x06\xff\x07\x04\x03\x07"


def test_margin_is_signed_and_bounded() -> None:
    assert answers(a_desk(), b"\x06", snr_db=-20.0) == b"\x06\xff\x2c"
    assert answers(a_desk(), b"\x06", snr_db=99.0) == b"\x06\xff\x1f"


def test_sticky_answers_stay_until_a_downlink() -> None:
    desk = a_desk()
    assert answers(desk, b"\x08\x05\x06") == b"\x08\x06\xff\x07"
    assert desk.for_uplink() == b"\x08"
    desk.receive([], 0.0)
    assert desk.for_uplink() == b""


def test_delay_of_zero_means_one_second() -> None:
    desk = a_desk()
    answers(desk, b"\x08\x00")
    assert desk.radio.rx1_delay_s == 1


def test_link_adr_block_is_refused_as_one() -> None:
    good, bad = b"\x03\x51\x07\x00\x01", b"\x03\xd1\x07\x00\x01"
    assert answers(a_desk(), good + bad) == b"\x03\x05\x03\x05"
    assert answers(a_desk(MacVersion.LORAWAN_1_0_1), good + bad) == b"\x03\x07\x03\x05"


def test_indication_is_repeated_until_confirmed() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.indication = REKEY_IND
    assert [desk.for_uplink(), desk.for_uplink()] == [REKEY_IND, REKEY_IND]
    assert answers(desk, b"\x0b\x01") == b""
    assert objection(desk, b"\x0b\x01") is Complaint.UNASKED_ANSWER


def test_confirmation_of_another_version_is_objected_to() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.indication = REKEY_IND
    assert objection(desk, b"\x0b\x02") is Complaint.IMPOSSIBLE_PARAMETER


def test_device_time_is_read() -> None:
    desk = a_desk()
    desk.ask_device_time()
    assert desk.for_uplink() == b"\x0d"
    answers(desk, b"\x0d\x01\x00\x00\x40\x80")
    assert desk.device_time_gps_s == 0x40000001 + 0.5


def test_adr_parameters_are_powers_of_two() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    assert answers(desk, b"\x0c\x43") == b"\x0c"
    assert (desk.adr_ack_limit, desk.adr_ack_delay) == (16, 8)


@pytest.mark.parametrize(
    ("version", "commands", "expected"),
    [
        (MacVersion.LORAWAN_1_0_1, b"\x0a\x01\xd2\xad\x84", Complaint.UNKNOWN_COMMAND),
        (MacVersion.LORAWAN_1_0_2, b"\x0d\x00\x00\x00\x00\x00", Complaint.UNKNOWN_COMMAND),
        (MacVersion.LORAWAN_1_0_4, b"\x0b\x01", Complaint.UNKNOWN_COMMAND),
        (MacVersion.LORAWAN_1_1, b"\x99", Complaint.UNKNOWN_COMMAND),
        (MacVersion.LORAWAN_1_1, b"\x05\x00", Complaint.MALFORMED),
        (MacVersion.LORAWAN_1_1, b"\x02\x00\x00", Complaint.UNASKED_ANSWER),
        (MacVersion.LORAWAN_1_1, b"\x09\x00", Complaint.COMMAND_OF_ANOTHER_REGION),
    ],
)
def test_wrong_command_is_named(version: MacVersion, commands: bytes, expected) -> None:
    assert objection(a_desk(version), commands) is expected


@pytest.mark.parametrize("commands", [b"\x07\x03\x18\x4f\x84\x50", b"\x0a\x01\xd2\xad\x84"])
def test_channel_commands_do_not_belong_to_fixed_plans(commands: bytes) -> None:
    assert objection(a_desk(region=US915), commands) is Complaint.COMMAND_OF_ANOTHER_REGION


@pytest.mark.parametrize("cid", [cid for cid in Down if _SIZES[cid]], ids=lambda cid: cid.name)
def test_truncated_command_is_malformed_whichever_it_is(cid: Down) -> None:
    version = MacVersion.LORAWAN_1_1
    if cid is Down.BEACON_TIMING_ANS:
        version = MacVersion.LORAWAN_1_0_2
    assert objection(a_desk(version), bytes((cid,))) is Complaint.MALFORMED


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"\x0f\x35", b"\x0f\x01"),
        (b"\x11\xd2\xad\x84\x03", b"\x11\x03"),
        (b"\x11\x00\x00\x00\x0f", b"\x11\x01"),
        (b"\x11\x01\x00\x00\x03", b"\x11\x02"),
        (b"\x13\xd2\xad\x84", b"\x13\x01"),
        (b"\x13\x01\x00\x00", b"\x13\x00"),
        (b"\x0e\x25\x0b", b""),
    ],
)
def test_request_of_1_1_or_class_b_is_answered(request_: bytes, answer: bytes) -> None:
    assert answers(a_desk(MacVersion.LORAWAN_1_1), request_) == answer


def test_ping_slot_channel_is_answered_until_a_downlink() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_0_4)
    assert answers(desk, b"\x11\x00\x00\x00\x03") == b"\x11\x03"
    assert desk.for_uplink() == b"\x11\x03"
    assert desk.ping_slot_channel == (0, 3)


def test_forced_rejoin_is_remembered() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    answers(desk, b"\x0e\x25\x0b")
    assert desk.demanded_rejoin == (2, 5, 3, 1)


def test_device_that_keeps_no_time_counts_only() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.keeps_time = False
    assert answers(desk, b"\x0f\x35") == b"\x0f\x00"
    assert desk.rejoin_limits == (None, 5)


def test_ping_slots_are_told_and_confirmed() -> None:
    desk = a_desk()
    desk.tell_ping_slots(3)
    assert desk.for_uplink() == b"\x10\x03"
    assert desk.ping_slot_periodicity is None
    answers(desk, b"\x10")
    assert desk.ping_slot_periodicity == 3


def test_beacon_timing_is_read() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_0_2)
    desk.ask_beacon_timing()
    assert desk.for_uplink() == b"\x12"
    answers(desk, b"\x12\x34\x12\x02")
    assert desk.beacon_timing == (0x1234, 2)


def test_class_is_indicated_until_it_is_confirmed() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    assert objection(desk, b"\x20\x02") is Complaint.UNASKED_ANSWER
    desk.indicate_class("C")
    assert [desk.for_uplink(), desk.for_uplink()] == [b"\x20\x02"] * 2
    assert answers(desk, b"\x20\x02") == b""
    assert desk.device_class == "C"


def test_class_changes_with_the_first_indication() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.indicate_class("C")
    assert desk.device_class is None
    desk.for_uplink()
    assert desk.device_class == "C"


def test_answers_are_repeated_until_a_downlink_of_class_a() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    assert answers(desk, b"\x08\x03") == b"\x08"
    desk.receive([], 0.0, class_a=False)
    assert desk.for_uplink() == b"\x08"
    desk.receive([], 0.0)
    assert desk.for_uplink() == b""


def test_restart_keeps_what_has_to_be_repeated_and_nothing_else() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.receive(split_commands(b"\x08\x03\x04\x01", MacVersion.LORAWAN_1_1), 0.0)
    desk.ask_link_check()
    desk.restart()
    assert desk.for_uplink() == b"\x08"
    assert objection(desk, b"\x02\x14\x01") is Complaint.UNASKED_ANSWER


def test_network_may_serve_a_lower_class_but_no_other() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.indicate_class("A")
    assert objection(desk, b"\x20\x02") is Complaint.IMPOSSIBLE_PARAMETER
    desk.indicate_class("C")
    answers(desk, b"\x20\x00")
    assert desk.device_class == "A"


def test_radio_that_is_kept_over_a_session_owes_no_answers() -> None:
    desk = a_desk(MacVersion.LORAWAN_1_1)
    desk.receive(split_commands(b"\x08\x05\x06", desk.version), 0.0)
    desk.begin_session()
    assert desk.for_uplink() == b""
