"""CN470-510 (RP002-1.0.4, 2.9): two plans for antennas of 20 MHz and two for antennas of 26 MHz.

A device learns by the channel of its join-request which plan it is in, and where RX2 and class B
are. Without a plan's name CN470 is the 20 MHz plan A. Of the 26 MHz plans sub-band 5 has no join
channel: whoever joins does so in another one.

The plan of 96 channels that came before is `cn470_96`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bittern.lorawan.regions.common import BEACON_LAYOUTS, EIGHT_TX_POWERS_DB, LORA_125
from bittern.lorawan.regions.plan import (
    Channel,
    ClassB,
    FixedPlan,
    JoinChannel,
    PayloadSizes,
    SubBandMasks,
    fsk,
    lora,
)

# Nothing may be sent for longer than a second, so DR0 carries nothing.
_SIZES = PayloadSizes(
    plain={0: 0, 1: 23, 2: 86, 3: 184, 4: 242, 5: 242, 6: 242, 7: 242},
    repeater={0: 0, 1: 23, 2: 86, 3: 184, 4: 222, 5: 222, 6: 222, 7: 222},
)
_RX1_DATA_RATES = {
    0: (0, 0, 0, 0, 0, 0),
    1: (1, 1, 1, 1, 1, 1),
    2: (2, 1, 1, 1, 1, 1),
    3: (3, 2, 1, 1, 1, 1),
    4: (4, 3, 2, 1, 1, 1),
    5: (5, 4, 3, 2, 1, 1),
    6: (6, 5, 4, 3, 2, 1),
    7: (7, 6, 5, 4, 3, 2),
}
_MASKS_20_MHZ = SubBandMasks(all_narrow_on=6, all_narrow_off=7)
_MASKS_26_MHZ = SubBandMasks(all_narrow_on=3, all_narrow_off=4)


def _row(first_hz: int, count: int) -> tuple[int, ...]:
    return tuple(first_hz + 200_000 * n for n in range(count))


def _class_b(beacon_hz: Sequence[int], ping_slot_hz: Sequence[int]) -> ClassB:
    return ClassB(
        beacon_data_rate=2,
        beacon_frequencies_hz=tuple(beacon_hz),
        beacon_layout=BEACON_LAYOUTS[10],
        ping_slot_data_rate=2,
        ping_slot_frequencies_hz=tuple(ping_slot_hz),
    )


def _plan(
    name: str,
    common_name: str,
    *,
    aliases: tuple[str, ...],
    uplink_hz: Iterable[int],
    downlink_hz: tuple[int, ...],
    join: tuple[JoinChannel, ...],
    by_default: JoinChannel,
    masks: SubBandMasks,
) -> FixedPlan:
    """``by_default``: whose RX2 and class B a device has that did not join."""
    return FixedPlan(
        name=name,
        common_name=common_name,
        aliases=aliases,
        station_region="IL915",
        frequency_range_hz=(470_000_000, 510_000_000),
        data_rates={**LORA_125, 6: lora(7, 500), 7: fsk(50_000)},
        payload_sizes=_SIZES,
        max_eirp_dbm=19.15,
        tx_power_offsets_db=EIGHT_TX_POWERS_DB,
        rx1_data_rates=_RX1_DATA_RATES,
        rx2_frequency_hz=by_default.rx2_frequency_hz,
        rx2_data_rate=1,
        class_b=by_default.class_b,
        narrow_channels=tuple(Channel(frequency_hz, 1, 5) for frequency_hz in uplink_hz),
        downlink_frequencies_hz=downlink_hz,
        masks=masks,
        common_join_channels=join,
    )


_A20_UP = _row(470_300_000, 32) + _row(503_500_000, 32)
_A20_DOWN = _row(483_900_000, 32) + _row(490_300_000, 32)
_A20_JOIN = tuple(
    JoinChannel(
        _A20_UP[first + 3],
        _A20_DOWN[first + 3],
        _A20_DOWN[first + 7],
        _class_b(_A20_DOWN[first : first + 8], _A20_DOWN[first : first + 8]),
    )
    for first in range(0, 64, 8)
)
CN470 = _plan(
    "CN470",
    "CN470-510",
    aliases=("CN470-20A", "CN470-510-20-A", "CN470-A20"),
    uplink_hz=_A20_UP,
    downlink_hz=_A20_DOWN,
    join=_A20_JOIN,
    by_default=_A20_JOIN[1],
    masks=_MASKS_20_MHZ,
)

_B20 = _row(476_900_000, 32) + _row(496_900_000, 32)
_B20_JOIN = tuple(
    JoinChannel(
        _B20[first + 15],
        _B20[first + 15],
        _B20[first + 7],
        _class_b((_B20[first + 23],), _B20[first : first + 32]),
    )
    for first in (0, 32)
)
CN470_20B = _plan(
    "CN470-20B",
    "CN470-510, 20 MHz plan B",
    aliases=("CN470-510-20-B", "CN470-B20"),
    uplink_hz=_B20,
    downlink_hz=_B20,
    join=_B20_JOIN,
    by_default=_B20_JOIN[1],
    masks=_MASKS_20_MHZ,
)

_A26_UP = _row(470_300_000, 48)
_A26_JOIN = tuple(
    JoinChannel(_A26_UP[n], 492_500_000, 492_500_000, _class_b((494_900_000,), (494_900_000,)))
    for n in range(0, 48, 10)
)
CN470_26A = _plan(
    "CN470-26A",
    "CN470-510, 26 MHz plan A",
    aliases=("CN470-510-26-A", "CN470-A26"),
    uplink_hz=_A26_UP,
    downlink_hz=_row(490_100_000, 24),
    join=_A26_JOIN,
    by_default=_A26_JOIN[0],
    masks=_MASKS_26_MHZ,
)

_B26_UP = _row(480_300_000, 48)
_B26_JOIN = tuple(
    JoinChannel(_B26_UP[n], 502_500_000, 502_500_000, _class_b((504_900_000,), (504_900_000,)))
    for n in range(0, 48, 10)
)
CN470_26B = _plan(
    "CN470-26B",
    "CN470-510, 26 MHz plan B",
    aliases=("CN470-510-26-B", "CN470-B26"),
    uplink_hz=_B26_UP,
    downlink_hz=_row(500_100_000, 24),
    join=_B26_JOIN,
    by_default=_B26_JOIN[0],
    masks=_MASKS_26_MHZ,
)
