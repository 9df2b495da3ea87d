"""What plans have in common, and what only some of them need."""

from __future__ import annotations

import dataclasses

import pytest

from bittern.lorawan.regions import names, plan
from bittern.lorawan.regions.as923 import AS923_1
from bittern.lorawan.regions.cn470_96 import CN470_96
from bittern.lorawan.regions.eu868 import EU868
from bittern.lorawan.regions.plan import DynamicPlan, FixedPlan, Plan
from bittern.lorawan.regions.us915 import US915

PLANS = [plan(name) for name in names()]
every_plan = pytest.mark.parametrize("known", PLANS, ids=names())


@pytest.fixture
def with_dwell_time() -> DynamicPlan:
    """Under a dwell time DR0 and DR1 are of no use."""
    return AS923_1


@pytest.fixture
def without_wide_channels() -> FixedPlan:
    """96 narrow channels, 48 downlink frequencies, no mask for "all off"."""
    return CN470_96


def test_dwell_time_shortens_payloads(with_dwell_time: DynamicPlan) -> None:
    sizes = with_dwell_time
    assert (sizes.max_payload_size(0), sizes.max_payload_size(0, dwell=True)) == (51, 0)
    assert (sizes.max_payload_size(2), sizes.max_payload_size(2, dwell=True)) == (115, 11)
    assert sizes.max_payload_size(2, dwell=True, repeater=True) == 11


def test_dwell_time_has_an_rx1_table_of_its_own(with_dwell_time: DynamicPlan) -> None:
    assert with_dwell_time.rx1_data_rate(0, 0) == 0
    assert with_dwell_time.rx1_data_rate(0, 0, downlink_dwell=True) == 2


def test_dwell_time_means_nothing_where_a_region_has_none() -> None:
    assert EU868.max_payload_size(0, dwell=True) == 51
    assert EU868.rx1_data_rate(0, 0, downlink_dwell=True) == 0


def test_plan_without_wide_channels_has_sub_bands_too(without_wide_channels: FixedPlan) -> None:
    assert without_wide_channels.sub_band_count == 12
    assert without_wide_channels.enabled_indices((12,)) == tuple(range(88, 96))
    assert without_wide_channels.max_adr_data_rate == 5


def test_rx1_is_modulo_the_downlink_channels(without_wide_channels: FixedPlan) -> None:
    assert without_wide_channels.rx1_frequency(470_300_000) == 500_300_000
    assert without_wide_channels.rx1_frequency(470_300_000 + 48 * 200_000) == 500_300_000
    assert without_wide_channels.rx1_frequency(489_300_000) == 509_700_000


def test_without_all_off_every_other_block_is_masked(without_wide_channels: FixedPlan) -> None:
    masks = without_wide_channels.channel_masks(range(88, 96))
    assert masks == [(6, 0), (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0xFF00)]


def test_cf_list_of_96_channels_has_six_masks(without_wide_channels: FixedPlan) -> None:
    cf_list = without_wide_channels.cf_list((12,))
    assert cf_list == bytes(11) + b"\xff" + bytes(3) + b"\x01"


def test_dynamic_plan_that_adds_nothing_has_no_cf_list() -> None:
    assert dataclasses.replace(EU868, added_channels=()).cf_list() is None


def test_short_cf_list_is_filled_with_zeros() -> None:
    cf_list = dataclasses.replace(EU868, added_channels=EU868.added_channels[:1]).cf_list()
    assert cf_list == bytes.fromhex("184f84") + bytes(13)


@every_plan
def test_every_rx1_and_rx2_data_rate_is_a_downlink_rate(known: Plan) -> None:
    used = {dr for row in known.rx1_data_rates.values() for dr in row} | {known.rx2_data_rate}
    assert all(known.data_rates[dr].downlink for dr in used)


@every_plan
def test_every_uplink_rate_has_an_rx1_row(known: Plan) -> None:
    uplink = {dr for dr, rate in known.data_rates.items() if rate.uplink}
    assert set(known.rx1_data_rates) == uplink


@every_plan
def test_every_data_rate_has_a_payload_size(known: Plan) -> None:
    assert set(known.payload_sizes.plain) == set(known.data_rates)
    assert set(known.payload_sizes.repeater) == set(known.data_rates)


@every_plan
def test_a_repeater_never_makes_payloads_larger(known: Plan) -> None:
    for dr in known.data_rates:
        assert known.max_payload_size(dr, repeater=True) <= known.max_payload_size(dr)


@every_plan
def test_every_frequency_is_in_range(known: Plan) -> None:
    used = [channel.frequency_hz for channel in known.uplink_channels()]
    used += [known.rx2_frequency_hz, *known.class_b.beacon_frequencies_hz]
    used += known.class_b.ping_slot_frequencies_hz
    assert all(known.frequency_allowed(frequency) for frequency in used)
    assert not known.frequency_allowed(known.frequency_range_hz[0] - 1)


@every_plan
def test_every_channel_is_indexed_by_its_frequency(known: Plan) -> None:
    for index, channel in enumerate(known.uplink_channels()):
        assert known.channel_index(channel.frequency_hz, channel.min_dr) == index


@every_plan
def test_a_station_hears_each_entry_with_one_modem(known: Plan) -> None:
    rates = known.station_data_rates
    for channel in known.station_upchannels():
        rows = {rates[dr] for dr in range(channel.min_dr, channel.max_dr + 1)}
        assert all(row.spreading_factor >= 0 and not row.downlink_only for row in rows)
        assert len({row.bandwidth_khz for row in rows}) == 1
        assert 0 <= channel.min_dr <= channel.max_dr <= 7


@every_plan
def test_plans_are_told_apart_by_identity(known: Plan) -> None:
    assert {known: known.name}[known] == known.name


@every_plan
def test_a_join_has_windows_on_every_channel_of_its_own(known: Plan) -> None:
    for channel in known.join_channels:
        joined = known.joined_on(channel.frequency_hz)
        assert joined is not None
        assert joined.frequency_hz == channel.frequency_hz


def test_where_it_does_not_matter_a_join_changes_no_window() -> None:
    joined = US915.joined_on(903_000_000)
    assert joined == (903_000_000, 923_300_000, US915.rx2_frequency_hz, US915.class_b)
    assert US915.joined_on(903_050_000) is None
    joined = EU868.joined_on(867_100_000)
    assert joined == (867_100_000, 867_100_000, EU868.rx2_frequency_hz, EU868.class_b)
