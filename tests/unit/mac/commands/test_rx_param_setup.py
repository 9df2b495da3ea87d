from __future__ import annotations

import pytest

from bittern.lorawan.commands import RXParamSetupAns, RXParamSetupReq
from bittern.mac.commands import rx_param_setup
from bittern.mac.commands.notices import CommandProblem

WANTED = {"rx1_dr_offset": 2, "rx2_data_rate": 3, "rx2_frequency_hz": 868_500_000}
REQUEST = RXParamSetupReq(2, 3, 868_500_000)


@pytest.mark.parametrize(("field", "value"), WANTED.items())
def test_each_part_is_a_reason_to_ask(device, surroundings, want, field, value):
    assert rx_param_setup.needs(device.session(), surroundings(wanted=want(**{field: value})))


def test_all_of_it_is_told_at_once(device, surroundings, want, asked):
    heard = surroundings(wanted=want(**WANTED))
    assert rx_param_setup.enqueue(device.session(), heard) == [(REQUEST,)]
    session = asked(device.session(), REQUEST)
    after = rx_param_setup.handle(RXParamSetupAns(), session, heard).session
    radio = after.radio
    assert (radio.rx1_dr_offset, radio.rx2_data_rate) == (2, 3)
    assert radio.rx2_frequency_hz == 868_500_000
    assert not rx_param_setup.needs(after, heard)


def test_the_region_decides_where_the_profile_does_not(device, surroundings):
    assert not rx_param_setup.needs(device.session(), surroundings())


def test_the_answer_is_known_again_while_the_device_repeats_it(device, surroundings, want, asked):
    heard = surroundings(wanted=want(**WANTED))
    session = asked(device.session(), REQUEST)
    first = rx_param_setup.handle(RXParamSetupAns(), session, heard)
    again = rx_param_setup.handle(RXParamSetupAns(), first.session, heard)
    assert first.must_confirm
    assert again.must_confirm
    assert again.problem is None
    assert again.session is first.session


def test_a_repeated_answer_is_not_that_of_another_request(device, surroundings, want, asked):
    """While it comes, no other request of its kind is open."""
    heard = surroundings(wanted=want(**WANTED))
    session = asked(device.session(), REQUEST)
    session = rx_param_setup.handle(RXParamSetupAns(), session, heard).session
    assert [request.answered for request in session.requests] == [True]


@pytest.mark.parametrize("flags", [(False, True, True), (True, False, True), (True, True, False)])
def test_a_refusal_of_any_part_is_one_of_all(device, surroundings, asked, flags):
    session = asked(device.session(), REQUEST)
    handled = rx_param_setup.handle(RXParamSetupAns(*flags), session, surroundings())
    assert handled.session.radio == session.radio
    assert handled.declined == str(REQUEST)
    (refused,) = handled.session.refused
    assert refused.commands == REQUEST.pack()


def test_an_answer_that_nobody_asked_for_changes_nothing(device, surroundings):
    handled = rx_param_setup.handle(RXParamSetupAns(), device.session(), surroundings())
    assert handled.problem is CommandProblem.NOT_ASKED


@pytest.mark.parametrize("flags", [(True, True, True), (False, True, True), (True, False, True)])
def test_the_answer_is_repeated_until_it_is_confirmed(
    device, surroundings, want, asked, is_repeated_until_confirmed, flags
):
    session = asked(device.session(), REQUEST)
    heard = surroundings(wanted=want(**WANTED))
    is_repeated_until_confirmed(rx_param_setup, RXParamSetupAns(*flags), session, heard)


def test_what_was_refused_is_not_asked_again(device, surroundings, want, asked, is_not_asked_again):
    session, heard = asked(device.session(), REQUEST), surroundings(wanted=want(**WANTED))
    answer = RXParamSetupAns(False, True, True)
    is_not_asked_again(rx_param_setup, rx_param_setup.handle(answer, session, heard).session, heard)
