"""Whatever a plan is asked, what it answers is of use to a device and to a gateway.

The device and the concentrator are written here from the specification and from how Basics Station
places its radios, and share nothing with the plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions import names, plan
from bittern.lorawan.regions.plan import DynamicPlan, FixedPlan, Modulation, Plan
from bittern.types import DevAddr

ALL = tuple(plan(name) for name in names())
FIXED = tuple(one for one in ALL if isinstance(one, FixedPlan))
DYNAMIC = tuple(one for one in ALL if isinstance(one, DynamicPlan))
OF_ALL_REVISIONS = tuple(
    {
        id(one): one for name in names() for r in RegionalParameters for one in [plan(name, r)]
    }.values()
)

plans = st.sampled_from(ALL)
old_and_new_plans = st.sampled_from(OF_ALL_REVISIONS)
frequencies = st.integers(0, 1_000_000_000)


@st.composite
def heard(draw: st.DrawFn) -> tuple[Plan, tuple[int, ...]]:
    """A plan and some of its sub-bands, if it has any."""
    chosen = draw(plans)
    if not isinstance(chosen, FixedPlan):
        return chosen, ()
    return chosen, draw(sub_bands_of(chosen))


@st.composite
def fixed_heard(draw: st.DrawFn) -> tuple[FixedPlan, tuple[int, ...]]:
    chosen = draw(st.sampled_from(FIXED))
    return chosen, draw(sub_bands_of(chosen))


def sub_bands_of(chosen: FixedPlan) -> st.SearchStrategy[tuple[int, ...]]:
    numbers = st.integers(1, chosen.sub_band_count)
    return st.lists(numbers, min_size=1, unique=True).map(tuple)


# RX1


@given(old_and_new_plans, st.integers(-1, 16), st.integers(-1, 16), st.booleans())
def test_rx1_data_rate_is_a_downlink_data_rate(
    chosen: Plan, uplink: int, offset: int, dwell: bool
) -> None:
    data_rate = chosen.rx1_data_rate(uplink, offset, downlink_dwell=dwell)
    row = chosen.data_rates.get(uplink)
    if row is None or not row.uplink or not 0 <= offset <= chosen.max_rx1_dr_offset:
        assert data_rate is None
    else:
        assert data_rate is not None
        assert chosen.data_rates[data_rate].downlink


@pytest.mark.parametrize("of_plan", OF_ALL_REVISIONS, ids=lambda one: one.name)
def test_a_greater_offset_never_makes_rx1_faster_until_it_turns_upwards(of_plan: Plan) -> None:
    tables = [of_plan.rx1_data_rates, of_plan.rx1_data_rates_dwell or {}]
    for downwards in (row[:6] for table in tables for row in table.values()):
        assert list(downwards) == sorted(downwards, reverse=True)


@given(old_and_new_plans, st.data())
def test_rx1_frequency_of_a_channel_is_in_the_range(chosen: Plan, data: st.DataObject) -> None:
    channel = data.draw(st.sampled_from(chosen.uplink_channels()))
    frequency_hz = chosen.rx1_frequency(channel.frequency_hz)
    assert frequency_hz is not None
    assert chosen.frequency_allowed(frequency_hz)


@given(st.sampled_from(FIXED), frequencies)
def test_rx1_frequency_of_no_channel_is_none(chosen: FixedPlan, frequency_hz: int) -> None:
    known = {channel.frequency_hz for channel in chosen.channels}
    assert (chosen.rx1_frequency(frequency_hz) is None) == (frequency_hz not in known)


@given(plans, st.data())
def test_windows_of_a_join_are_in_the_range(chosen: Plan, data: st.DataObject) -> None:
    channel = data.draw(st.sampled_from(chosen.join_channels))
    joined = chosen.joined_on(channel.frequency_hz)
    assert joined is not None
    assert joined.frequency_hz == channel.frequency_hz
    assert chosen.frequency_allowed(joined.rx1_frequency_hz)
    assert chosen.frequency_allowed(joined.rx2_frequency_hz)
    for data_rate in range(channel.min_dr, channel.max_dr + 1):
        assert chosen.rx1_data_rate(data_rate, 0) is not None


@given(plans, st.binary(min_size=4, max_size=4).map(DevAddr), st.integers(0, 2**25), st.data())
def test_class_b_is_in_the_range(
    chosen: Plan, dev_addr: DevAddr, period: int, data: st.DataObject
) -> None:
    joined = chosen.joined_on(data.draw(st.sampled_from(chosen.join_channels)).frequency_hz)
    assert joined is not None
    for class_b in (chosen.class_b, joined.class_b):
        assert chosen.frequency_allowed(class_b.beacon_frequency_hz(128 * period))
        assert chosen.frequency_allowed(class_b.ping_slot_frequency_hz(dev_addr, 128 * period))
        assert len(class_b.beacon_frequencies_hz) <= 8
        assert chosen.data_rates[class_b.beacon_data_rate].downlink
        assert chosen.data_rates[class_b.ping_slot_data_rate].downlink


# Sizes


@given(old_and_new_plans, st.integers(0, 16), st.booleans(), st.booleans())
def test_a_limit_never_makes_a_payload_longer(
    chosen: Plan, data_rate: int, repeater: bool, dwell: bool
) -> None:
    limited = chosen.max_payload_size(data_rate, repeater=repeater, dwell=dwell)
    assert 0 <= limited <= chosen.max_payload_size(data_rate) <= 242


@pytest.mark.parametrize(
    ("of_plan", "limit_s"),
    [(one, 0.4) for one in ALL if one.has_tx_param_setup]
    + [(one, 1.0) for one in ALL if one.name.startswith("CN470") and one.name != "CN470-96"],
    ids=lambda value: value.name if isinstance(value, Plan) else "",
)
def test_the_longest_uplink_under_a_dwell_time_ends_within_it(
    of_plan: Plan, limit_s: float
) -> None:
    for data_rate, row in of_plan.data_rates.items():
        size = of_plan.max_payload_size(data_rate, dwell=True)
        if row.uplink and row.modulation is Modulation.LORA and size:
            assert time_on_air_s(row, size + 13) <= limit_s


# CFList


@given(fixed_heard())
def test_masks_of_a_cf_list_are_read_back(chosen: tuple[FixedPlan, tuple[int, ...]]) -> None:
    of_plan, sub_bands = chosen
    cf_list = of_plan.cf_list(sub_bands)
    assert cf_list is not None
    assert len(cf_list) == 16
    assert cf_list[15] == 1
    masks = [int.from_bytes(cf_list[at : at + 2], "little") for at in range(0, 14, 2)]
    enabled = {
        16 * block + bit for block in range(7) for bit in range(16) if masks[block] >> bit & 1
    }
    assert cf_list[14] == 0
    assert [of_plan.channels[index] for index in sorted(enabled)] == list(
        of_plan.uplink_channels(sub_bands)
    )


@pytest.mark.parametrize("of_plan", DYNAMIC, ids=lambda one: one.name)
def test_frequencies_of_a_cf_list_are_read_back(of_plan: DynamicPlan) -> None:
    cf_list = of_plan.cf_list()
    assert cf_list is not None
    assert len(cf_list) == 16
    assert cf_list[15] == 0
    told = [100 * int.from_bytes(cf_list[at : at + 3], "little") for at in range(0, 15, 3)]
    heard_hz = [channel.frequency_hz for channel in of_plan.uplink_channels()]
    first = len(of_plan.join_channels)
    assert [frequency_hz for frequency_hz in told if frequency_hz] == heard_hz[first:]
    assert all(of_plan.frequency_allowed(frequency_hz) for frequency_hz in told if frequency_hz)


# ChMask and ChMaskCntl


class Refused(Exception):
    """What a device says of a ChMaskCntl that is reserved."""


class Device:
    """What a device makes of the masks of contiguous LinkADRReq (RP002-1.0.4, "LinkADRReq
    command" of each region)."""

    NARROW: ClassVar = {
        **dict.fromkeys(("US915", "AU915", "CN470", "CN470-20B"), 64),
        **dict.fromkeys(("CN470-26A", "CN470-26B"), 48),
        "CN470-96": 96,
    }

    def __init__(self, region: str, enabled: Iterable[int]) -> None:
        self.region = region
        self.enabled = set(enabled)

    def take(self, control: int, mask: int) -> None:
        bits = {bit for bit in range(16) if mask >> bit & 1}
        narrow = set(range(self.NARROW.get(self.region, 16)))
        match self.region, control:
            case (("US915" | "AU915"), (6 | 7)):
                self.enabled = (narrow if control == 6 else set()) | {64 + bit for bit in bits}
            case (("US915" | "AU915"), 4):
                self._set_block(range(64, 72), {64 + bit for bit in bits})
            case (("CN470" | "CN470-20B"), (6 | 7)):
                self.enabled = narrow if control == 6 else set()
            case (("CN470-26A" | "CN470-26B"), (3 | 4)):
                self.enabled = narrow if control == 3 else set()
            case "CN470-96", 6:
                self.enabled = narrow
            case _ if 16 * control in narrow:
                block = range(16 * control, 16 * control + 16)
                self._set_block(block, {16 * control + bit for bit in bits})
            case _:
                raise Refused(control)

    def _set_block(self, block: range, enabled: set[int]) -> None:
        self.enabled = self.enabled - set(block) | enabled


def after(of_plan: Plan, before: Iterable[int], wanted: Iterable[int]) -> set[int]:
    device = Device(of_plan.name, before)
    for control, mask in of_plan.channel_masks(wanted):
        assert 0 <= control <= 7
        assert 0 <= mask <= 0xFFFF
        device.take(control, mask)
    return device.enabled


def some_of(count: int) -> st.SearchStrategy[set[int]]:
    return st.sets(st.integers(0, count - 1))


@given(st.sampled_from(FIXED), st.data())
def test_masks_leave_exactly_the_wanted_channels(of_plan: FixedPlan, data: st.DataObject) -> None:
    before = data.draw(some_of(len(of_plan.channels)))
    wanted = data.draw(some_of(len(of_plan.channels)))
    assert after(of_plan, before, wanted) == wanted


@given(fixed_heard(), st.data())
def test_masks_leave_exactly_the_wanted_sub_bands(
    chosen: tuple[FixedPlan, tuple[int, ...]], data: st.DataObject
) -> None:
    of_plan, sub_bands = chosen
    before = data.draw(some_of(len(of_plan.channels)))
    wanted = of_plan.enabled_indices(sub_bands)
    assert after(of_plan, before, wanted) == set(wanted)


@given(st.sampled_from(DYNAMIC), some_of(16), some_of(16))
def test_one_mask_is_enough_where_there_are_sixteen_channels(
    of_plan: DynamicPlan, before: set[int], wanted: set[int]
) -> None:
    assert after(of_plan, before, wanted) == wanted
    assert len(of_plan.channel_masks(wanted)) == 1


def test_the_device_refuses_what_is_reserved() -> None:
    for region, control in (("CN470", 5), ("CN470-26A", 5), ("CN470-96", 7), ("EU868", 1)):
        with pytest.raises(Refused):
            Device(region, ()).take(control, 1)


# Basics Station


class Concentrators:
    """Where a station's radios come to lie: 125 kHz channels by their frequency, eight for each
    board in two spans of 800 kHz; and on each board one wider LoRa channel and one FSK channel,
    within reach of a radio."""

    SPAN_HZ = 800_000
    BEYOND_HZ: ClassVar = {250: 375_000, 500: 300_000}
    """How far behind the middle of a span's reach a wider channel's centre may be."""

    def __init__(self, boards: int) -> None:
        self.boards: list[list[tuple[int, int]]] = [[] for _ in range(boards)]
        self.heard: list[tuple[int, int]] = []
        """Frequency and bandwidth, FSK is 0."""

    def listen(self, channels: Sequence[tuple[int, int]]) -> None:
        narrow = sorted(hz for hz, khz in channels if khz == 125)
        others = {khz: sorted(hz for hz, k in channels if k == khz) for khz in (0, 250, 500)}
        wide = sorted((hz, khz) for khz in (250, 500) for hz in others[khz])
        for spans in self.boards:
            narrow = self._place_narrow(spans, narrow)
            if others[0] and any(self._near(span, others[0][0]) for span in spans):
                self.heard.append((others[0].pop(0), 0))
            if wide and any(self._reaches(span, *wide[0]) for span in spans):
                self.heard.append(wide.pop(0))

    def _place_narrow(self, spans: list[tuple[int, int]], waiting: list[int]) -> list[int]:
        for count, hz in enumerate(waiting):
            if count == 8:
                return waiting[count:]
            for at, (low, high) in enumerate(spans):
                if hz - low <= self.SPAN_HZ:
                    spans[at] = (low, max(high, hz))
                    break
            else:
                if len(spans) == 2:
                    return waiting[count:]
                spans.append((hz, hz))
            self.heard.append((hz, 125))
        return []

    def _near(self, span: tuple[int, int], hz: int) -> bool:
        return span[1] - self.SPAN_HZ <= hz <= span[0] + self.SPAN_HZ

    def _reaches(self, span: tuple[int, int], hz: int, khz: int) -> bool:
        reach = self.SPAN_HZ // 2 + self.BEYOND_HZ[khz]
        return span[1] - reach <= hz <= span[0] + reach


@given(heard())
def test_a_station_hears_every_channel_that_it_is_told(
    chosen: tuple[Plan, tuple[int, ...]],
) -> None:
    of_plan, sub_bands = chosen
    rows = of_plan.station_data_rates
    told = [
        (channel.frequency_hz, rows[channel.min_dr].bandwidth_khz)
        for channel in of_plan.station_upchannels(sub_bands)
    ]
    concentrators = Concentrators(max(1, len(sub_bands)))
    concentrators.listen(told)
    assert sorted(concentrators.heard) == sorted(told)


@given(heard())
def test_a_station_can_read_what_it_is_told(chosen: tuple[Plan, tuple[int, ...]]) -> None:
    of_plan, sub_bands = chosen
    rows = of_plan.station_data_rates
    assert len(rows) == 16
    for sf, khz, downlink_only in rows:
        assert (sf in range(7, 13) and khz in (125, 250, 500)) or (sf, khz) in ((0, 0), (-1, 0))
        assert downlink_only in (0, 1)
    low, high = of_plan.frequency_range_hz
    for frequency_hz, min_dr, max_dr in of_plan.station_upchannels(sub_bands):
        assert low <= frequency_hz <= high
        assert 0 <= min_dr <= max_dr <= 7
        used = rows[min_dr : max_dr + 1]
        assert all(row.spreading_factor >= 0 and not row.downlink_only for row in used)
        assert len({row.bandwidth_khz for row in used}) == 1


@given(heard())
def test_a_station_is_told_of_every_channel_that_devices_use(
    chosen: tuple[Plan, tuple[int, ...]],
) -> None:
    of_plan, sub_bands = chosen
    told = {
        (frequency_hz, dr)
        for frequency_hz, min_dr, max_dr in of_plan.station_upchannels(sub_bands)
        for dr in range(min_dr, max_dr + 1)
    }
    for frequency_hz, min_dr, max_dr in of_plan.uplink_channels(sub_bands):
        for dr in range(min_dr, max_dr + 1):
            on_air = of_plan.data_rates[dr].modulation
            assert ((frequency_hz, dr) in told) == (on_air is not Modulation.LR_FHSS)


@pytest.mark.parametrize("of_plan", ALL, ids=lambda one: one.name)
def test_a_station_sends_under_the_name_that_it_is_told(of_plan: Plan) -> None:
    """To others it answers with silence; under AS923-1 and KR920 it listens before it talks."""
    limits_dbm = {"EU868": 16, "US915": 26, "AU915": 30, "IL915": 14}
    limit_dbm = of_plan.station_max_eirp_dbm or limits_dbm[of_plan.station_region]
    assert limit_dbm <= of_plan.max_eirp_dbm
