from __future__ import annotations

import pytest

from bittern.lorawan.commands import DeviceModeConf, DeviceModeInd
from bittern.mac.commands import device_mode
from bittern.mac.commands.notices import CommandProblem


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (2, "C")])
def test_the_class_is_confirmed_and_taken(device_1_1, surroundings, want, number, name):
    heard = surroundings(wanted=want(supports_class_c=True))
    session = device_1_1.session(device_class="A" if name == "C" else "C")
    handled = device_mode.handle(DeviceModeInd(number), session, heard)
    assert handled.answers == (DeviceModeConf(number),)
    assert handled.session.device_class == name


def test_a_repeated_indication_is_confirmed_again(device_1_1, surroundings, want):
    session = device_1_1.session(device_class="C")
    heard = surroundings(wanted=want(supports_class_c=True))
    handled = device_mode.handle(DeviceModeInd(2), session, heard)
    assert handled.answers == (DeviceModeConf(2),)
    assert handled.session is session


def test_a_class_that_the_profile_lacks_is_served_as_class_a(device_1_1, surroundings):
    handled = device_mode.handle(DeviceModeInd(2), device_1_1.session(), surroundings())
    assert handled.answers == (DeviceModeConf(0),)
    assert handled.problem is CommandProblem.CLASS_NOT_IN_PROFILE
    assert handled.session.device_class == "A"


@pytest.mark.parametrize("number", [1, 3, 255])
def test_a_reserved_class_is_not_confirmed(device_1_1, surroundings, number):
    handled = device_mode.handle(DeviceModeInd(number), device_1_1.session(), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.RESERVED_VALUE)


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings):
    handled = device_mode.handle(DeviceModeInd(2), device.session(), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_VERSION)
