"""AS923-1 to AS923-4 of RP002-1.0.4, 2.10, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from bittern.lorawan.regions.plan import DynamicPlan

GROUPS = (AS923_1, AS923_2, AS923_3, AS923_4)
every_group = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)

DATA_RATES = """
0 both SF12/125 51 51
1 both SF11/125 51 51
2 both SF10/125 115 115
3 both SF9/125 115 115
4 both SF8/125 242 222
5 both SF7/125 242 222
6 both SF7/250 242 222
7 both FSK/50000 242 222
"""
DATA_RATES_DWELL = """
0 both SF12/125 0 0
1 both SF11/125 0 0
2 both SF10/125 11 11
3 both SF9/125 53 53
4 both SF8/125 125 125
5 both SF7/125 242 222
6 both SF7/250 242 222
7 both FSK/50000 242 222
"""
RX1 = """
0 0 0 0 0 0 0 1 2
1 1 0 0 0 0 0 2 3
2 2 1 0 0 0 0 3 4
3 3 2 1 0 0 0 4 5
4 4 3 2 1 0 0 5 6
5 5 4 3 2 1 0 6 7
6 6 5 4 3 2 1 7 7
7 7 6 5 4 3 2 7 7
"""
RX1_DWELL = """
0 2 2 2 2 2 2 2 2
1 2 2 2 2 2 2 2 3
2 2 2 2 2 2 2 3 4
3 3 2 2 2 2 2 4 5
4 4 3 2 2 2 2 5 6
5 5 4 3 2 2 2 6 7
6 6 5 4 3 2 2 7 7
7 7 6 5 4 3 2 7 7
"""


@every_group
def test_data_rates_and_payload_sizes(told: Any, group: DynamicPlan) -> None:
    assert told.data_rates(group) == DATA_RATES.strip()
    assert told.data_rates(group, dwell=True) == DATA_RATES_DWELL.strip()


@every_group
def test_rx1_data_rates(told: Any, group: DynamicPlan) -> None:
    assert told.rx1(group) == RX1.strip()
    assert told.rx1(group, dwell=True) == RX1_DWELL.strip()


@every_group
def test_powers(told: Any, group: DynamicPlan) -> None:
    assert told.powers(group) == [16, 14, 12, 10, 8, 6, 4, 2]


@every_group
def test_devices_take_tx_param_setup_and_limit_uplinks_before_it(group: DynamicPlan) -> None:
    assert group.has_tx_param_setup
    assert (group.boot_uplink_dwell, group.boot_downlink_dwell) == (True, False)


@pytest.mark.parametrize(
    ("group", "join_hz", "rx2_hz", "beacon_hz", "range_mhz"),
    [
        (AS923_1, (923_200_000, 923_400_000), 923_200_000, 923_400_000, (915, 928)),
        (AS923_2, (921_400_000, 921_600_000), 921_400_000, 921_600_000, (920, 923)),
        (AS923_3, (916_600_000, 916_800_000), 916_600_000, 916_800_000, (915, 921)),
        (AS923_4, (917_300_000, 917_500_000), 917_300_000, 917_500_000, (917, 920)),
    ],
    ids=lambda value: value.name if isinstance(value, DynamicPlan) else "",
)
def test_frequencies_of_each_group(
    group: DynamicPlan,
    join_hz: tuple[int, int],
    rx2_hz: int,
    beacon_hz: int,
    range_mhz: tuple[int, int],
) -> None:
    assert group.join_channels == tuple((frequency_hz, 0, 5) for frequency_hz in join_hz)
    assert (group.rx2_frequency_hz, group.rx2_data_rate) == (rx2_hz, 2)
    assert group.class_b.beacon_frequencies_hz == (beacon_hz,)
    assert group.class_b.ping_slot_frequencies_hz == (beacon_hz,)
    assert (group.class_b.beacon_data_rate, group.class_b.ping_slot_data_rate) == (3, 3)
    assert tuple(hz // 1_000_000 for hz in group.frequency_range_hz) == range_mhz


@every_group
def test_a_hundredth_of_the_time_may_be_spent_sending(group: DynamicPlan) -> None:
    band = group.duty_cycle_band(group.rx2_frequency_hz)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (0.01, 16)


@every_group
def test_station_is_not_told_to_listen_before_it_talks(told: Any, group: DynamicPlan) -> None:
    assert group.station_region == "IL915"
    assert told.station(group).startswith("12/125/0 11/125/0 10/125/0 9/125/0 8/125/0 7/125/0 7/2")
    assert len(group.station_upchannels()) == 9


def test_japan_is_named_where_listening_is_asked_for() -> None:
    assert "Japan" in AS923_1.listen_before_talk
    assert [group.listen_before_talk for group in GROUPS[1:]] == ["", "", ""]
