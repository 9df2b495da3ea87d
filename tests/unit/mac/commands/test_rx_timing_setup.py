from __future__ import annotations

import pytest

from bittern.lorawan.commands import RXTimingSetupAns, RXTimingSetupReq
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import rx_timing_setup


def test_the_delay_is_told_and_believed_once_it_is_answered(device, surroundings, want, asked):
    heard = surroundings(wanted=want(rx1_delay_s=5))
    session = device.session()
    assert rx_timing_setup.needs(session, heard)
    assert rx_timing_setup.enqueue(session, heard) == [(RXTimingSetupReq(5),)]
    handled = rx_timing_setup.handle(RXTimingSetupAns(), asked(session, RXTimingSetupReq(5)), heard)
    assert handled.session.radio.rx1_delay_s == 5
    assert handled.must_confirm
    assert not rx_timing_setup.needs(handled.session, heard)


def test_zero_is_one_second(device, surroundings, want, asked):
    assert not rx_timing_setup.needs(device.session(), surroundings(wanted=want(rx1_delay_s=0)))
    session = asked(device.session(), RXTimingSetupReq(0))
    handled = rx_timing_setup.handle(RXTimingSetupAns(), session, surroundings())
    assert handled.session.radio.rx1_delay_s == 1


@pytest.mark.parametrize(
    ("version", "repeated"),
    [(MacVersion.LORAWAN_1_0_1, False), (MacVersion.LORAWAN_1_0_2, True)],
)
def test_only_what_the_version_repeats_is_confirmed(
    make_device, surroundings, asked, version, repeated
):
    session = asked(make_device(version).session(), RXTimingSetupReq(3))
    handled = rx_timing_setup.handle(RXTimingSetupAns(), session, surroundings())
    assert handled.must_confirm is repeated


def test_the_answer_is_repeated_until_it_is_confirmed(
    device, surroundings, asked, is_repeated_until_confirmed
):
    session = asked(device.session(), RXTimingSetupReq(5))
    is_repeated_until_confirmed(rx_timing_setup, RXTimingSetupAns(), session, surroundings())


def test_an_answer_that_nobody_asked_for_changes_nothing(device, surroundings, is_named_unasked):
    is_named_unasked(rx_timing_setup, RXTimingSetupAns(), device.session(), surroundings())
