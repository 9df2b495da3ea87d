"""Against the text of RP002-1.0.4, and against the plans that the server reads."""

from __future__ import annotations

import pytest

from bittern.lorawan.regions import plan
from bittern.simulator.regions import EU868, US915, DeviceRegion, device_region

REGIONS = pytest.mark.parametrize("region", [EU868, US915], ids=lambda region: region.name)


def test_us915_channels() -> None:
    channels = US915.default_channels
    assert len(channels) == 72
    assert [channels[i].frequency_hz for i in (0, 63, 64, 71)] == [
        902_300_000,
        914_900_000,
        903_000_000,
        914_200_000,
    ]
    assert US915.rx1_frequency_hz(71, channels[71]) == 927_500_000


def test_eu868_hears_rx1_where_it_sent() -> None:
    channel = EU868.default_channels[1]
    assert EU868.rx1_frequency_hz(1, channel) == 868_300_000


def test_offset_slows_rx1_down() -> None:
    assert [EU868.rx1_data_rate(5, offset) for offset in range(6)] == [5, 4, 3, 2, 1, 0]
    assert [US915.rx1_data_rate(4, offset) for offset in range(4)] == [13, 13, 12, 11]


def test_unknown_region_is_refused_with_the_known() -> None:
    assert device_region("US915") is US915
    with pytest.raises(ValueError, match="known: EU868, US915"):
        device_region("EU433")


@REGIONS
def test_rx1_data_rates_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    for uplink, row in region.rx1_data_rates.items():
        assert row == tuple(theirs.rx1_data_rate(uplink, offset) for offset in range(len(row)))


@REGIONS
def test_rx2_is_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    assert (region.rx2_frequency_hz, region.rx2_data_rate) == (
        theirs.rx2_frequency_hz,
        theirs.rx2_data_rate,
    )


@REGIONS
def test_data_rates_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    for index, row in region.data_rates.items():
        ours = (row.spreading_factor, row.bandwidth_khz)
        their = theirs.data_rates[index]
        if their.modulation == "LORA":
            assert ours == (their.spreading_factor, their.bandwidth_khz)
        else:
            assert ours == (0, 0)


@REGIONS
def test_payload_sizes_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    for data_rate, largest in region.max_mac_payload.items():
        # M counts FHDR and FPort, N does not: 8 bytes with empty FOpts.
        assert theirs.max_payload_size(data_rate) == largest - 8
