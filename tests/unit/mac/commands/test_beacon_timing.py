from __future__ import annotations

import pytest

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.commands import BeaconTimingReq
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import beacon_timing
from bittern.mac.commands.notices import CommandProblem

V1_0_2 = MacVersion.LORAWAN_1_0_2
BEACON_US = 128_000_000


@pytest.mark.parametrize("before_s", [3.0, 60.0, 127.9])
def test_the_beacon_comes_within_30_ms_after_the_delay(make_device, surroundings, want, before_s):
    """Counted from the end of the answer, which itself may end after the next beacon."""
    device = make_device(V1_0_2)
    gps_time_us = 10_000_000 * BEACON_US - round(before_s * 1e6)
    heard = surroundings(wanted=want(supports_class_b=True), gps_time_us=gps_time_us)
    handled = beacon_timing.handle(BeaconTimingReq(), device.session(), heard)
    (answer,) = handled.answers
    on_air_us = round(time_on_air_s(device.plan.data_rates[5], 16, crc=False) * 1e6)
    after_answer_us = gps_time_us + 1_000_000 + on_air_us + 30_000 * answer.delay
    assert 0 <= -after_answer_us % BEACON_US < 30_000
    assert answer.channel == 0


def test_the_channel_is_the_one_that_the_beacon_hops_to(make_device, surroundings, want):
    device = make_device(V1_0_2, plan=plan("US915"))
    gps_time_us = 12_345 * BEACON_US + 1_000_000
    heard = surroundings(
        wanted=want("US915", supports_class_b=True),
        gps_time_us=gps_time_us,
        data_rate=3,
        frequency_hz=902_300_000,
    )
    (answer,) = beacon_timing.handle(BeaconTimingReq(), device.session(), heard).answers
    class_b = device.plan.class_b
    expected_hz = class_b.beacon_frequency_hz(12_346 * 128)
    assert class_b.beacon_frequencies_hz[answer.channel] == expected_hz


def test_device_time_has_replaced_it(device, surroundings, want):
    heard = surroundings(wanted=want(supports_class_b=True))
    handled = beacon_timing.handle(BeaconTimingReq(), device.session(), heard)
    assert (handled.answers, handled.problem) == ((), CommandProblem.OTHER_VERSION)


def test_a_device_whose_profile_lacks_class_b_gets_no_answer(make_device, surroundings):
    session = make_device(V1_0_2).session()
    handled = beacon_timing.handle(BeaconTimingReq(), session, surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.CLASS_NOT_IN_PROFILE)
