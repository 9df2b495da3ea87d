"""Against the text of RP002-1.0.4, 2.5 and 2.8."""

from __future__ import annotations

import pytest

from bittern.simulator.regions import AU915, US915, DeviceRegion


@pytest.mark.parametrize(
    ("region", "frequencies_hz"),
    [
        (US915, [902_300_000, 914_900_000, 903_000_000, 914_200_000]),
        (AU915, [915_200_000, 927_800_000, 915_900_000, 927_100_000]),
    ],
    ids=["US915", "AU915"],
)
def test_channels_are_64_narrow_and_8_wide(region: DeviceRegion, frequencies_hz: list[int]) -> None:
    channels = region.default_channels
    assert len(channels) == 72
    assert [channels[i].frequency_hz for i in (0, 63, 64, 71)] == frequencies_hz
    widths = [region.data_rates[channel.max_data_rate].bandwidth_khz for channel in channels]
    assert widths == [125] * 64 + [500] * 8


def test_offset_slows_rx1_down() -> None:
    assert [US915.rx1_data_rate(4, offset) for offset in range(4)] == [13, 13, 12, 11]
    assert [AU915.rx1_data_rate(5, offset) for offset in range(6)] == [13, 12, 11, 10, 9, 8]
    assert [AU915.rx1_data_rate(6, offset) for offset in range(6)] == [13, 13, 12, 11, 10, 9]


def test_join_requests_of_both_last_less_than_400_ms() -> None:
    """SF10 in 125 kHz."""
    rows = [one.data_rates[one.join_data_rate or 0] for one in (US915, AU915)]
    assert [(row.spreading_factor, row.bandwidth_khz) for row in rows] == [(10, 125)] * 2


def test_au915_sends_what_us915_sends_under_dwell_time() -> None:
    ours = [AU915.largest_uplink(data_rate, dwell=True) for data_rate in range(7)]
    assert ours == [0, 0, 19, 61, 133, 250, 250]
    assert ours[2:6] == [US915.largest_uplink(data_rate) for data_rate in range(4)]
