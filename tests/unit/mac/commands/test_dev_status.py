from __future__ import annotations

import pytest

from bittern.lorawan.commands import DevStatusAns, DevStatusReq
from bittern.mac.commands import dev_status
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.session import DeviceStatus
from bittern.types import Instant

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("a_day", "after_s", "is_due"),
    [(24, 3599, False), (24, 3600, True), (1, 86_399, False), (1, 86_400, True), (0, 1e9, False)],
)
def test_it_is_asked_for_as_often_as_the_profile_says(
    device, surroundings, want, a_day, after_s, is_due
):
    heard = surroundings(
        wanted=want(policy={"dev_status_req_freq": a_day}), received_at=Instant(NOW + after_s)
    )
    activated = device.session(activated_at=Instant(NOW))
    told = device.session(activated_at=Instant(0.0), status=DeviceStatus(200, 10, Instant(NOW)))
    assert dev_status.needs(activated, heard) is is_due
    assert dev_status.needs(told, heard) is is_due


def test_what_the_device_tells_is_kept(device, surroundings, asked):
    heard = surroundings()
    assert dev_status.enqueue(device.session(), heard) == [(DevStatusReq(),)]
    session = asked(device.session(), DevStatusReq())
    handled = dev_status.handle(DevStatusAns(254, -7), session, heard)
    assert handled.session.status == DeviceStatus(254, -7, heard.received_at)
    assert handled.session.requests == ()


def test_what_it_tells_unasked_is_not_kept(device, surroundings):
    handled = dev_status.handle(DevStatusAns(254, -7), device.session(), surroundings())
    assert handled.problem is CommandProblem.NOT_ASKED
    assert handled.session.status is None
