from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import (
    DutyCycleAns,
    DutyCycleReq,
    NewChannelReq,
    RXParamSetupAns,
    RXParamSetupReq,
    RXTimingSetupAns,
    RXTimingSetupReq,
    pack_commands,
)
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.requests import (
    REFUSED_KEPT,
    forget_confirmed,
    handle_answer,
    is_under_way,
    open_request,
    refused,
    sent,
    settled,
    was_refused,
)
from bittern.mac.session import RefusedRequest, Request, Session

DUTY_CYCLE = pack_commands([DutyCycleReq(2)])
TIMING = pack_commands([RXTimingSetupReq(4)])
PARAMS = pack_commands([RXParamSetupReq(0, 3, 869_525_000)])


@pytest.fixture
def session(device) -> Session:
    return device.session(fcnt_up=10)


def with_requests(session: Session, *requests: Request) -> Session:
    return msgspec.structs.replace(session, requests=requests)


def obey(radio, asked: DutyCycleReq):
    return msgspec.structs.replace(radio, max_duty_cycle=asked.max_duty_cycle)


def delay(radio, asked: RXTimingSetupReq):
    return msgspec.structs.replace(radio, rx1_delay_s=asked.delay)


def move(radio, asked: RXParamSetupReq):
    return msgspec.structs.replace(radio, rx2_data_rate=asked.rx2_data_rate)


# Under way


def test_what_is_sent_is_under_way(session):
    after = sent(session, DUTY_CYCLE)
    assert after.requests == (Request(DUTY_CYCLE, 10),)
    assert is_under_way(after, DutyCycleReq)
    assert not is_under_way(after, RXTimingSetupReq)
    assert not is_under_way(session, DutyCycleReq)


def test_requests_are_kept_in_the_order_in_which_they_were_sent(session):
    after = sent(sent(session, TIMING), DUTY_CYCLE)
    assert [one.commands for one in after.requests] == [TIMING, DUTY_CYCLE]


def test_a_request_sent_again_keeps_its_place_and_counts(session):
    earlier = Request(TIMING, 9)
    before = with_requests(session, earlier, Request(DUTY_CYCLE, 9))
    after = sent(before, TIMING, earlier)
    assert after.requests == (Request(TIMING, 10, 2), Request(DUTY_CYCLE, 9))


def test_a_request_sent_again_after_the_same_uplink_is_no_other_attempt(session):
    earlier = Request(TIMING, 10, 2)
    after = sent(with_requests(session, earlier), TIMING, earlier)
    assert after.requests == (Request(TIMING, 10, 2),)


def test_an_answer_belongs_to_the_first_request_of_its_kind(session):
    first = Request(pack_commands([NewChannelReq(3, 867_100_000, 0, 5)]), 9)
    second = Request(pack_commands([NewChannelReq(4, 867_300_000, 0, 5)]), 9)
    before = with_requests(session, Request(TIMING, 9), first, second)
    assert open_request(before, NewChannelReq) is first
    assert open_request(settled(before, first), NewChannelReq) is second


def test_an_answered_request_is_under_way_but_not_open(session):
    after = with_requests(session, Request(TIMING, 9, answered=True))
    assert open_request(after, RXTimingSetupReq) is None
    assert is_under_way(after, RXTimingSetupReq)


# Settled


def test_a_settled_request_is_gone_and_the_others_are_not(session):
    one, other = Request(DUTY_CYCLE, 9), Request(TIMING, 9)
    assert settled(with_requests(session, one, other), one).requests == (other,)


def test_a_request_whose_answer_is_repeated_stays_as_answered(session):
    one, other = Request(TIMING, 9), Request(DUTY_CYCLE, 9)
    after = settled(with_requests(session, one, other), one, repeats=True)
    assert after.requests == (Request(TIMING, 9, answered=True), other)


def test_an_uplink_without_the_answer_shows_that_it_was_confirmed(session):
    before = with_requests(session, Request(TIMING, 9, answered=True), Request(DUTY_CYCLE, 9))
    assert forget_confirmed(before, ()).requests == (Request(DUTY_CYCLE, 9),)


def test_an_answer_that_is_repeated_is_not_confirmed_yet(session):
    before = with_requests(session, Request(TIMING, 9, answered=True))
    assert forget_confirmed(before, (RXTimingSetupAns(),)) is before


def test_an_unanswered_request_is_not_forgotten(session):
    before = with_requests(session, Request(TIMING, 9))
    assert forget_confirmed(before, ()) is before


# Refused


def test_what_was_refused_is_known_by_its_bytes(session):
    after = refused(session, Request(PARAMS, 9), 0b110)
    assert after.refused == (RefusedRequest(PARAMS, 0b110),)
    assert was_refused(after, (RXParamSetupReq(0, 3, 869_525_000),))
    assert not was_refused(after, (RXParamSetupReq(0, 2, 869_525_000),))
    assert not was_refused(session, (RXParamSetupReq(0, 3, 869_525_000),))


def test_only_the_last_refusals_are_kept(session):
    for index in range(REFUSED_KEPT + 3):
        session = refused(session, Request(bytes((7, index)), 9), 0)
    assert [one.commands[1] for one in session.refused] == list(range(3, REFUSED_KEPT + 3))


# Answers


def test_an_answer_makes_the_request_believed(session):
    handled = handle_answer(DutyCycleAns(), sent(session, DUTY_CYCLE), DutyCycleReq, obey)
    assert handled.session.radio.max_duty_cycle == 2
    assert handled.session.requests == ()
    assert (handled.problem, handled.declined, handled.must_confirm) == (None, "", False)


def test_an_answer_that_nobody_asked_for_changes_nothing(session):
    handled = handle_answer(DutyCycleAns(), session, DutyCycleReq, obey)
    assert handled.session is session
    assert handled.problem is CommandProblem.NOT_ASKED
    assert not handled.must_confirm


def test_a_refused_request_changes_no_belief_and_is_remembered(session):
    answer = RXParamSetupAns(channel_ack=True, rx2_data_rate_ack=False, rx1_dr_offset_ack=True)
    handled = handle_answer(answer, sent(session, PARAMS), RXParamSetupReq, move, accepted=False)
    assert handled.session.radio == session.radio
    assert handled.session.requests == ()
    assert handled.session.refused == (RefusedRequest(PARAMS, 0b101),)
    assert handled.declined == str(RXParamSetupReq(0, 3, 869_525_000))


def test_an_answer_that_is_repeated_waits_for_a_downlink(session):
    handled = handle_answer(
        RXTimingSetupAns(), sent(session, TIMING), RXTimingSetupReq, delay, repeats=True
    )
    assert handled.must_confirm
    assert handled.session.radio.rx1_delay_s == 4
    assert handled.session.requests == (Request(TIMING, 10, answered=True),)


def test_a_repeated_answer_is_no_problem_and_waits_for_a_downlink_still(session):
    before = with_requests(session, Request(TIMING, 9, answered=True))
    handled = handle_answer(RXTimingSetupAns(), before, RXTimingSetupReq, delay, repeats=True)
    assert handled.session is before
    assert handled.problem is None
    assert handled.must_confirm


def test_an_answer_of_before_1_0_2_waits_for_no_downlink(make_device):
    session = make_device(MacVersion.LORAWAN_1_0_1).session(fcnt_up=10)
    handled = handle_answer(
        RXTimingSetupAns(), sent(session, TIMING), RXTimingSetupReq, delay, repeats=True
    )
    assert not handled.must_confirm
    assert handled.session.radio.rx1_delay_s == 4
