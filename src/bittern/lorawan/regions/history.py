"""What older revisions of the regional parameters had otherwise.

For each plan the revisions until which something held, newest first, and what it was. A revision
that had no such region yet is taken for the first one that did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions.as923 import PAYLOAD_SIZES as AS923_SIZES
from bittern.lorawan.regions.as923 import RX1_DATA_RATES, RX1_DATA_RATES_DWELL
from bittern.lorawan.regions.au915 import AU915, DOWNLINK_DATA_RATES, DOWNLINK_SIZES
from bittern.lorawan.regions.cn470 import CN470, CN470_20B, CN470_26A, CN470_26B
from bittern.lorawan.regions.cn470_96 import CN470_96
from bittern.lorawan.regions.common import (
    EIGHT_DATA_RATES,
    EIGHT_PAYLOAD_SIZES,
    EIGHT_RX1_DATA_RATES,
    LORA_125,
    SIX_RX1_DATA_RATES,
    SIX_TX_POWERS_DB,
)
from bittern.lorawan.regions.in865 import IN865
from bittern.lorawan.regions.plan import Channel, FixedPlan, PayloadSizes, Plan, lora_uplink
from bittern.lorawan.regions.us915 import US915

R = RegionalParameters


class Until(NamedTuple):
    """The last revision that had these fields."""

    last: RegionalParameters
    fields: Mapping[str, Any]


@cache
def as_of(plan: Plan, revision: RegionalParameters) -> Plan:
    """The plan as a device of that revision has it; the very same where nothing differs."""
    predecessor = PREDECESSORS.get(plan.name)
    if predecessor is not None and revision.published_until(predecessor[0]):
        return as_of(predecessor[1], revision)
    for last, fields in CHANGES.get(plan.name, ()):
        if revision.published_until(last):
            plan = dataclasses.replace(plan, **fields)
    return plan


@cache
def own_data_rates(plan: Plan, newest: Plan) -> Mapping[int, int]:
    """What a device of ``plan`` calls the data rates of uplinks, by their number in ``newest``:
    those that it does not have are missing."""
    own = {row: data_rate for data_rate, row in plan.data_rates.items() if row.uplink}
    return {heard: own[row] for heard, row in newest.data_rates.items() if row in own}


def _only(rows: Mapping[int, Any], *data_rates: int) -> dict[int, Any]:
    return {dr: rows[dr] for dr in data_rates}


def _channels(channels: tuple[Channel, ...], min_dr: int, max_dr: int) -> tuple[Channel, ...]:
    return tuple(channel._replace(min_dr=min_dr, max_dr=max_dr) for channel in channels)


# With a repeater, until RP002-1.0.1.
_DOWNLINK_SIZES_REPEATER = {8: 33, 9: 109, 10: 222, 11: 222, 12: 222, 13: 222}
_ELEVEN_TX_POWERS_DB = tuple(-2 * index for index in range(11))

# "20 dBm (if supported)", then 14 to 2; and "10 dBm" to -5.
_EU868_BEFORE_EIRP = {"max_eirp_dbm": 20, "tx_power_offsets_db": (0, -6, -9, -12, -15, -18)}
_EU433_BEFORE_EIRP = {"max_eirp_dbm": 10, "tx_power_offsets_db": (0, -3, -6, -9, -12, -15)}

_AS923_SIZES_DR2_51 = dataclasses.replace(
    AS923_SIZES,
    plain={**AS923_SIZES.plain, 2: 51},
    repeater={**AS923_SIZES.repeater, 2: 51},
)


def _at_most_dr5(table: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """RX1 until RP002: MIN(5, MAX(lowest, uplink - offset))."""
    return {uplink: tuple(min(dr, 5) for dr in row) for uplink, row in table.items()}


def _cn470(plan: FixedPlan) -> tuple[Until, ...]:
    sizes = plan.payload_sizes
    return (
        Until(
            R.RP002_1_0_1,
            {
                "payload_sizes": PayloadSizes(
                    plain={**sizes.plain, 3: 164}, repeater={**sizes.repeater, 3: 164}
                )
            },
        ),
        Until(
            R.RP002_1_0_0,
            {
                "data_rates": LORA_125,
                "payload_sizes": CN470_96.payload_sizes,
                "rx1_data_rates": SIX_RX1_DATA_RATES,
                "rx2_data_rate": 0,
                "narrow_channels": _channels(plan.narrow_channels, 0, 5),
            },
        ),
    )


PREDECESSORS: Mapping[str, tuple[RegionalParameters, Plan]] = {
    CN470.name: (R.RP001_1_0_3_REV_A, CN470_96),
}
"""Until when a region was another plan altogether."""

CHANGES: Mapping[str, tuple[Until, ...]] = {
    "EU868": (
        Until(
            R.RP002_1_0_1,
            {
                "data_rates": EIGHT_DATA_RATES,
                "payload_sizes": EIGHT_PAYLOAD_SIZES,
                "rx1_data_rates": EIGHT_RX1_DATA_RATES,
            },
        ),
        Until(R.RP001_1_0_2, _EU868_BEFORE_EIRP),
    ),
    "US915": (
        Until(
            R.RP002_1_0_1,
            {
                "data_rates": _only(US915.data_rates, *range(5), *range(8, 14)),
                "payload_sizes": PayloadSizes(
                    plain=_only(US915.payload_sizes.plain, *range(5), *range(8, 14)),
                    repeater={
                        **_only(US915.payload_sizes.repeater, *range(5)),
                        **_DOWNLINK_SIZES_REPEATER,
                    },
                ),
                "rx1_data_rates": _only(US915.rx1_data_rates, *range(5)),
                "wide_channels": _channels(US915.wide_channels, 4, 4),
            },
        ),
        Until(R.RP001_1_0_2_REV_B, {"tx_power_offsets_db": _ELEVEN_TX_POWERS_DB}),
    ),
    "AU915": (
        Until(
            R.RP002_1_0_1,
            {
                "data_rates": _only(AU915.data_rates, *range(7), *range(8, 14)),
                "payload_sizes": PayloadSizes(
                    plain={
                        **{0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 6: 242},
                        **DOWNLINK_SIZES,
                    },
                    repeater={
                        **{0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222, 6: 222},
                        **_DOWNLINK_SIZES_REPEATER,
                    },
                    dwell={
                        **{0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 242, 6: 242},
                        **DOWNLINK_SIZES,
                    },
                    dwell_repeater={
                        **{0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 222, 6: 222},
                        **_DOWNLINK_SIZES_REPEATER,
                    },
                ),
                "rx1_data_rates": _only(AU915.rx1_data_rates, *range(7)),
                "wide_channels": _channels(AU915.wide_channels, 6, 6),
            },
        ),
        Until(
            R.RP001_1_1_REV_A,
            {
                "has_tx_param_setup": False,
                "boot_uplink_dwell": False,
                "tx_power_offsets_db": _ELEVEN_TX_POWERS_DB,
            },
        ),
        # The data rates and windows of US915.
        Until(
            R.RP001_1_0_2,
            {
                "data_rates": {
                    **{0: lora_uplink(10, 125), 1: lora_uplink(9, 125), 2: lora_uplink(8, 125)},
                    **{3: lora_uplink(7, 125), 4: lora_uplink(8, 500)},
                    **DOWNLINK_DATA_RATES,
                },
                "payload_sizes": PayloadSizes(
                    plain={0: 11, 1: 53, 2: 125, 3: 242, 4: 242, **DOWNLINK_SIZES},
                    repeater={0: 11, 1: 53, 2: 125, 3: 222, 4: 222, **_DOWNLINK_SIZES_REPEATER},
                ),
                "rx1_data_rates": _only(US915.rx1_data_rates, *range(5)),
                "narrow_channels": _channels(AU915.narrow_channels, 0, 3),
                "wide_channels": _channels(AU915.wide_channels, 4, 4),
            },
        ),
    ),
    "AS923-1": (
        Until(R.RP002_1_0_0, {"payload_sizes": _AS923_SIZES_DR2_51}),
        Until(
            R.RP001_1_0_3_REV_A,
            {
                "payload_sizes": dataclasses.replace(
                    _AS923_SIZES_DR2_51, dwell_repeater=AS923_SIZES.dwell
                ),
                "rx1_data_rates": _at_most_dr5(RX1_DATA_RATES),
                "rx1_data_rates_dwell": _at_most_dr5(RX1_DATA_RATES_DWELL),
            },
        ),
        Until(R.RP001_1_0_2_REV_B, {"boot_downlink_dwell": True}),
        Until(
            R.RP001_1_0_2,
            {
                "max_eirp_dbm": 14,
                "tx_power_offsets_db": SIX_TX_POWERS_DB,
                "boot_uplink_dwell": False,
                "boot_downlink_dwell": False,
            },
        ),
    ),
    "EU433": (Until(R.RP001_1_0_2, _EU433_BEFORE_EIRP),),
    "CN779": (Until(R.RP001_1_0_2, _EU433_BEFORE_EIRP),),
    "KR920": (
        Until(
            R.RP001_1_0_2,
            {"max_eirp_dbm": 20, "tx_power_offsets_db": (0, -6, -10, -12, -15, -18, -20)},
        ),
    ),
    "IN865": (
        Until(
            R.RP001_1_0_3_REV_A,
            {
                "rx1_data_rates": {
                    **_at_most_dr5(_only(IN865.rx1_data_rates, *range(6))),
                    7: (5, 5, 5, 4, 3, 2, 5, 5),
                }
            },
        ),
    ),
    **{plan.name: _cn470(plan) for plan in (CN470, CN470_20B, CN470_26A, CN470_26B)},
    "CN470-96": (
        Until(
            R.RP001_1_0_2,
            {"max_eirp_dbm": 17, "tx_power_offsets_db": (0, -1, -3, -5, -7, -10, -12, -15)},
        ),
    ),
}
