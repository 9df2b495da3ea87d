from __future__ import annotations

from bittern.lorawan.commands import DeviceTimeAns, DeviceTimeReq
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import device_time
from bittern.mac.commands.notices import CommandProblem
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


def test_a_device_of_an_older_version_gets_its_answer_and_is_told_of(make_device, surroundings):
    for version, problem in (
        (MacVersion.LORAWAN_1_0_2, CommandProblem.OTHER_VERSION),
        (MacVersion.LORAWAN_1_0_3, None),
    ):
        handled = device_time.handle(
            DeviceTimeReq(), make_device(version).session(), surroundings()
        )
        assert len(handled.answers) == 1
        assert handled.problem is problem
