"""CN779-787 of RP002-1.0.4, 2.6, typed a second time."""

from __future__ import annotations

from typing import Any

from bittern.lorawan.regions.cn779 import CN779

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
    assert told.data_rates(CN779) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(CN779) == RX1.strip()


def test_powers(told: Any) -> None:
    assert told.powers(CN779) == [12.15, 10.15, 8.15, 6.15, 4.15, 2.15]


def test_rx2() -> None:
    assert (CN779.rx2_frequency_hz, CN779.rx2_data_rate) == (786_000_000, 0)


def test_channels() -> None:
    assert CN779.join_channels == (
        (779_500_000, 0, 5),
        (779_700_000, 0, 5),
        (779_900_000, 0, 5),
    )
    frequencies = [channel.frequency_hz for channel in CN779.uplink_channels()]
    assert frequencies == [779_500_000 + 200_000 * n for n in range(8)]
    assert CN779.frequency_range_hz == (779_000_000, 787_000_000)


def test_a_hundredth_of_the_time_may_be_spent_sending() -> None:
    band = CN779.duty_cycle_band(786_000_000)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (0.01, 12.15)


def test_class_b_stays_on_one_frequency() -> None:
    class_b = CN779.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (3, 3)
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == (785_000_000,)
    assert class_b.beacon_layout == (2, 8, 17)


def test_station_has_no_name_for_it_and_is_told_the_power() -> None:
    assert CN779.station_region == "IL915"
    assert CN779.station_max_eirp_dbm == 12.15
