"""Gather the copies of one frame that several gateways heard.

One timer wheel serves all frames: a frame is due a fixed window after its first copy, so the wheel
is a queue in order of arrival and the shell needs one timer, for its head.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from bittern.lorawan.radio import Reception
from bittern.types import Instant

LATE_COPY_S = 1.0
"""After its window, a further copy within this time is late, not new. A device sends the same bytes
again only after its receive windows, which open a second or more after the end of its uplink
(TS001-1.0.4, 3.3)."""


class Gathered(msgspec.Struct, frozen=True, gc=False):
    """One frame and everybody who heard it, the best reception first."""

    phy_payload: bytes
    receptions: tuple[Reception, ...]

    @property
    def best(self) -> Reception:
        return self.receptions[0]

    @property
    def received_at(self) -> Instant:
        """When the first copy arrived."""
        if len(self.receptions) == 1:
            return self.receptions[0].received_at
        return min(reception.received_at for reception in self.receptions)


class _Gathering:
    """A frame whose window is open (`receptions`), or was not long ago (`receptions` is empty)."""

    __slots__ = ("first_at", "receptions")

    def __init__(self, reception: Reception, now: Instant) -> None:
        self.first_at = now
        self.receptions = [reception]


class Deduplicator:
    """Sans-IO: `add` copies, ask `next_timer`, take what is `due`."""

    def __init__(self, window_s: float, capacity: int = 100_000) -> None:
        self.window_s = window_s
        self._capacity = capacity
        self._open: OrderedDict[bytes, _Gathering] = OrderedDict()
        self._closed: OrderedDict[bytes, Instant] = OrderedDict()
        self.copies = 0
        self.late_copies = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, phy_payload: bytes, reception: Reception, now: Instant) -> bool:
        """Take one copy. False: there is no room for another frame, it is refused."""
        gathering = self._open.get(phy_payload)
        if gathering is not None:
            self.copies += 1
            gathering.receptions.append(reception)
            return True
        if phy_payload in self._closed:
            self.late_copies += 1
            return True
        if len(self._open) >= self._capacity:
            return False
        self._open[phy_payload] = _Gathering(reception, now)
        return True

    def next_timer(self) -> Instant | None:
        for gathering in self._open.values():
            return Instant(gathering.first_at + self.window_s)
        return None

    def due(self, now: Instant, limit: int | None = None) -> list[Gathered]:
        """The frames whose window has passed, in order of arrival; no more than `limit` of them."""
        self._forget_closed(now)
        gathered: list[Gathered] = []
        while self._open and len(gathered) != limit:
            phy_payload, gathering = next(iter(self._open.items()))
            if gathering.first_at + self.window_s > now:
                break
            del self._open[phy_payload]
            self._closed[phy_payload] = Instant(now + LATE_COPY_S)
            gathered.append(Gathered(phy_payload, _best_first(gathering.receptions)))
        return gathered

    def flush(self) -> list[Gathered]:
        """Everything that is open, due or not: the server is shutting down."""
        gathered = [
            Gathered(phy_payload, _best_first(gathering.receptions))
            for phy_payload, gathering in self._open.items()
        ]
        self._open.clear()
        return gathered

    def _forget_closed(self, now: Instant) -> None:
        while self._closed:
            phy_payload, until = next(iter(self._closed.items()))
            if until > now:
                break
            del self._closed[phy_payload]


def _best_first(receptions: list[Reception]) -> tuple[Reception, ...]:
    """One reception per gateway, by SNR, then RSSI.

    A gateway with several antennas reports a frame once for each; its best one stands for it.
    """
    if len(receptions) == 1:
        return (receptions[0],)
    ranked = sorted(receptions, key=lambda r: (r.snr_db, r.rssi_dbm), reverse=True)
    best: dict[bytes, Reception] = {}
    for reception in ranked:
        best.setdefault(reception.gateway_eui, reception)
    return tuple(best.values())
