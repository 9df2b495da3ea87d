"""Beacons and ping slots (TS001-1.0.4, 10 to 13; LoRaWAN 1.1, 8 to 15).

Between two beacons, from the end of what is reserved for the first to the guard before the second,
there are 4096 slots of 30 ms. A device listens in a few of them at equal distances; which, it draws
anew for each beacon, so that two devices do not collide for ever.

GPS times are microseconds since 1980-01-06 without leap seconds.
"""

from __future__ import annotations

from typing import NamedTuple

from bittern.lorawan.crypto import ping_slot_draw
from bittern.types import DevAddr

BEACON_PERIOD_S = 128
BEACON_RESERVED_US = 2_120_000
SLOT_US = 30_000
SLOTS = 4096
"""In a beacon window of 122.88 s."""
MAX_PERIODICITY = 7
"""One ping slot in a beacon period; also what a network assumes of a device that did not tell
(RP002-1.0.4, default settings)."""

_PERIOD_US = BEACON_PERIOD_S * 1_000_000


class PingSlot(NamedTuple):
    """One chance to reach a device of class B."""

    gps_time_us: int
    """When the slot begins, and so the frame."""
    beacon_time_s: int
    """Of the beacon before it: what the slot's frequency depends on."""


def beacon_time_s(gps_time_us: int) -> int:
    """GPS seconds of the last beacon at that time."""
    return gps_time_us // _PERIOD_US * BEACON_PERIOD_S


def ping_period(periodicity: int) -> int:
    """Slots from one ping slot to the next, 32..4096 (TS001-1.0.4, 12.1)."""
    if not 0 <= periodicity <= MAX_PERIODICITY:
        raise ValueError(f"ping slot periodicity is 0 to {MAX_PERIODICITY}, not {periodicity}")
    return 1 << 5 + periodicity


def ping_offset(beacon_time_s: int, dev_addr: DevAddr, periodicity: int) -> int:
    """Number of the first ping slot after that beacon (TS001-1.0.4, 13.2)."""
    return ping_slot_draw(beacon_time_s, dev_addr) % ping_period(periodicity)


def next_ping_slot(after_gps_us: int, dev_addr: DevAddr, periodicity: int) -> PingSlot:
    """The first that does not begin before ``after_gps_us``."""
    beacon_s, period = beacon_time_s(after_gps_us), ping_period(periodicity)
    while True:
        first = ping_offset(beacon_s, dev_addr, periodicity)
        begin_us = beacon_s * 1_000_000 + BEACON_RESERVED_US
        missed = max(after_gps_us - begin_us - first * SLOT_US, 0)
        slot = first - -missed // (period * SLOT_US) * period
        if slot < SLOTS:
            return PingSlot(begin_us + slot * SLOT_US, beacon_s)
        beacon_s += BEACON_PERIOD_S
