"""AU915-928 of RP002-1.0.4, 2.8, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regions.au915 import AU915

DATA_RATES = """
0 up SF12/125 51 51
1 up SF11/125 51 51
2 up SF10/125 51 51
3 up SF9/125 115 115
4 up SF8/125 242 222
5 up SF7/125 242 222
6 up SF8/500 242 222
7 up LR-FHSS/1523/1/3/162 50 50
8 down SF12/500 53 53
9 down SF11/500 129 129
10 down SF10/500 242 222
11 down SF9/500 242 222
12 down SF8/500 242 222
13 down SF7/500 242 222
"""
DATA_RATES_DWELL = """
0 up SF12/125 0 0
1 up SF11/125 0 0
2 up SF10/125 11 11
3 up SF9/125 53 53
4 up SF8/125 125 125
5 up SF7/125 242 222
6 up SF8/500 242 222
7 up LR-FHSS/1523/1/3/162 50 50
8 down SF12/500 53 53
9 down SF11/500 129 129
10 down SF10/500 242 222
11 down SF9/500 242 222
12 down SF8/500 242 222
13 down SF7/500 242 222
"""
RX1 = """
0 8 8 8 8 8 8
1 9 8 8 8 8 8
2 10 9 8 8 8 8
3 11 10 9 8 8 8
4 12 11 10 9 8 8
5 13 12 11 10 9 8
6 13 13 12 11 10 9
7 9 8 8 8 8 8
"""


def test_data_rates_and_payload_sizes(told: Any) -> None:
    assert told.data_rates(AU915) == DATA_RATES.strip()
    assert told.data_rates(AU915, dwell=True) == DATA_RATES_DWELL.strip()


def test_rx1_data_rates_are_the_same_under_any_dwell_time(told: Any) -> None:
    assert told.rx1(AU915) == told.rx1(AU915, dwell=True) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(AU915) == [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2]


def test_devices_take_tx_param_setup_and_limit_uplinks_before_it() -> None:
    assert AU915.has_tx_param_setup
    assert (AU915.boot_uplink_dwell, AU915.boot_downlink_dwell) == (True, False)


def test_channels() -> None:
    channels = AU915.uplink_channels()
    assert len(channels) == 72
    assert channels[0] == (915_200_000, 0, 5)
    assert channels[63] == (927_800_000, 0, 5)
    assert channels[64] == (915_900_000, 6, 7)
    assert channels[71] == (927_100_000, 6, 7)
    assert AU915.join_channels == channels
    assert AU915.max_adr_data_rate == 5


@pytest.mark.parametrize(
    ("uplink_hz", "downlink_hz"),
    [
        (915_200_000, 923_300_000),
        (915_400_000, 923_900_000),
        (916_800_000, 923_300_000),
        (927_800_000, 927_500_000),
        (915_900_000, 923_300_000),
        (917_500_000, 923_900_000),
        (927_100_000, 927_500_000),
    ],
)
def test_rx1_is_on_the_channel_modulo_eight(uplink_hz: int, downlink_hz: int) -> None:
    assert AU915.rx1_frequency(uplink_hz) == downlink_hz


def test_rx2() -> None:
    assert (AU915.rx2_frequency_hz, AU915.rx2_data_rate) == (923_300_000, 8)


def test_masks_of_the_second_sub_band() -> None:
    indices = AU915.enabled_indices((2,))
    assert indices == (*range(8, 16), 65)
    assert AU915.channel_masks(indices) == [(7, 0x0002), (0, 0xFF00)]
    assert AU915.cf_list((2,)) == bytes.fromhex("00ff" + "0000" * 3 + "0200" + "0000" * 2 + "0001")


def test_class_b_hops_through_eight_frequencies() -> None:
    class_b = AU915.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (8, 8)
    frequencies = tuple(923_300_000 + 600_000 * n for n in range(8))
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == frequencies
    assert class_b.beacon_layout == (5, 11, 23)


def test_station_is_told_what_it_can_hear(told: Any) -> None:
    """As a genuine Basics Station took it."""
    assert AU915.station_region == "AU915"
    assert AU915.frequency_range_hz == (915_000_000, 928_000_000)
    assert told.station(AU915) == (
        "12/125/0 11/125/0 10/125/0 9/125/0 8/125/0 7/125/0 8/500/0 -1/0/0"
        " 12/500/1 11/500/1 10/500/1 9/500/1 8/500/1 7/500/1 -1/0/0 -1/0/0"
    )
    upchannels = AU915.station_upchannels((2,))
    assert upchannels[:8] == [(916_800_000 + 200_000 * n, 0, 5) for n in range(8)]
    assert upchannels[8:] == [(917_500_000, 6, 6)]


def test_there_is_no_duty_cycle() -> None:
    assert AU915.duty_cycle_bands == ()
