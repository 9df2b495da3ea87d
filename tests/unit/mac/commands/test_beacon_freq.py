from __future__ import annotations

import pytest

from bittern.lorawan.commands import BeaconFreqAns, BeaconFreqReq
from bittern.mac.commands import beacon_freq

REQUEST = BeaconFreqReq(868_500_000)


@pytest.fixture
def heard(surroundings, want):
    return surroundings(wanted=want(supports_class_b=True, beacon_frequency_hz=868_500_000))


def test_another_frequency_is_told_and_believed_once_it_is_answered(device, heard, asked):
    session = device.session()
    assert beacon_freq.needs(session, heard)
    assert beacon_freq.enqueue(session, heard) == [(REQUEST,)]
    after = beacon_freq.handle(BeaconFreqAns(), asked(session, REQUEST), heard).session
    assert after.radio.beacon_frequency_hz == 868_500_000
    assert not beacon_freq.needs(after, heard)


def test_the_regions_frequency_comes_back_with_0(device, heard, asked, surroundings, want):
    session = asked(device.session(), REQUEST)
    session = beacon_freq.handle(BeaconFreqAns(), session, heard).session
    regional = surroundings(wanted=want(supports_class_b=True))
    assert beacon_freq.enqueue(session, regional) == [(BeaconFreqReq(0),)]


def test_a_refusal_leaves_the_beacon_where_it_is(device, heard, asked):
    session = asked(device.session(), REQUEST)
    handled = beacon_freq.handle(BeaconFreqAns(False), session, heard)
    assert handled.session.radio.beacon_frequency_hz == 0
    assert handled.declined == str(REQUEST)


def test_devices_without_class_b_are_not_told(device, surroundings, want):
    heard = surroundings(wanted=want(beacon_frequency_hz=868_500_000))
    assert not beacon_freq.needs(device.session(), heard)


def test_what_was_refused_is_not_asked_again(device, heard, asked, is_not_asked_again):
    session = asked(device.session(), REQUEST)
    refusing = beacon_freq.handle(BeaconFreqAns(False), session, heard).session
    is_not_asked_again(beacon_freq, refusing, heard)


def test_an_answer_that_nobody_asked_for_changes_nothing(device, heard, is_named_unasked):
    for accepted in (False, True):
        is_named_unasked(beacon_freq, BeaconFreqAns(accepted), device.session(), heard)
