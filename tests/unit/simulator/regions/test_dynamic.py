"""Against the text of RP002-1.0.4, 2.4, 2.6, 2.7 and 2.11 to 2.13."""

from __future__ import annotations

import pytest

from bittern.simulator.regions import CN779, EU433, EU868, IN865, KR920, RU864, DeviceRegion


@pytest.mark.parametrize(
    ("region", "frequencies_mhz"),
    [
        (EU868, [868.1, 868.3, 868.5]),
        (CN779, [779.5, 779.7, 779.9]),
        (EU433, [433.175, 433.375, 433.575]),
        (KR920, [922.1, 922.3, 922.5]),
        (IN865, [865.0625, 865.4025, 865.985]),
        (RU864, [868.9, 869.1]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_default_channels_have_dr0_to_dr5(
    region: DeviceRegion, frequencies_mhz: list[float]
) -> None:
    channels = region.default_channels
    assert [channel.frequency_hz / 1e6 for channel in channels] == frequencies_mhz
    assert {(channel.min_data_rate, channel.max_data_rate) for channel in channels} == {(0, 5)}


@pytest.mark.parametrize(
    "region", [EU868, CN779, EU433, KR920, RU864], ids=lambda region: region.name
)
def test_offset_slows_rx1_down_to_dr0(region: DeviceRegion) -> None:
    for uplink, row in region.rx1_data_rates.items():
        assert row == tuple(max(uplink - offset, 0) for offset in range(6))


def test_in865_goes_faster_with_offsets_6_and_7_and_never_at_dr6() -> None:
    assert [IN865.rx1_data_rate(data_rate, 6) for data_rate in range(6)] == [1, 2, 3, 4, 5, 5]
    assert [IN865.rx1_data_rate(data_rate, 7) for data_rate in range(6)] == [2, 3, 4, 5, 5, 7]
    assert 6 not in IN865.data_rates
    assert 6 not in {data_rate for row in IN865.rx1_data_rates.values() for data_rate in row}


def test_korea_has_lora_of_125_khz_only() -> None:
    assert {row.bandwidth_khz for row in KR920.data_rates.values()} == {125}
