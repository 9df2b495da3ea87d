from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import (
    DeviceTimeAns,
    DevStatusAns,
    LinkCheckAns,
    RekeyConf,
    RekeyInd,
    ResetConf,
    parse_downlink_commands,
)
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands.dispatch import obey
from bittern.mac.commands.notices import CommandProblem, Ignored
from bittern.mac.downlink import compose
from bittern.mac.session import Request
from bittern.mac.uplink import Retransmission
from bittern.mac.windows import windows


def test_every_request_is_answered_in_its_order(device_1_1, hear, surroundings):
    session = device_1_1.session(generation=1, pending=True)
    heard = hear(device_1_1.uplink(0, fopts=b"\x0b\x01\x02\x0d"), session)
    answered = obey(heard, surroundings())
    kinds = [type(answer) for answer in answered.answers]
    assert kinds == [RekeyConf, LinkCheckAns, DeviceTimeAns]
    assert answered.notices == ()
    assert answered.session == heard.after


def test_a_retransmission_is_answered_again(device, hear, surroundings):
    phy_payload = device.uplink(3, fopts=b"\x02")
    again = hear(phy_payload, hear(phy_payload, device.session()).after)
    assert isinstance(again, Retransmission)
    assert [type(answer) for answer in obey(again, surroundings()).answers] == [LinkCheckAns]


def test_a_reset_that_came_twice_resets_once(device_1_1, hear, surroundings):
    """The device may have heard the first answer, and what it was asked for there."""
    phy_payload = device_1_1.uplink(0, fopts=b"\x01\x01")
    first = hear(phy_payload, device_1_1.session())
    asked = (Request(b"\x04\x01", 0),)
    again = hear(phy_payload, msgspec.structs.replace(first.after, requests=asked))
    answered = obey(again, surroundings())
    assert answered.answers == (ResetConf(1),)
    assert answered.session.requests == asked


def test_the_session_of_the_answers_keeps_the_revision(device_1_1, hear, surroundings, want):
    session = device_1_1.session(revision=4)
    heard = hear(device_1_1.uplink(0, fopts=b"\x01\x01"), session)
    made_with = want(rx1_delay_s=3)
    answered = obey(heard, surroundings(wanted=made_with))
    assert answered.answers == (ResetConf(1),)
    assert answered.session.radio == made_with.initial_radio
    assert answered.session.revision == heard.after.revision == 5


def test_an_answer_that_nobody_asked_for_is_told(device, hear, surroundings):
    heard = hear(device.uplink(0, fopts=b"\x06\xff\x0a\x02"), device.session())
    answered = obey(heard, surroundings())
    assert answered.notices == (Ignored(str(DevStatusAns(255, 10)), CommandProblem.NOT_ASKED),)
    assert [type(answer) for answer in answered.answers] == [LinkCheckAns]


def test_a_command_of_another_version_is_told(device, hear, surroundings):
    heard = hear(device.uplink(0, fopts=b"\x0b\x01"), device.session(generation=1))
    (ignored,) = obey(heard, surroundings()).notices
    assert ignored == Ignored(str(RekeyInd(1)), CommandProblem.OTHER_VERSION)


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1])
def test_the_device_reads_the_answers(make_device, hear, surroundings, version):
    device = make_device(version)
    answered = obey(hear(device.uplink(0, fopts=b"\x02\x0d"), device.session()), surroundings())
    down = compose(
        answered.session,
        windows=windows(answered.session, device.plan, 5, 868_100_000),
        commands=answered.answers,
    )
    frame = device.read(down.phy_payload, 0)
    assert parse_downlink_commands(frame.fopts) == list(answered.answers)


def test_an_uplink_without_commands_changes_nothing(device, hear, surroundings):
    heard = hear(device.uplink(0), device.session())
    answered = obey(heard, surroundings())
    assert answered.session is heard.after
    assert answered.answers == ()
