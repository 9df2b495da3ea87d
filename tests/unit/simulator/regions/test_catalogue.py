"""Every region against the plan that the server reads."""

from __future__ import annotations

import pytest

from bittern.lorawan.regions import names, plan
from bittern.lorawan.regions.plan import DynamicPlan
from bittern.simulator.regions import EU433, US915, DeviceRegion, device_region, region_names
from bittern.types import DevAddr

REGIONS = pytest.mark.parametrize(
    "region", [device_region(name) for name in region_names()], ids=lambda region: region.name
)
OFFSETS = range(8)


def test_region_is_found_by_its_name() -> None:
    assert device_region("US915") is US915
    assert device_region("EU433") is EU433


def test_unknown_region_is_refused_with_the_known() -> None:
    with pytest.raises(ValueError, match=r"'EU686'; known: AS923-1, .*, US915"):
        device_region("EU686")


def test_all_regions_are_there_but_those_of_china_at_470_mhz() -> None:
    assert {name for name in names() if not name.startswith("CN470")} == set(region_names())


@REGIONS
@pytest.mark.parametrize("dwell", [False, True])
def test_rx1_data_rates_are_the_plans(region: DeviceRegion, dwell: bool) -> None:
    theirs = plan(region.name)
    for uplink, row in region.rx1_data_rates.items():
        ours = [
            region.rx1_data_rate(uplink, offset, downlink_dwell=dwell) for offset in range(len(row))
        ]
        their = [theirs.rx1_data_rate(uplink, n, downlink_dwell=dwell) for n in OFFSETS]
        assert ours == their[: len(row)]
        assert set(their[len(row) :]) <= {None}


@REGIONS
def test_every_rx1_and_rx2_data_rate_can_be_received(region: DeviceRegion) -> None:
    tables = [region.rx1_data_rates, region.rx1_data_rates_dwell or {}]
    rx1 = {data_rate for table in tables for row in table.values() for data_rate in row}
    assert rx1 <= set(region.data_rates)
    assert region.rx2_data_rate in region.rx2_data_rates
    assert region.rx2_data_rates <= set(region.data_rates)


@REGIONS
def test_rx1_frequencies_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    for index, channel in enumerate(region.default_channels):
        their = theirs.rx1_frequency(channel.frequency_hz)
        assert region.rx1_frequency_hz(index, channel) == their


@REGIONS
def test_rx2_is_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    assert (region.rx2_frequency_hz, region.rx2_data_rate) == (
        theirs.rx2_frequency_hz,
        theirs.rx2_data_rate,
    )


@REGIONS
def test_channels_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    ours = region.default_channels
    assert [one.frequency_hz for one in ours] == [one.frequency_hz for one in theirs.join_channels]
    assert [one.min_data_rate for one in ours] == [one.min_dr for one in theirs.join_channels]
    assert (region.kind == "dynamic") is isinstance(theirs, DynamicPlan)


@REGIONS
def test_device_permits_what_the_plan_uses(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    assert all(region.permits(channel.frequency_hz) for channel in theirs.uplink_channels())
    assert region.permits(theirs.rx2_frequency_hz)
    low_hz, high_hz = theirs.frequency_range_hz
    assert low_hz <= region.frequency_range[0] < region.frequency_range[1] <= high_hz


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
@pytest.mark.parametrize("dwell", [False, True])
def test_payload_sizes_are_the_plans(region: DeviceRegion, dwell: bool) -> None:
    theirs = plan(region.name)
    dwell = dwell and region.tx_param_setup
    for channel in region.default_channels:
        for data_rate in range(channel.min_data_rate, channel.max_data_rate + 1):
            # M counts FHDR and FPort, N does not: 8 bytes with empty FOpts.
            largest = max(region.largest_uplink(data_rate, dwell=dwell) - 8, 0)
            assert largest == theirs.max_payload_size(data_rate, dwell=dwell)
    for data_rate, largest in region.max_mac_payload.items():
        assert largest - 8 == theirs.max_payload_size(data_rate)


@REGIONS
def test_powers_and_dwell_times_are_the_plans(region: DeviceRegion) -> None:
    theirs = plan(region.name)
    assert region.max_tx_power == len(theirs.tx_power_offsets_db) - 1
    assert region.tx_param_setup == theirs.has_tx_param_setup == theirs.boot_uplink_dwell
    assert not theirs.boot_downlink_dwell


@REGIONS
def test_ping_slots_are_the_plans(region: DeviceRegion) -> None:
    class_b = plan(region.name).class_b
    count = len(region.ping_slot_frequencies)
    hops = tuple(class_b.ping_slot_frequency_hz(DevAddr(bytes(4)), 128 * n) for n in range(count))
    assert region.ping_slot_frequencies == hops
    assert region.ping_slot_data_rate == class_b.ping_slot_data_rate
