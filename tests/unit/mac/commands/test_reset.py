from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import ResetConf, ResetInd
from bittern.mac.commands import reset
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.session import RefusedRequest, Request


@pytest.mark.parametrize("minor", [1, 2, 15])
def test_the_highest_version_that_both_speak_is_confirmed(device_1_1, surroundings, minor):
    handled = reset.handle(ResetInd(minor), device_1_1.session(), surroundings())
    assert handled.answers == (ResetConf(1),)


def test_the_radio_is_believed_to_be_as_it_was_made_and_counters_go_on(
    device_1_1, surroundings, want
):
    initial = device_1_1.session().radio
    session = device_1_1.session(
        radio=msgspec.structs.replace(initial, rx1_delay_s=7),
        fcnt_up=70,
        nfcnt_down=7,
        afcnt_down=8,
        revision=3,
    )
    made_with = want(rx1_dr_offset=2)
    handled = reset.handle(ResetInd(1), session, surroundings(wanted=made_with))
    assert handled.session == msgspec.structs.replace(session, radio=made_with.initial_radio)


def test_what_was_asked_refused_and_measured_before_is_forgotten(device_1_1, surroundings):
    session = device_1_1.session(
        requests=(Request(b"\x04\x01", 3),),
        refused=(RefusedRequest(b"\x04\x02", 0),),
        uplink_history=b"\0\0",
        device_class="C",
    )
    after = reset.handle(ResetInd(1), session, surroundings()).session
    assert (after.requests, after.refused, after.uplink_history) == ((), (), b"")
    assert after.device_class == "A"


def test_a_reserved_version_is_not_confirmed(device_1_1, surroundings):
    handled = reset.handle(ResetInd(0), device_1_1.session(), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.RESERVED_VALUE)


def test_a_joined_device_does_not_reset(device_1_1, surroundings):
    session = device_1_1.session(generation=1)
    handled = reset.handle(ResetInd(1), session, surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_ACTIVATION)


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings):
    handled = reset.handle(ResetInd(1), device.session(), surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_VERSION)
