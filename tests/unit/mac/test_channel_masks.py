from __future__ import annotations

import pytest

from bittern.lorawan.regions import plan
from bittern.lorawan.regions.plan import ChannelMask, FixedPlan
from bittern.mac.channel_masks import (
    all_channels,
    atomic,
    enabled_channels,
    masked,
    one_by_one,
    stored,
    unchanged,
    wanted_channels,
)
from bittern.mac.session import ChannelState, RadioState

EU868, US915, CN470 = plan("EU868"), plan("US915"), plan("CN470")
SUB_BAND_2 = frozenset((*range(8, 16), 65))


def radio(*enabled: int, extra: tuple[int, ...] = ()) -> RadioState:
    """With these channels enabled, and these beyond the defaults of EU868."""
    return RadioState(
        rx1_delay_s=1,
        rx1_dr_offset=0,
        rx2_data_rate=0,
        rx2_frequency_hz=869_525_000,
        extra_channels=tuple(ChannelState(i, 866_000_000 + 200_000 * i) for i in extra),
        enabled_channels=enabled,
    )


def pairs(masks: list[ChannelMask]) -> list[tuple[int, int]]:
    return [(one.control, one.mask) for one in masks]


# Which channels


def test_a_dynamic_device_has_the_defaults_and_what_it_was_given():
    assert all_channels(EU868, radio(extra=(3, 6))) == {0, 1, 2, 3, 6}


def test_a_fixed_device_has_every_channel_of_the_plan():
    assert all_channels(US915, radio()) == set(range(72))


def test_nothing_stored_means_every_channel():
    assert enabled_channels(EU868, radio(extra=(3,))) == {0, 1, 2, 3}
    assert enabled_channels(EU868, radio(1, 3, extra=(3,))) == {1, 3}


@pytest.mark.parametrize("enabled", [(), (1,), (0, 2, 3)])
def test_what_is_stored_is_read_back(enabled):
    before = radio(*enabled, extra=(3,))
    assert stored(enabled_channels(EU868, before), EU868, before) == enabled


def test_a_dynamic_device_should_send_on_all_that_it_has():
    assert wanted_channels(EU868, radio(0, extra=(3,)), ()) == {0, 1, 2, 3}


def test_a_fixed_device_should_send_where_it_is_heard():
    assert wanted_channels(US915, radio(), (2,)) == SUB_BAND_2


def test_a_fixed_device_of_which_half_is_heard_keeps_its_channels():
    first_and_second = US915.enabled_indices((1, 2))
    assert wanted_channels(US915, radio(*first_and_second), (2,)) == set(first_and_second)


def test_a_fixed_device_of_which_less_than_half_is_heard_is_moved():
    three = US915.enabled_indices((1, 2, 3))
    assert wanted_channels(US915, radio(*three), (2,)) == SUB_BAND_2


def test_a_network_that_hears_everything_leaves_a_fixed_device_alone():
    assert wanted_channels(US915, radio(*SUB_BAND_2), ()) == SUB_BAND_2


# Masks for channels


def test_one_sub_band_of_us915_takes_two_masks():
    # All 125 kHz channels off and wide channel 1 on, then channels 8..15.
    assert pairs(atomic(US915, SUB_BAND_2)) == [(7, 0x0002), (0, 0xFF00)]


def test_masks_taken_one_by_one_enable_before_they_disable():
    assert pairs(one_by_one(US915, SUB_BAND_2)) == [
        (0, 0xFF00),
        (4, 0x0002),
        (1, 0),
        (2, 0),
        (3, 0),
    ]


def test_a_device_that_takes_masks_one_by_one_always_has_a_channel():
    before = radio(*US915.enabled_indices((7,)))
    masks = pairs(one_by_one(US915, SUB_BAND_2))
    narrow_left = [
        [index for index in masked(US915, before, masks[:count]) if index < 64]
        for count in range(1, len(masks) + 1)
    ]
    assert all(narrow_left)


@pytest.mark.parametrize("make", [atomic, one_by_one])
@pytest.mark.parametrize("enabled", [(), (7,), (2,), (1, 8)])
@pytest.mark.parametrize("sub_bands", [(), (1,), (2, 3), (8,), (1, 2, 3, 4, 5)])
def test_masks_of_a_fixed_plan_leave_just_what_is_wanted(make, enabled, sub_bands):
    before = radio(*US915.enabled_indices(enabled))
    channels = frozenset(US915.enabled_indices(sub_bands))
    assert masked(US915, before, pairs(make(US915, channels))) == channels


@pytest.mark.parametrize("make", [atomic, one_by_one])
def test_masks_of_a_plan_without_wide_channels_leave_just_what_is_wanted(make):
    assert isinstance(CN470, FixedPlan)
    channels = frozenset(CN470.enabled_indices((3, 8)))
    assert masked(CN470, radio(), pairs(make(CN470, channels))) == channels


@pytest.mark.parametrize("make", [atomic, one_by_one])
def test_a_dynamic_plan_has_one_mask(make):
    assert pairs(make(EU868, frozenset((0, 1, 4)))) == [(0, 0b10011)]


@pytest.mark.parametrize("sub_bands", [(), (1,), (2,), (8,), (3, 4)])
def test_the_mask_that_changes_nothing_changes_nothing(sub_bands):
    channels = US915.enabled_indices(sub_bands)
    one = unchanged(US915, frozenset(channels))
    assert masked(US915, radio(*channels), pairs([one])) == set(channels)


def test_the_mask_that_changes_nothing_in_a_dynamic_plan_names_what_is_enabled():
    assert unchanged(EU868, frozenset((0, 2))) == ChannelMask(0, 0b101)


# Channels from masks


def test_a_mask_enables_no_channel_that_a_dynamic_device_lacks():
    assert masked(EU868, radio(extra=(3,)), [(0, 0xFFFF)]) == {0, 1, 2, 3}


def test_control_6_of_a_dynamic_plan_enables_all_whatever_the_mask():
    assert masked(EU868, radio(0, extra=(3,)), [(6, 0)]) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("control", "narrow"), [(6, set(range(64))), (7, set())], ids=["all on", "all off"]
)
def test_controls_of_all_narrow_channels_mask_the_wide_ones(control, narrow):
    assert masked(US915, radio(), [(control, 0b101)]) == narrow | {64, 66}


def test_a_block_leaves_the_other_blocks_alone():
    assert masked(US915, radio(0, 20, 65), [(1, 0b1)]) == {0, 16, 65}


def test_masks_come_one_after_the_other():
    assert masked(US915, radio(), [(7, 0), (0, 0b11), (0, 0b10)]) == {1}


def test_no_mask_changes_nothing():
    assert masked(US915, radio(1, 2), []) == {1, 2}
