"""Every gateway's time on air: what it was handed, what it reported, and so what it can still send.

A frame is booked when a gateway is handed it, for the first of its windows; should the report name
another, for that; without a report the booking is taken back. Times are the server's; they are a
little off the gateway's, so frames are kept `GUARD_S` apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from math import log
from typing import NamedTuple

from bittern.network.airtime_limits import OBSERVED_S, AirtimeLimits, Limit
from bittern.types import GatewayEUI, Instant

GUARD_S = 0.05
"""Between two frames of a gateway: a station needs 10 ms, the rest is what clocks differ by, and
what is not known of how soon "at once" is."""
LOAD_HALF_LIFE_S = 60.0
_LOAD_MEMORY_S = LOAD_HALF_LIFE_S / log(2)
"""What a gateway that always sends has in its decaying sum of airtimes."""


class Obstacle(StrEnum):
    """Why a gateway cannot send a frame at a time."""

    TOO_LATE = "too late for the receive windows"
    RADIO_BUSY = "the gateway's radio is busy"
    NO_AIRTIME = "the gateway's duty cycle leaves no airtime"
    NO_GPS_TIME = "the gateway has no GPS time"
    OVERTAKES = "an earlier frame to the device is still under way"
    NOT_CONNECTED = "no gateway that heard the device is connected"


class Slot(NamedTuple):
    """A time on air, as planned or as reported."""

    at: Instant
    airtime_s: float
    frequency_hz: int

    @property
    def end(self) -> Instant:
        return Instant(self.at + self.airtime_s)


class _Spent:
    """What counts against one limit, in order of time."""

    __slots__ = ("slots", "total_s")

    def __init__(self) -> None:
        self.slots: deque[Slot] = deque()
        self.total_s = 0.0

    def add(self, slot: Slot) -> None:
        later = []
        while self.slots and self.slots[-1].at > slot.at:
            later.append(self.slots.pop())
        self.slots.extend((slot, *reversed(later)))
        self.total_s += slot.airtime_s

    def remove(self, slot: Slot) -> None:
        if slot in self.slots:
            self.slots.remove(slot)
            self.total_s -= slot.airtime_s

    def forget_before(self, at: float) -> None:
        while self.slots and self.slots[0].at < at:
            self.total_s -= self.slots.popleft().airtime_s


class GatewayAirtime:
    """The account of one gateway."""

    def __init__(self, limits: AirtimeLimits) -> None:
        self.limits = limits
        self.unreported = 0
        """Frames in a row that it was handed and did not report."""
        self._booked: dict[int, tuple[Slot, ...]] = {}
        self._spent: dict[tuple[str, int], _Spent] = {}
        self._load_s = 0.0
        self._load_at = Instant(0.0)

    # What it can send

    def obstacle(self, slot: Slot) -> Obstacle | None:
        """Why a frame cannot go then; None: it can."""
        if self._limits_end(slot) > slot.at:
            return Obstacle.NO_AIRTIME
        return Obstacle.RADIO_BUSY if self._radio_ends(slot) > slot.at else None

    def free_from(self, slot: Slot) -> Instant:
        """The first time, not before the slot's, when a frame as long could go."""
        while (at := self._free_from(slot)) > slot.at:
            slot = slot._replace(at=at)
        return slot.at

    def _free_from(self, slot: Slot) -> Instant:
        """The slot's own time, or one that is nearer to when it could be."""
        return max(self._limits_end(slot), self._radio_ends(slot))

    def _limits_end(self, slot: Slot) -> Instant:
        limits = self.limits.at(slot.frequency_hz)
        return max((self._within(limit, slot) for limit in limits), default=slot.at)

    def _radio_ends(self, slot: Slot) -> Instant:
        for other, *_ in self._booked.values():
            if slot.at < other.end + GUARD_S and other.at < slot.end + GUARD_S:
                return Instant(other.end + GUARD_S)
        return slot.at

    def _within(self, limit: Limit, slot: Slot) -> Instant:
        spent = self._spent.get(limit.share)
        if spent is None:
            return slot.at
        if limit.hourly_s is not None:
            return _hour_leaves_room(spent.slots, limit.hourly_s, slot)
        return _pauses_are_over(spent.slots, limit.pause_factor, slot)

    def share_used(self, frequency_hz: int, now: Instant) -> float:
        """Of the time that the law grants at this frequency within an hour: 0..1."""
        shares = [
            self._hour(limit, now).total_s / limit.hourly_s
            for limit in self.limits.at(frequency_hz)
            if limit.hourly_s is not None
        ]
        return min(max(shares, default=0.0), 1.0)

    def load(self, now: Instant) -> float:
        """The share of its time that it sends of late: 0..1, most of it within the last minutes."""
        decayed = self._load_s * 2 ** (-max(now - self._load_at, 0.0) / LOAD_HALF_LIFE_S)
        return min(decayed / (_LOAD_MEMORY_S), 1.0)

    def _hour(self, limit: Limit, now: Instant) -> _Spent:
        spent = self._spent.setdefault(limit.share, _Spent())
        spent.forget_before(now - OBSERVED_S)
        return spent

    # What it was handed

    def book(self, downlink_id: int, slots: Sequence[Slot], now: Instant) -> None:
        """A frame for the first of the slots, or, should the gateway prefer so, another."""
        ended = [one for one, booked in self._booked.items() if booked[-1].end + GUARD_S < now]
        for one in ended:
            del self._booked[one]
        self._booked[downlink_id] = tuple(slots)
        self._spend(slots[0], now)

    def settle(
        self, downlink_id: int, frequency_hz: int, now: Instant, begun_at: Instant | None = None
    ) -> None:
        """The frame went on air just now: in that of its slots which has this frequency.

        `begun_at` is better known than its slot, if it was to go at once.
        """
        self.unreported = 0
        slots = self._booked.get(downlink_id)
        if slots is None:
            return
        used = min(slots, key=lambda slot: (slot.frequency_hz != frequency_hz, abs(slot.at - now)))
        if begun_at is not None:
            used = used._replace(at=max(begun_at, used.at))
        self._booked[downlink_id] = (used,)
        if used != slots[0]:
            self._take_back(slots[0])
            self._spend(used, now)

    def release(self, downlink_id: int) -> None:
        """The frame was not reported: it never went on air."""
        self.unreported += 1
        slots = self._booked.pop(downlink_id, None)
        if slots is not None:
            self._take_back(slots[0])

    def _spend(self, slot: Slot, now: Instant) -> None:
        self._load_s = self.load(now) * _LOAD_MEMORY_S + slot.airtime_s
        self._load_at = now
        for limit in self.limits.at(slot.frequency_hz):
            self._hour(limit, now).add(slot)

    def _take_back(self, slot: Slot) -> None:
        self._load_s = max(self._load_s - slot.airtime_s, 0.0)
        for limit in self.limits.at(slot.frequency_hz):
            if (spent := self._spent.get(limit.share)) is not None:
                spent.remove(slot)


class AirtimeLedger:
    """One for the whole server."""

    def __init__(self) -> None:
        self._accounts: dict[GatewayEUI, GatewayAirtime] = {}

    def account(self, gateway_eui: GatewayEUI, limits: AirtimeLimits) -> GatewayAirtime:
        """Made at its first use; kept when the gateway's limits change."""
        account = self._accounts.get(gateway_eui)
        if account is None:
            account = self._accounts[gateway_eui] = GatewayAirtime(limits)
        account.limits = limits
        return account

    def known(self, gateway_eui: GatewayEUI) -> GatewayAirtime | None:
        return self._accounts.get(gateway_eui)

    def __iter__(self) -> Iterator[GatewayEUI]:
        return iter(self._accounts)


def _hour_leaves_room(spent: Iterable[Slot], hourly_s: float, slot: Slot) -> Instant:
    """When enough of what was sent has left the hour that ends with the slot.

    What is booked for later counts too: its hour has this slot in it.
    """
    recent = [other for other in spent if other.at > slot.at - OBSERVED_S]
    surplus_s = sum(other.airtime_s for other in recent) + slot.airtime_s - hourly_s
    at = slot.at
    for other in recent:
        if surplus_s <= 0:
            break
        surplus_s -= other.airtime_s
        at = Instant(max(at, other.at + OBSERVED_S))
    return at


def _pauses_are_over(spent: Iterable[Slot], factor: int, slot: Slot) -> Instant:
    """When neither a pause reaches the slot nor its own pause the next frame booked."""
    at = slot.at
    for other in spent:
        over_at = Instant(other.at + factor * other.airtime_s + GUARD_S)
        if other.at <= at:
            at = max(at, over_at)
        elif at + factor * slot.airtime_s + GUARD_S > other.at:
            at = over_at
    return at
