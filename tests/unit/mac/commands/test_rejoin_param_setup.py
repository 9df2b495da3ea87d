from __future__ import annotations

import pytest

from bittern.lorawan.commands import RejoinParamSetupAns, RejoinParamSetupReq
from bittern.mac.commands import rejoin_param_setup
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.requests import was_refused


@pytest.mark.parametrize(
    ("time_n", "count_n", "told"), [(4, 5, (4, 5)), (None, 5, (15, 5)), (4, None, (4, 15))]
)
def test_limits_are_told_and_believed_once_they_are_answered(
    device_1_1, surroundings, want, asked, time_n, count_n, told
):
    heard = surroundings(wanted=want(rejoin_max_time_n=time_n, rejoin_max_count_n=count_n))
    session = device_1_1.session(generation=1)
    request = RejoinParamSetupReq(*told)
    assert rejoin_param_setup.needs(session, heard)
    assert rejoin_param_setup.enqueue(session, heard) == [(request,)]
    handled = rejoin_param_setup.handle(RejoinParamSetupAns(True), asked(session, request), heard)
    radio = handled.session.radio
    assert (radio.rejoin_max_time_n, radio.rejoin_max_count_n) == told
    assert not rejoin_param_setup.needs(handled.session, heard)


def test_a_device_without_a_clock_counts_and_is_not_asked_again(
    device_1_1, surroundings, want, asked
):
    heard = surroundings(wanted=want(rejoin_max_time_n=4, rejoin_max_count_n=5))
    request = RejoinParamSetupReq(4, 5)
    session = asked(device_1_1.session(), request)
    handled = rejoin_param_setup.handle(RejoinParamSetupAns(False), session, heard)
    radio = handled.session.radio
    assert (radio.rejoin_max_time_n, radio.rejoin_max_count_n) == (None, 5)
    assert handled.declined
    assert was_refused(handled.session, (request,))


def test_nothing_is_told_where_nothing_is_wanted(device_1_1, surroundings):
    assert not rejoin_param_setup.needs(device_1_1.session(), surroundings())


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings, want):
    heard = surroundings(wanted=want(rejoin_max_time_n=4))
    assert not rejoin_param_setup.needs(device.session(), heard)


def test_an_answer_that_nobody_asked_for_changes_nothing(device_1_1, surroundings):
    session = device_1_1.session()
    handled = rejoin_param_setup.handle(RejoinParamSetupAns(False), session, surroundings())
    assert handled.problem is CommandProblem.NOT_ASKED
    assert handled.session is session


def test_what_cannot_be_kept_by_time_is_not_asked_again(
    device_1_1, surroundings, want, asked, is_not_asked_again
):
    heard = surroundings(wanted=want(rejoin_max_time_n=4, rejoin_max_count_n=5))
    session = asked(device_1_1.session(), RejoinParamSetupReq(4, 5))
    counting = rejoin_param_setup.handle(RejoinParamSetupAns(False), session, heard).session
    is_not_asked_again(rejoin_param_setup, counting, heard)
