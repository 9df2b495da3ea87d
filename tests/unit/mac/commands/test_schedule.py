from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from bittern.lorawan.commands import (
    MAX_FOPTS_SIZE,
    DevStatusReq,
    DutyCycleReq,
    LinkADRReq,
    LinkCheckAns,
    NewChannelReq,
    RXParamSetupReq,
    RXTimingSetupReq,
    pack_commands,
)
from bittern.lorawan.regions import plan
from bittern.mac.commands.notices import Unanswered
from bittern.mac.commands.schedule import (
    LONGEST_WAIT,
    PATIENCE,
    REQUESTS,
    Scheduled,
    schedule,
)
from bittern.mac.session import RefusedRequest, Request, Session
from bittern.types import Instant

TIMING = pack_commands([RXTimingSetupReq(5)])
CHECKED = LinkCheckAns(10, 1)
LONG_AGO = Instant(1_600_000_000.0)


@pytest.fixture
def session(device) -> Session:
    """Does all that is wanted of it."""
    return device.session(fcnt_up=0)


@pytest.fixture
def slow(surroundings, want):
    """RX1 is to open later."""
    return surroundings(wanted=want(rx1_delay_s=5))


def without_channels(session: Session) -> Session:
    radio = msgspec.structs.replace(session.radio, extra_channels=())
    return msgspec.structs.replace(session, radio=radio)


def after_uplink(session: Session, fcnt: int) -> Session:
    return msgspec.structs.replace(session, fcnt_up=fcnt)


def kinds(scheduled: Scheduled) -> list[type]:
    return [type(request) for request in scheduled.requests]


# What and in which order


def test_a_device_that_does_all_that_is_wanted_is_sent_nothing(session, surroundings):
    assert schedule(session, surroundings(), ()) == Scheduled(session)


def test_what_goes_out_is_remembered(session, slow):
    scheduled = schedule(session, slow, ())
    assert scheduled.requests == (RXTimingSetupReq(5),)
    assert scheduled.session.requests == (Request(TIMING, 0),)
    assert scheduled.session.radio == session.radio


def test_requests_go_in_the_order_of_the_versions_that_introduced_them(session, surroundings, want):
    wanted = want(
        policy={"max_duty_cycle": 3, "dev_status_req_freq": 1},
        rx1_delay_s=5,
        rx1_dr_offset=1,
    )
    old = msgspec.structs.replace(session, activated_at=LONG_AGO)
    scheduled = schedule(old, surroundings(wanted=wanted), ())
    assert kinds(scheduled) == [RXParamSetupReq, RXTimingSetupReq, DutyCycleReq, DevStatusReq]


def test_every_kind_of_request_has_its_turn_once():
    assert len({module.REQUEST.CID for module in REQUESTS}) == len(REQUESTS)


# How often


def sent_after(session: Session, slow, uplinks: int) -> tuple[list[int], list[Unanswered]]:
    """The uplinks that the request went out after, none of which had the answer."""
    sent, notices = [], []
    for fcnt in range(uplinks):
        scheduled = schedule(after_uplink(session, fcnt), slow, ())
        session = scheduled.session
        notices += scheduled.notices
        if scheduled.requests:
            assert scheduled.requests == (RXTimingSetupReq(5),)
            sent.append(fcnt)
    return sent, notices


def test_an_unanswered_request_goes_out_after_every_uplink_at_first(session, slow):
    assert sent_after(session, slow, PATIENCE)[0] == list(range(PATIENCE))


def test_then_every_uplink_is_too_often(session, slow):
    assert sent_after(session, slow, PATIENCE + 2)[0] == [*range(PATIENCE), PATIENCE + 1]


def test_a_device_that_does_not_answer_is_asked_ever_more_seldom(session, slow):
    sent, _ = sent_after(session, slow, 140)
    waits = [later - earlier for earlier, later in pairwise(sent[2:])]
    assert waits == [2, 4, 8, 16, 32, 64]


def test_a_device_that_does_not_answer_is_asked_now_and_then_for_ever(session, slow):
    sent, _ = sent_after(session, slow, 5 * LONGEST_WAIT)
    assert sent[-1] - sent[-2] == sent[-2] - sent[-3] == LONGEST_WAIT


def test_that_a_device_does_not_answer_is_told_once(session, slow):
    _, notices = sent_after(session, slow, 300)
    assert notices == [Unanswered(str(RXTimingSetupReq(5)), PATIENCE)]


def test_lost_uplinks_count_as_uplinks(session, slow):
    waiting = msgspec.structs.replace(session, requests=(Request(TIMING, 10, 5),))
    assert schedule(after_uplink(waiting, 17), slow, ()).requests == ()
    assert schedule(after_uplink(waiting, 18), slow, ()).requests == (RXTimingSetupReq(5),)


def test_an_unanswered_request_is_repeated_as_it_was(session, surroundings, want):
    waiting = msgspec.structs.replace(session, requests=(Request(TIMING, 0),))
    otherwise = surroundings(wanted=want(rx1_delay_s=9))
    scheduled = schedule(after_uplink(waiting, 1), otherwise, ())
    assert scheduled.requests == (RXTimingSetupReq(5),)
    assert scheduled.session.requests == (Request(TIMING, 1, 2),)


def test_while_an_answer_is_repeated_there_is_no_other_request_of_its_kind(
    session, surroundings, want
):
    answered = msgspec.structs.replace(session, requests=(Request(TIMING, 0, answered=True),))
    otherwise = surroundings(wanted=want(rx1_delay_s=9))
    assert schedule(after_uplink(answered, 1), otherwise, ()).requests == ()


# Retransmissions


def test_a_repeated_uplink_is_answered_by_the_same_requests(session, slow):
    first = schedule(session, slow, ())
    again = schedule(first.session, slow, (), repeated=True)
    assert again.requests == first.requests
    assert again.session == first.session


def test_a_repeated_uplink_does_not_wake_a_request_that_waits(session, slow):
    waiting = msgspec.structs.replace(session, fcnt_up=11, requests=(Request(TIMING, 10, 6),))
    assert schedule(waiting, slow, (), repeated=True).requests == ()


def test_a_repeated_uplink_uses_up_no_patience(session, slow):
    waiting = msgspec.structs.replace(session, requests=(Request(TIMING, 0, 3),))
    again = schedule(waiting, slow, (), repeated=True)
    assert again.session.requests == (Request(TIMING, 0, 3),)
    assert again.notices == ()


# Refused


def test_a_refused_request_is_not_repeated(session, surroundings, want):
    block = pack_commands([RXParamSetupReq(1, 0, 869_525_000)])
    told = msgspec.structs.replace(session, refused=(RefusedRequest(block, 0b011),))
    wanted = want(rx1_dr_offset=1)
    assert schedule(session, surroundings(wanted=wanted), ()).requests
    assert schedule(told, surroundings(wanted=wanted), ()).requests == ()


def test_another_request_than_the_refused_one_goes_out(session, surroundings, want):
    block = pack_commands([RXParamSetupReq(1, 0, 869_525_000)])
    told = msgspec.structs.replace(session, refused=(RefusedRequest(block, 0b011),))
    scheduled = schedule(told, surroundings(wanted=want(rx1_dr_offset=2)), ())
    assert scheduled.requests == (RXParamSetupReq(2, 0, 869_525_000),)


def test_a_refused_channel_does_not_hold_up_the_others(session, surroundings):
    first = pack_commands([NewChannelReq(3, 867_100_000, 0, 5)])
    told = msgspec.structs.replace(
        without_channels(session), refused=(RefusedRequest(first, 0b01),)
    )
    scheduled = schedule(told, surroundings(), ())
    assert [request.ch_index for request in scheduled.requests] == [4, 5]


# Room


def test_requests_share_fopts_with_the_answers(session, surroundings):
    bare = without_channels(session)
    # Six bytes for each channel, three for the answer.
    assert kinds(schedule(bare, surroundings(), ())) == [NewChannelReq] * 2
    assert kinds(schedule(bare, surroundings(), (CHECKED,))) == [NewChannelReq] * 2
    assert kinds(schedule(bare, surroundings(), (CHECKED,) * 2)) == [NewChannelReq]


def test_what_found_no_room_follows_the_next_uplink(session, surroundings):
    first = schedule(without_channels(session), surroundings(), ())
    assert [request.ch_index for request in first.requests] == [3, 4]
    told = msgspec.structs.replace(
        first.session,
        requests=(),
        fcnt_up=1,
        radio=msgspec.structs.replace(
            session.radio, extra_channels=session.radio.extra_channels[:2]
        ),
    )
    assert [one.ch_index for one in schedule(told, surroundings(), ()).requests] == [5, 6]


def test_a_shorter_request_takes_the_room_that_a_longer_one_leaves(session, surroundings, want):
    wanted = want(policy={"max_duty_cycle": 3})
    scheduled = schedule(without_channels(session), surroundings(wanted=wanted), ())
    assert kinds(scheduled) == [NewChannelReq, NewChannelReq, DutyCycleReq]
    assert len(pack_commands(scheduled.requests)) <= MAX_FOPTS_SIZE


def test_answers_that_fill_fopts_leave_no_room(session, slow):
    scheduled = schedule(session, slow, (CHECKED,) * 5)
    assert scheduled == Scheduled(session)


@pytest.mark.parametrize(("data_rate", "answers", "channels"), [(2, 2, 1), (2, 3, 0), (5, 3, 1)])
def test_a_window_may_have_less_room_than_fopts(
    make_device, surroundings, want, data_rate, answers, channels
):
    # AS923 with a dwell time of 400 ms: N is 11 at DR2, which leaves 12 for FOpts without FPort.
    session = without_channels(make_device(plan=plan("AS923-1")).session(fcnt_up=0))
    limited = msgspec.structs.replace(session.radio, downlink_dwell=True)
    heard = surroundings(
        wanted=want("AS923-1", downlink_dwell_time=True),
        data_rate=data_rate,
        frequency_hz=923_200_000,
    )
    scheduled = schedule(
        msgspec.structs.replace(session, radio=limited), heard, (CHECKED,) * answers
    )
    assert kinds(scheduled) == [NewChannelReq] * channels


@pytest.fixture
def scattered(make_device, surroundings, want):
    """A device of US915 that has to be told four masks, and a delay and a duty cycle besides."""
    session = make_device(plan=plan("US915")).session(fcnt_up=0)
    return session, surroundings(
        wanted=want("US915", policy={"max_duty_cycle": 3}, rx1_delay_s=5),
        data_rate=3,
        frequency_hz=902_300_000,
        sub_bands=(1, 3, 5),
    )


def test_a_block_that_fopts_could_never_hold_goes_on_fport_0(scattered):
    scheduled = schedule(*scattered, ())
    assert kinds(scheduled) == [RXTimingSetupReq, *[LinkADRReq] * 4]
    assert len(pack_commands(scheduled.requests)) > MAX_FOPTS_SIZE


def test_a_block_on_fport_0_is_remembered_as_one(scattered):
    scheduled = schedule(*scattered, ())
    assert [one.commands for one in scheduled.session.requests] == [
        TIMING,
        pack_commands(scheduled.requests[1:]),
    ]


def test_behind_a_block_on_fport_0_comes_nothing(scattered):
    session, heard = scattered
    assert DutyCycleReq not in kinds(schedule(session, heard, ()))
    everywhere = msgspec.structs.replace(heard, sub_bands=())
    assert DutyCycleReq in kinds(schedule(session, everywhere, ()))
