from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import (
    LinkCheckAns,
    RXTimingSetupReq,
    pack_commands,
)
from bittern.mac.adr import record
from bittern.mac.commands.notices import CommandProblem, Ignored
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.exchange import Answered, exchange
from bittern.mac.session import Request
from bittern.mac.uplink import Accepted, Retransmission
from bittern.types import Instant

TIMING = pack_commands([RXTimingSetupReq(5)])


@pytest.fixture
def surroundings(want):
    """On the first channel of EU868 at DR5, with nothing wanted, unless told."""

    def make(**fields: object) -> Surroundings:
        given = {
            "wanted": want(),
            "received_at": Instant(1_700_000_000.0),
            "snr_db": 5.0,
            "data_rate": 5,
            "frequency_hz": 868_100_000,
            "gateway_count": 1,
        }
        return Surroundings(**(given | fields))

    return make


# What goes back


def test_a_plain_uplink_is_owed_nothing(device, hear, surroundings):
    answered = exchange(hear(device.uplink(0), device.session()), surroundings())
    assert answered == Answered(answered.session)
    assert answered.commands == ()


@pytest.mark.parametrize("why", ["confirmed", "adr_ack_req"])
def test_a_device_that_waits_for_a_downlink_is_owed_one(device, hear, surroundings, why):
    heard = hear(device.uplink(0, **{why: True}), device.session())
    assert exchange(heard, surroundings()).owed


def test_a_device_that_repeats_an_answer_is_owed_a_downlink(device, hear, surroundings, want):
    session = device.session(fcnt_up=3, requests=(Request(TIMING, 3),))
    heard = hear(device.uplink(4, fopts=b"\x08"), session)
    answered = exchange(heard, surroundings(wanted=want(rx1_delay_s=5)))
    assert answered.owed
    assert answered.commands == ()
    assert answered.session.radio.rx1_delay_s == 5


def test_answers_come_before_requests(device, hear, surroundings, want):
    heard = hear(device.uplink(0, fopts=b"\x02"), device.session())
    answered = exchange(heard, surroundings(wanted=want(rx1_delay_s=5)))
    assert [type(command) for command in answered.commands] == [LinkCheckAns, RXTimingSetupReq]
    assert answered.commands == answered.answers + answered.requests


def test_a_request_goes_by_what_the_uplink_answered(device, hear, surroundings, want):
    heard_first = hear(device.uplink(0), device.session())
    wanted = surroundings(wanted=want(rx1_delay_s=5))
    first = exchange(heard_first, wanted)
    assert first.session.requests == (Request(TIMING, 0),)
    second = exchange(hear(device.uplink(1, fopts=b"\x08"), first.session), wanted)
    third = exchange(hear(device.uplink(2), second.session), wanted)
    assert (second.requests, third.requests) == ((), ())
    assert third.session.requests == ()


def test_an_unreadable_command_is_told_and_the_uplink_is_good(device, hear, surroundings):
    heard = hear(device.uplink(0, fopts=b"\x02\xff"), device.session())
    answered = exchange(heard, surroundings())
    assert [type(command) for command in answered.answers] == [LinkCheckAns]
    assert [notice.problem for notice in answered.notices] == [CommandProblem.UNREADABLE]
    assert answered.session.fcnt_up == 0


def test_the_session_is_of_the_revision_that_the_uplink_made(device, hear, surroundings, want):
    heard = hear(device.uplink(0, fopts=b"\x02", adr=True), device.session(revision=4))
    answered = exchange(heard, surroundings(wanted=want(rx1_delay_s=5)))
    assert answered.session.revision == heard.after.revision == 5
    assert answered.session != heard.after


# The data rate


@pytest.mark.parametrize(
    ("algorithm", "asked", "looked_after"),
    [("reference", True, True), ("reference", False, False), ("", True, False)],
)
def test_adr_needs_the_device_and_the_policy(
    device, hear, surroundings, want, algorithm, asked, looked_after
):
    heard = hear(device.uplink(0, adr=asked), device.session())
    policy = {"adr_algorithm": algorithm}
    answered = exchange(heard, surroundings(wanted=want(policy=policy), adr=asked))
    assert answered.adr == looked_after


def test_an_uplink_shows_the_data_rate(device, hear, surroundings):
    heard = hear(device.uplink(0), device.session(), data_rate=3)
    answered = exchange(heard, surroundings(data_rate=3))
    assert answered.session.radio.data_rate == 3


def test_uplinks_of_a_device_with_adr_are_remembered_with_what_was_lost(device, hear, surroundings):
    session, expected = device.session(), b""
    for fcnt, lost, snr_db in [(4, 0, 5.0), (5, 0, -3.5), (8, 2, 7.0)]:
        heard = hear(device.uplink(fcnt, adr=True), session)
        session = exchange(heard, surroundings(snr_db=snr_db, adr=True)).session
        expected = record(expected, lost=lost, snr_db=snr_db)
        assert session.uplink_history == expected


def test_uplinks_of_a_device_without_adr_are_not_remembered(device, hear, surroundings):
    heard = hear(device.uplink(0), device.session())
    assert exchange(heard, surroundings()).session.uplink_history == b""


# Once more


def test_a_retransmission_gets_the_same_commands(device, hear, surroundings, want):
    phy_payload = device.uplink(3, fopts=b"\x02", confirmed=True)
    wanted = surroundings(wanted=want(rx1_delay_s=5))
    heard = hear(phy_payload, device.session())
    assert isinstance(heard, Accepted)
    first = exchange(heard, wanted)
    heard_again = hear(phy_payload, first.session)
    assert isinstance(heard_again, Retransmission)
    again = exchange(heard_again, wanted)
    assert again.commands == first.commands
    assert again.owed
    assert again.session.requests == first.session.requests


def test_a_retransmission_is_not_remembered_as_another_uplink(device, hear, surroundings):
    phy_payload = device.uplink(3, adr=True)
    first = exchange(hear(phy_payload, device.session()), surroundings(adr=True))
    again = exchange(hear(phy_payload, first.session), surroundings(adr=True, snr_db=9.0))
    assert again.session.uplink_history == first.session.uplink_history != b""


# The class


def in_class_b(heard: Accepted) -> Accepted:
    """With FCtrl.ClassB."""
    return msgspec.structs.replace(heard, class_b=True)


def test_a_device_enters_and_leaves_class_b_by_its_uplinks(device, hear, surroundings, want):
    wanted = surroundings(wanted=want(supports_class_b=True))
    entered = exchange(in_class_b(hear(device.uplink(0), device.session())), wanted)
    assert entered.session.device_class == "B"
    assert entered.notices == ()
    stayed = exchange(in_class_b(hear(device.uplink(1), entered.session)), wanted)
    assert stayed.session.device_class == "B"
    left = exchange(hear(device.uplink(2), stayed.session), wanted)
    assert left.session.device_class == "A"


def test_class_b_has_to_be_in_the_profile(device, hear, surroundings):
    answered = exchange(in_class_b(hear(device.uplink(0), device.session())), surroundings())
    assert answered.session.device_class == "A"
    assert answered.notices == (Ignored("FCtrl.ClassB", CommandProblem.CLASS_NOT_IN_PROFILE),)


def test_an_uplink_without_the_class_b_bit_leaves_class_c_alone(device, hear, surroundings):
    heard = hear(device.uplink(0), device.session(device_class="C"))
    assert exchange(heard, surroundings()).session.device_class == "C"
