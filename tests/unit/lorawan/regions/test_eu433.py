"""EU433 of RP002-1.0.4, 2.7, typed a second time."""

from __future__ import annotations

from typing import Any

from bittern.lorawan.regions.eu433 import EU433

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
    assert told.data_rates(EU433) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(EU433) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(EU433) == [12.15, 10.15, 8.15, 6.15, 4.15, 2.15]


def test_rx2() -> None:
    assert (EU433.rx2_frequency_hz, EU433.rx2_data_rate) == (434_665_000, 0)


def test_channels() -> None:
    assert EU433.join_channels == (
        (433_175_000, 0, 5),
        (433_375_000, 0, 5),
        (433_575_000, 0, 5),
    )
    frequencies = [channel.frequency_hz for channel in EU433.uplink_channels()]
    assert frequencies == [433_175_000 + 200_000 * n for n in range(8)]
    assert EU433.frequency_range_hz == (433_050_000, 434_790_000)


def test_a_hundredth_of_the_time_may_be_spent_sending() -> None:
    band = EU433.duty_cycle_band(434_665_000)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (0.01, 12.15)


def test_class_b_is_on_the_frequency_of_rx2() -> None:
    class_b = EU433.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (3, 3)
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == (434_665_000,)
    assert class_b.beacon_layout == (2, 8, 17)


def test_station_has_no_name_for_it_and_is_told_the_power() -> None:
    assert EU433.station_region == "IL915"
    assert EU433.station_max_eirp_dbm == 12.15
    assert EU433.station_upchannels()[8:] == [(433_375_000, 6, 6), (433_575_000, 7, 7)]
