"""Against the text of RP002-1.0.4, 2.10."""

from __future__ import annotations

import pytest

from bittern.simulator.regions import AS923_1, AS923_2, AS923_3, AS923_4, DeviceRegion


@pytest.mark.parametrize(
    ("region", "offset_mhz"),
    [(AS923_1, 0.0), (AS923_2, -1.8), (AS923_3, -6.6), (AS923_4, -5.9)],
    ids=["1", "2", "3", "4"],
)
def test_groups_differ_by_their_frequency_offset(region: DeviceRegion, offset_mhz: float) -> None:
    offset_hz = round(offset_mhz * 1e6)
    frequencies_hz = [channel.frequency_hz - offset_hz for channel in region.default_channels]
    assert frequencies_hz == [923_200_000, 923_400_000]
    assert region.rx2_frequency_hz - offset_hz == 923_200_000
    assert region.ping_slot_frequencies == (923_400_000 + offset_hz,)


def test_rx1_is_never_slower_than_dr2_under_dwell_time() -> None:
    for data_rate in range(8):
        for offset in range(8):
            free = AS923_1.rx1_data_rate(data_rate, offset)
            limited = AS923_1.rx1_data_rate(data_rate, offset, downlink_dwell=True)
            assert limited == max(free, 2)


def test_offsets_6_and_7_go_up_to_dr7() -> None:
    assert [AS923_1.rx1_data_rate(data_rate, 6) for data_rate in range(8)] == [
        *(1, 2, 3, 4, 5, 6, 7, 7)
    ]
    assert [AS923_1.rx1_data_rate(data_rate, 7) for data_rate in range(8)] == [
        *(2, 3, 4, 5, 6, 7, 7, 7)
    ]


def test_nothing_slower_than_dr2_is_sent_under_dwell_time() -> None:
    sizes = [AS923_1.largest_uplink(data_rate, dwell=True) for data_rate in range(8)]
    assert sizes == [0, 0, 19, 61, 133, 250, 250, 250]
