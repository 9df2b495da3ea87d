from __future__ import annotations

import pytest

from bittern.lorawan.commands import RekeyConf, RekeyInd
from bittern.mac.commands import rekey
from bittern.mac.commands.notices import CommandProblem


@pytest.mark.parametrize("minor", [1, 2, 15])
def test_the_highest_version_that_both_speak_is_confirmed(device_1_1, surroundings, minor):
    session = device_1_1.session(generation=1)
    handled = rekey.handle(RekeyInd(minor), session, surroundings())
    assert handled.answers == (RekeyConf(1),)
    assert handled.problem is None
    assert handled.session is session


def test_a_reserved_version_is_not_confirmed(device_1_1, surroundings):
    handled = rekey.handle(RekeyInd(0), device_1_1.session(generation=1), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.RESERVED_VALUE)


def test_a_personalized_device_has_nothing_to_rekey(device_1_1, surroundings):
    handled = rekey.handle(RekeyInd(1), device_1_1.session(), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_ACTIVATION)


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings):
    handled = rekey.handle(RekeyInd(1), device.session(generation=1), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_VERSION)
