from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import ResetConf, ResetInd
from bittern.mac.commands import reset


@pytest.mark.parametrize("minor", [1, 2, 15])
def test_the_highest_version_that_both_speak_is_confirmed(device_1_1, surroundings, minor):
    handled = reset.handle(ResetInd(minor), device_1_1.session(), surroundings())
    assert handled.answers == (ResetConf(1),)


def test_the_radio_is_believed_to_be_as_it_was_made_and_counters_go_on(device_1_1, surroundings):
    initial = device_1_1.session().radio
    session = device_1_1.session(
        radio=msgspec.structs.replace(initial, rx1_delay_s=7),
        fcnt_up=70,
        nfcnt_down=7,
        afcnt_down=8,
        revision=3,
    )
    handled = reset.handle(ResetInd(1), session, surroundings(initial_radio=initial))
    assert handled.session == msgspec.structs.replace(session, radio=initial)


def test_a_radio_that_is_as_it_was_made_changes_nothing(device_1_1, surroundings):
    session = device_1_1.session()
    handled = reset.handle(ResetInd(1), session, surroundings(initial_radio=session.radio))
    assert handled.session is session


def test_a_reserved_version_is_not_confirmed(device_1_1, surroundings):
    handled = reset.handle(ResetInd(0), device_1_1.session(), surroundings())
    assert (handled.answers, handled.expected) == ((), False)


def test_a_joined_device_does_not_reset(device_1_1, surroundings):
    session = device_1_1.session(generation=1)
    handled = reset.handle(ResetInd(1), session, surroundings(initial_radio=session.radio))
    assert (handled.answers, handled.expected) == ((), False)


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings):
    handled = reset.handle(ResetInd(1), device.session(), surroundings())
    assert (handled.answers, handled.expected) == ((), False)
