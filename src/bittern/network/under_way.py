"""What is under way to each device, and so what may be sent to it after it.

A frame is under way from when a gateway takes it until its time on air is over. Counters reach a
device in their order: a frame that goes on air after one with a higher counter is refused there as
replayed. So whoever plans a frame asks here first. An answer to an uplink begins after everything
under way has begun; anything else waits until it is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bittern.network.airtime_ledger import Slot
from bittern.network.ports import Clock
from bittern.types import DevEUI, Instant


class _Frame(NamedTuple):
    """The latest that is possible; once it is reported, what happened."""

    begins_at: Instant
    over_at: Instant


class UnderWay:
    """One for the whole server."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._frames: dict[DevEUI, dict[int, _Frame]] = {}
        self._on_air: deque[tuple[Instant, DevEUI, int]] = deque()
        """Reported, and to be forgotten when they are over."""

    def __len__(self) -> int:
        return sum(len(frames) for frames in self._frames.values())

    def begun_by(self, dev_eui: DevEUI) -> Instant | None:
        """When everything is on air that is under way to the device; None: it is, or nothing is."""
        frames = self._frames.get(dev_eui)
        return self._to_come(frame.begins_at for frame in frames.values()) if frames else None

    def over_at(self, dev_eui: DevEUI) -> Instant | None:
        """When all of it has been on air; None: it has, or nothing is under way."""
        frames = self._frames.get(dev_eui)
        return self._to_come(frame.over_at for frame in frames.values()) if frames else None

    def taken(self, dev_eui: DevEUI, downlink_id: int, slots: Sequence[Slot]) -> None:
        """A gateway has a frame, for one of the slots."""
        self._forget_what_is_over()
        last = slots[-1]
        self._frames.setdefault(dev_eui, {})[downlink_id] = _Frame(last.at, last.end)

    def begun(self, dev_eui: DevEUI, downlink_id: int, at: Instant, airtime_s: float) -> None:
        """It is on air."""
        over_at = Instant(at + airtime_s)
        self._frames.setdefault(dev_eui, {})[downlink_id] = _Frame(at, over_at)
        self._on_air.append((over_at, dev_eui, downlink_id))

    def lost(self, dev_eui: DevEUI, downlink_id: int) -> None:
        """It is not expected on air any more."""
        frames = self._frames.get(dev_eui)
        if frames is not None:
            frames.pop(downlink_id, None)
            if not frames:
                del self._frames[dev_eui]

    def _to_come(self, times: Iterable[Instant]) -> Instant | None:
        latest = max(times)
        return latest if latest > self._now() else None

    def _forget_what_is_over(self) -> None:
        while self._on_air and self._on_air[0][0] <= self._now():
            _, dev_eui, downlink_id = self._on_air.popleft()
            self.lost(dev_eui, downlink_id)
