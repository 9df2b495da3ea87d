"""RU864-870 of RP002-1.0.4, 2.13, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regions.ru864 import RU864

DATA_RATES = """
0 both SF12/125 51 51
1 both SF11/125 51 51
2 both SF10/125 51 51
3 both SF9/125 115 115
4 both SF8/125 242 222
5 both SF7/125 242 222
6 both SF7/250 242 222
7 both FSK/50000 242 222
"""
RX1 = """
0 0 0 0 0 0 0
1 1 0 0 0 0 0
2 2 1 0 0 0 0
3 3 2 1 0 0 0
4 4 3 2 1 0 0
5 5 4 3 2 1 0
6 6 5 4 3 2 1
7 7 6 5 4 3 2
"""


def test_data_rates_and_payload_sizes(told: Any) -> None:
    assert told.data_rates(RU864) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(RU864) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(RU864) == [16, 14, 12, 10, 8, 6, 4, 2]


def test_rx2() -> None:
    assert (RU864.rx2_frequency_hz, RU864.rx2_data_rate) == (869_100_000, 0)


def test_channels() -> None:
    assert RU864.join_channels == ((868_900_000, 0, 5), (869_100_000, 0, 5))
    assert RU864.frequency_range_hz == (864_000_000, 870_000_000)
    for channel in RU864.uplink_channels():
        assert RU864.duty_cycle_band(channel.frequency_hz) is not None


@pytest.mark.parametrize(
    ("frequency_hz", "duty_cycle", "max_eirp_dbm"),
    [
        (864_500_000, 0.001, 16.15),
        (866_100_000, 0.01, 16.15),
        (868_900_000, 0.1, 22.15),
        (869_100_000, 0.1, 22.15),
    ],
)
def test_duty_cycle(frequency_hz: int, duty_cycle: float, max_eirp_dbm: float) -> None:
    band = RU864.duty_cycle_band(frequency_hz)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (duty_cycle, max_eirp_dbm)


def test_beacons_and_ping_slots_are_on_the_two_default_channels() -> None:
    class_b = RU864.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (3, 3)
    assert class_b.beacon_frequencies_hz == (869_100_000,)
    assert class_b.ping_slot_frequencies_hz == (868_900_000,)
    assert class_b.beacon_layout == (2, 8, 17)


def test_station_has_no_name_for_it_and_that_of_europe_would_silence_it() -> None:
    assert RU864.station_region == "IL915"
