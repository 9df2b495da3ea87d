"""CN470-510 of LoRaWAN 1.0.3 Regional Parameters revision A, 2.7, typed a second time."""

from __future__ import annotations

from typing import Any

from bittern.lorawan.regions.cn470_96 import CN470_96

DATA_RATES = """
0 both SF12/125 51 51
1 both SF11/125 51 51
2 both SF10/125 51 51
3 both SF9/125 115 115
4 both SF8/125 242 222
5 both SF7/125 242 222
"""
RX1 = """
0 0 0 0 0 0 0
1 1 0 0 0 0 0
2 2 1 0 0 0 0
3 3 2 1 0 0 0
4 4 3 2 1 0 0
5 5 4 3 2 1 0
"""


def test_data_rates_and_payload_sizes(told: Any) -> None:
    assert told.data_rates(CN470_96) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(CN470_96) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(CN470_96) == [19.15, 17.15, 15.15, 13.15, 11.15, 9.15, 7.15, 5.15]


def test_channels() -> None:
    channels = CN470_96.uplink_channels()
    assert len(channels) == 96
    assert channels[0] == (470_300_000, 0, 5)
    assert channels[95] == (489_300_000, 0, 5)
    assert CN470_96.join_channels == channels
    assert CN470_96.enabled_indices((11,)) == tuple(range(80, 88))


def test_windows() -> None:
    assert (CN470_96.rx2_frequency_hz, CN470_96.rx2_data_rate) == (505_300_000, 0)
    assert CN470_96.rx1_frequency(470_300_000) == 500_300_000
    assert CN470_96.rx1_frequency(486_300_000) == 506_700_000
    assert CN470_96.rx1_frequency(489_300_000) == 509_700_000
    joined = CN470_96.joined_on(486_300_000)
    assert joined is not None
    assert (joined.rx1_frequency_hz, joined.rx2_frequency_hz) == (506_700_000, 505_300_000)


def test_masks_have_no_word_for_none() -> None:
    assert CN470_96.channel_masks(range(96)) == [(6, 0)]
    assert CN470_96.channel_masks(range(80, 88))[-1] == (5, 0x00FF)


def test_class_b_hops_through_the_last_eight() -> None:
    assert CN470_96.class_b.beacon_frequency_hz(0) == 508_300_000
    assert CN470_96.class_b.beacon_frequency_hz(128 * 7) == 509_700_000
    assert CN470_96.class_b.beacon_data_rate == 2


def test_station_has_no_name_for_it(told: Any) -> None:
    assert CN470_96.station_region == "IL915"
    assert CN470_96.frequency_range_hz == (470_000_000, 510_000_000)
    assert told.station(CN470_96).startswith("12/125/0 11/125/0 10/125/0 9/125/0 8/125/0 7/125/0 -")
    heard = CN470_96.station_upchannels((2,))
    assert heard == [(471_900_000 + 200_000 * n, 0, 5) for n in range(8)]
