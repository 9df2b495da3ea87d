from __future__ import annotations

from bittern.lorawan.commands import DeviceTimeAns, DeviceTimeReq
from bittern.mac.commands import device_time
from bittern.types import Instant


def test_the_time_of_the_gateway_is_preferred(device, surroundings):
    heard = surroundings(gps_time_us=1_384_035_218_750_000)
    handled = device_time.handle(DeviceTimeReq(), device.session(), heard)
    assert handled.answers == (DeviceTimeAns(seconds=1_384_035_218, fraction=192),)


def test_without_it_the_servers_clock_counts_with_leap_seconds(device, surroundings):
    # 2023-11-14T22:13:20.5Z is 1384035200.5 s after 1980-01-06, and 18 leap seconds.
    heard = surroundings(received_at=Instant(1_700_000_000.5))
    handled = device_time.handle(DeviceTimeReq(), device.session(), heard)
    assert handled.answers == (DeviceTimeAns(seconds=1_384_035_218, fraction=128),)


def test_the_session_is_left_as_it_is(device, surroundings):
    session = device.session()
    assert device_time.handle(DeviceTimeReq(), session, surroundings()).session is session
