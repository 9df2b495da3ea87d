"""The four plans of CN470-510 of RP002-1.0.4, 2.9, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regions.cn470 import CN470, CN470_20B, CN470_26A, CN470_26B
from bittern.lorawan.regions.plan import FixedPlan

PLANS = (CN470, CN470_20B, CN470_26A, CN470_26B)
every_plan = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)

DATA_RATES = """
0 both SF12/125 0 0
1 both SF11/125 23 23
2 both SF10/125 86 86
3 both SF9/125 184 184
4 both SF8/125 242 222
5 both SF7/125 242 222
6 both SF7/500 242 222
7 both FSK/50000 242 222
"""
RX1 = """
0 0 0 0 0 0 0
1 1 1 1 1 1 1
2 2 1 1 1 1 1
3 3 2 1 1 1 1
4 4 3 2 1 1 1
5 5 4 3 2 1 1
6 6 5 4 3 2 1
7 7 6 5 4 3 2
"""
JOIN_CHANNELS = """
0  CN470     470.9 484.5 485.3
1  CN470     472.5 486.1 486.9
2  CN470     474.1 487.7 488.5
3  CN470     475.7 489.3 490.1
4  CN470     504.1 490.9 491.7
5  CN470     505.7 492.5 493.3
6  CN470     507.3 494.1 494.9
7  CN470     508.9 495.7 496.5
8  CN470-20B 479.9 479.9 478.3
9  CN470-20B 499.9 499.9 498.3
10 CN470-26A 470.3 492.5 492.5
11 CN470-26A 472.3 492.5 492.5
12 CN470-26A 474.3 492.5 492.5
13 CN470-26A 476.3 492.5 492.5
14 CN470-26A 478.3 492.5 492.5
15 CN470-26B 480.3 502.5 502.5
16 CN470-26B 482.3 502.5 502.5
17 CN470-26B 484.3 502.5 502.5
18 CN470-26B 486.3 502.5 502.5
19 CN470-26B 488.3 502.5 502.5
"""
"""Common join channel, its plan, MHz of the uplink, of RX1 and of RX2."""


def hz(mhz: str) -> int:
    return round(float(mhz) * 1_000_000)


@every_plan
def test_data_rates_and_payload_sizes(told: Any, plan: FixedPlan) -> None:
    assert told.data_rates(plan) == DATA_RATES.strip()


@every_plan
def test_rx1_data_rates(told: Any, plan: FixedPlan) -> None:
    assert told.rx1(plan) == RX1.strip()


@every_plan
def test_powers(told: Any, plan: FixedPlan) -> None:
    assert told.powers(plan) == [19.15, 17.15, 15.15, 13.15, 11.15, 9.15, 7.15, 5.15]


@pytest.mark.parametrize("line", JOIN_CHANNELS.strip().splitlines())
def test_the_channel_of_the_join_decides_the_windows(line: str) -> None:
    _, name, uplink, rx1, rx2 = line.split()
    plan = next(plan for plan in PLANS if plan.name == name)
    joined = plan.joined_on(hz(uplink))
    assert joined is not None
    assert (joined.rx1_frequency_hz, joined.rx2_frequency_hz) == (hz(rx1), hz(rx2))


def test_there_are_twenty_join_channels_in_this_order() -> None:
    found = [channel.frequency_hz for plan in PLANS for channel in plan.join_channels]
    assert found == [hz(line.split()[2]) for line in JOIN_CHANNELS.strip().splitlines()]


@every_plan
def test_nobody_joins_elsewhere(plan: FixedPlan) -> None:
    joining = {channel.frequency_hz for channel in plan.join_channels}
    for channel in plan.uplink_channels():
        assert (plan.joined_on(channel.frequency_hz) is None) == (
            channel.frequency_hz not in joining
        )


@pytest.mark.parametrize(
    ("plan", "rx2_hz"),
    [
        (CN470, 486_900_000),
        (CN470_20B, 498_300_000),
        (CN470_26A, 492_500_000),
        (CN470_26B, 502_500_000),
    ],
)
def test_rx2_of_devices_that_did_not_join(plan: FixedPlan, rx2_hz: int) -> None:
    assert (plan.rx2_frequency_hz, plan.rx2_data_rate) == (rx2_hz, 1)


@pytest.mark.parametrize(
    ("plan", "index", "uplink_hz", "downlink_hz"),
    [
        (CN470, 0, 470_300_000, 483_900_000),
        (CN470, 31, 476_500_000, 490_100_000),
        (CN470, 32, 503_500_000, 490_300_000),
        (CN470, 63, 509_700_000, 496_500_000),
        (CN470_20B, 0, 476_900_000, 476_900_000),
        (CN470_20B, 31, 483_100_000, 483_100_000),
        (CN470_20B, 32, 496_900_000, 496_900_000),
        (CN470_20B, 63, 503_100_000, 503_100_000),
        (CN470_26A, 0, 470_300_000, 490_100_000),
        (CN470_26A, 23, 474_900_000, 494_700_000),
        (CN470_26A, 24, 475_100_000, 490_100_000),
        (CN470_26A, 47, 479_700_000, 494_700_000),
        (CN470_26B, 0, 480_300_000, 500_100_000),
        (CN470_26B, 24, 485_100_000, 500_100_000),
        (CN470_26B, 47, 489_700_000, 504_700_000),
    ],
)
def test_rx1_frequency(plan: FixedPlan, index: int, uplink_hz: int, downlink_hz: int) -> None:
    assert plan.channels[index] == (uplink_hz, 1, 5)
    assert plan.rx1_frequency(uplink_hz) == downlink_hz


def test_numbers_of_channels() -> None:
    assert [len(plan.channels) for plan in PLANS] == [64, 64, 48, 48]
    assert [plan.sub_band_count for plan in PLANS] == [8, 8, 6, 6]


def test_masks_for_20_mhz_say_all_by_6_and_none_by_7() -> None:
    assert CN470.channel_masks(range(64)) == [(6, 0)]
    assert CN470.channel_masks(range(8, 16)) == [(7, 0), (0, 0xFF00)]


def test_masks_for_26_mhz_say_all_by_3_and_none_by_4() -> None:
    assert CN470_26B.channel_masks(range(48)) == [(3, 0)]
    assert CN470_26B.channel_masks(range(40, 48)) == [(4, 0), (2, 0xFF00)]


def test_class_b_of_20_mhz_plan_a_hops_through_the_group_of_the_join() -> None:
    joined = CN470.joined_on(504_100_000)
    assert joined is not None
    frequencies = tuple(490_300_000 + 200_000 * n for n in range(8))
    assert joined.class_b.beacon_frequencies_hz == frequencies
    assert joined.class_b.ping_slot_frequencies_hz == frequencies


@pytest.mark.parametrize(
    ("join_hz", "beacon_hz", "first_ping_slot_hz"),
    [(479_900_000, 481_500_000, 476_900_000), (499_900_000, 501_500_000, 496_900_000)],
)
def test_class_b_of_20_mhz_plan_b(join_hz: int, beacon_hz: int, first_ping_slot_hz: int) -> None:
    joined = CN470_20B.joined_on(join_hz)
    assert joined is not None
    assert joined.class_b.beacon_frequencies_hz == (beacon_hz,)
    assert joined.class_b.ping_slot_frequencies_hz == tuple(
        first_ping_slot_hz + 200_000 * n for n in range(32)
    )


@pytest.mark.parametrize(
    ("plan", "frequency_hz"), [(CN470_26A, 494_900_000), (CN470_26B, 504_900_000)]
)
def test_class_b_for_26_mhz_stays_on_one_frequency(plan: FixedPlan, frequency_hz: int) -> None:
    class_b = plan.class_b
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == (frequency_hz,)
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (2, 2)
    assert class_b.beacon_layout == (3, 9, 19)


@every_plan
def test_station_has_no_name_for_it(told: Any, plan: FixedPlan) -> None:
    assert plan.station_region == "IL915"
    assert plan.frequency_range_hz == (470_000_000, 510_000_000)
    assert told.station(plan).startswith("12/125/0 11/125/0 10/125/0 9/125/0 8/125/0 7/125/0 7/5")
    assert [channel[1:] for channel in plan.station_upchannels((2,))] == [(1, 5)] * 8
