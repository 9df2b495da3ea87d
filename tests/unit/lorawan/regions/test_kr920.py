"""KR920-923 of RP002-1.0.4, 2.11, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regions.kr920 import KR920

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
    assert told.data_rates(KR920) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(KR920) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(KR920) == [14, 12, 10, 8, 6, 4, 2, 0]


def test_rx2() -> None:
    assert (KR920.rx2_frequency_hz, KR920.rx2_data_rate) == (921_900_000, 0)


def test_channels() -> None:
    assert KR920.join_channels == (
        (922_100_000, 0, 5),
        (922_300_000, 0, 5),
        (922_500_000, 0, 5),
    )
    frequencies = [channel.frequency_hz for channel in KR920.uplink_channels()]
    assert frequencies == [922_100_000 + 200_000 * n for n in range(7)]
    assert KR920.frequency_range_hz == (920_900_000, 923_300_000)


@pytest.mark.parametrize(("frequency_hz", "max_eirp_dbm"), [(921_900_000, 10), (922_100_000, 14)])
def test_devices_whisper_below_922_mhz(frequency_hz: int, max_eirp_dbm: float) -> None:
    band = KR920.duty_cycle_band(frequency_hz)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (1, max_eirp_dbm)


def test_class_b_stays_on_one_frequency() -> None:
    class_b = KR920.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (3, 3)
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == (923_100_000,)
    assert class_b.beacon_layout == (2, 8, 17)


def test_station_is_not_told_to_listen_before_it_talks() -> None:
    assert KR920.station_region == "IL915"
    assert "KR920" in KR920.listen_before_talk
    assert len(KR920.station_upchannels()) == 7
