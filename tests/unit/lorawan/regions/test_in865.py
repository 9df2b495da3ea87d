"""IN865-867 of RP002-1.0.4, 2.12, typed a second time."""

from __future__ import annotations

from typing import Any

from bittern.lorawan.regions.in865 import IN865

DATA_RATES = """
0 both SF12/125 51 51
1 both SF11/125 51 51
2 both SF10/125 51 51
3 both SF9/125 115 115
4 both SF8/125 242 222
5 both SF7/125 242 222
7 both FSK/50000 242 222
"""
RX1 = """
0 0 0 0 0 0 0 1 2
1 1 0 0 0 0 0 2 3
2 2 1 0 0 0 0 3 4
3 3 2 1 0 0 0 4 5
4 4 3 2 1 0 0 5 5
5 5 4 3 2 1 0 5 7
7 7 5 5 4 3 2 7 7
"""


def test_data_rates_and_payload_sizes(told: Any) -> None:
    assert told.data_rates(IN865) == DATA_RATES.strip()


def test_rx1_data_rates(told: Any) -> None:
    assert told.rx1(IN865) == RX1.strip()
    assert IN865.max_rx1_dr_offset == 7


def test_powers(told: Any) -> None:
    assert told.powers(IN865) == [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10]


def test_rx2() -> None:
    assert (IN865.rx2_frequency_hz, IN865.rx2_data_rate) == (866_550_000, 2)


def test_channels() -> None:
    assert IN865.join_channels == (
        (865_062_500, 0, 5),
        (865_402_500, 0, 5),
        (865_985_000, 0, 5),
    )
    assert IN865.frequency_range_hz == (865_000_000, 867_000_000)
    assert IN865.duty_cycle_bands == ()


def test_class_b_is_on_the_frequency_of_rx2() -> None:
    class_b = IN865.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (4, 4)
    assert class_b.beacon_frequencies_hz == class_b.ping_slot_frequencies_hz == (866_550_000,)
    assert class_b.beacon_layout == (1, 7, 19)


def test_station_is_told_of_no_sixth_data_rate(told: Any) -> None:
    assert IN865.station_region == "AU915"
    undefined = " ".join(["-1/0/0"] * 8)
    assert told.station(IN865) == (
        "12/125/0 11/125/0 10/125/0 9/125/0 8/125/0 7/125/0 -1/0/0 0/0/0 " + undefined
    )
