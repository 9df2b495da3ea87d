from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import RXTimingSetupReq
from bittern.mac.commands.dispatch import obey
from bittern.mac.commands.notices import CommandProblem, Declined, Ignored
from bittern.mac.session import Request


@pytest.mark.parametrize("problem", CommandProblem)
def test_a_problem_is_a_metric_label(problem):
    assert problem.value.isascii()
    assert problem.value.replace("_", "").isalpha()
    assert problem.value == problem.value.lower()
    assert f"{problem}" == problem.value


def test_an_unknown_command_is_named_unreadable(device, hear, surroundings):
    heard = hear(device.uplink(0, fopts=b"\x7f"), device.session())
    (notice,) = obey(heard, surroundings()).notices
    assert isinstance(notice, Ignored)
    assert notice.problem is CommandProblem.UNREADABLE
    assert notice.command == heard.command_problem


def test_a_declined_request_is_told_with_its_answer(device, hear, surroundings):
    # RXParamSetupReq of DR3 and 869.525 MHz; the answer lacks the acknowledgement of the channel.
    session = device.session(requests=(Request(bytes.fromhex("0503d2ad84"), 0),), fcnt_up=0)
    heard = hear(device.uplink(1, fopts=b"\x05\x06"), session)
    (notice,) = obey(heard, surroundings()).notices
    assert isinstance(notice, Declined)
    assert notice.request.startswith("RXParamSetupReq")
    assert notice.answer.startswith("RXParamSetupAns")


def test_an_accepted_request_is_no_notice(device, hear, surroundings):
    request = Request(bytes((RXTimingSetupReq.CID, 3)), 0)
    session = device.session(requests=(request,), fcnt_up=0)
    assert obey(hear(device.uplink(1, fopts=b"\x08"), session), surroundings()).notices == ()


def test_a_notice_is_a_value():
    notice = Declined("request", "answer")
    assert {notice, Declined("request", "answer")} == {notice}
    assert msgspec.to_builtins(notice) == {"request": "request", "answer": "answer"}
