"""The channels that a device may send on, as indices and as the masks of LinkADRReq (RP002-1.0.4).

A plan says which masks leave just these channels enabled, as a block that is taken as one. What is
here besides: the masks that do it one at a time, the one that changes nothing, and what masks make
of a set of channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from bittern.lorawan.regions.plan import ChannelMask, DynamicPlan, FixedPlan, Plan
from bittern.mac.session import RadioState

BLOCK = 16
"""Channels of one ChMask."""
ALL_DYNAMIC = 6
"""ChMaskCntl of a dynamic plan: every channel that the device has."""

Channels = frozenset[int]


def all_channels(plan: Plan, radio: RadioState) -> Channels:
    """Every channel that the device has, enabled or not."""
    if isinstance(plan, FixedPlan):
        return _of_fixed(plan, ())
    assert isinstance(plan, DynamicPlan), "there are two kinds of plan"
    extra = [channel.index for channel in radio.extra_channels]
    return frozenset(range(len(plan.default_channels))).union(extra)


def enabled_channels(plan: Plan, radio: RadioState) -> Channels:
    if isinstance(plan, FixedPlan):
        return _enabled_of_fixed(plan, radio.enabled_channels)
    return frozenset(radio.enabled_channels) or all_channels(plan, radio)


def stored(channels: Channels, plan: Plan, radio: RadioState) -> tuple[int, ...]:
    """As `RadioState.enabled_channels` has it: empty for all."""
    return () if channels == all_channels(plan, radio) else tuple(sorted(channels))


def wanted_channels(plan: Plan, radio: RadioState, sub_bands: tuple[int, ...]) -> Channels:
    """What the device should send on.

    Dynamic plans: on all that it has. Fixed plans: on what is heard where it is; but as long as at
    least half of its channels are heard it keeps them, so that it is not masked to and fro between
    gateways that hear different sub-bands.
    """
    if not isinstance(plan, FixedPlan):
        return all_channels(plan, radio)
    return _wanted_of_fixed(plan, radio.enabled_channels, sub_bands)


def surest_channels(plan: Plan, radio: RadioState) -> Channels:
    """What a device that has refused the wanted mask cannot but have: the defaults of a dynamic
    plan, of a fixed one what it was not refused before."""
    if isinstance(plan, DynamicPlan):
        return frozenset(range(len(plan.default_channels)))
    return enabled_channels(plan, radio)


@lru_cache(maxsize=1024)
def _wanted_of_fixed(
    plan: FixedPlan, enabled: tuple[int, ...], sub_bands: tuple[int, ...]
) -> Channels:
    present = _enabled_of_fixed(plan, enabled)
    heard = _of_fixed(plan, sub_bands)
    return present if 2 * len(present & heard) >= len(present) else heard


@lru_cache(maxsize=1024)
def _enabled_of_fixed(plan: FixedPlan, enabled: tuple[int, ...]) -> Channels:
    return frozenset(enabled) or _of_fixed(plan, ())


@lru_cache(maxsize=256)
def _of_fixed(plan: FixedPlan, sub_bands: tuple[int, ...]) -> Channels:
    return frozenset(plan.enabled_indices(sub_bands))


# To masks


def atomic(plan: Plan, channels: Channels) -> list[ChannelMask]:
    """Taken as one block, whatever was enabled before."""
    return plan.channel_masks(channels)


def one_by_one(plan: Plan, channels: Channels) -> list[ChannelMask]:
    """Each taken for itself, whatever was enabled before: first what is to be enabled, so that the
    device is never without a channel for its data rate."""
    if not isinstance(plan, FixedPlan):
        return plan.channel_masks(channels)
    masks = [_block(number, channels) for number in range(_block_count(plan))]
    return sorted(masks, key=lambda one: one.mask == 0)


def unchanged(plan: Plan, channels: Channels) -> ChannelMask:
    """One mask that agrees with what is enabled: a LinkADRReq always has one."""
    if not isinstance(plan, FixedPlan):
        (mask,) = plan.channel_masks(channels)
        return mask
    return _block(min(channels) // BLOCK, channels)


def _block(number: int, channels: Iterable[int]) -> ChannelMask:
    """Blocks of narrow channels come first and have their number as ChMaskCntl, the wide ones'
    behind them too."""
    in_block = [index % BLOCK for index in channels if index // BLOCK == number]
    return ChannelMask(number, sum(1 << bit for bit in in_block))


def _block_count(plan: FixedPlan) -> int:
    return -(-len(plan.channels) // BLOCK)


# From masks


def masked(plan: Plan, radio: RadioState, masks: Sequence[tuple[int, int]]) -> Channels:
    """What is enabled after these (ChMaskCntl, ChMask), one after the other."""
    enabled = enabled_channels(plan, radio)
    for control, mask in masks:
        enabled = _masked(plan, radio, enabled, control, mask)
    return enabled


def _masked(plan: Plan, radio: RadioState, enabled: Channels, control: int, mask: int) -> Channels:
    if not isinstance(plan, FixedPlan):
        everything = all_channels(plan, radio)
        return everything if control == ALL_DYNAMIC else everything & _indices(mask, 0)
    narrow = frozenset(range(len(plan.narrow_channels)))
    wide = _indices(mask, len(narrow)) & _of_fixed(plan, ())
    if control == plan.masks.all_narrow_on:
        return narrow | wide
    if control == plan.masks.all_narrow_off:
        return wide
    block = frozenset(range(control * BLOCK, (control + 1) * BLOCK))
    return enabled - block | _indices(mask, control * BLOCK)


def _indices(mask: int, first: int) -> Channels:
    return frozenset(first + bit for bit in range(BLOCK) if mask >> bit & 1)
