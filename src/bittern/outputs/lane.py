"""Messages on their way to one output: in order per device, concurrent across devices.

A device has at most one batch under way; whatever it adds meanwhile waits behind that. Sans-IO:
`add` what is owed, `take` the next batch, tell how it went, ask `next_timer`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

import msgspec

from bittern.errors import DeliveryError, DeliveryRejected
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.port import Delivery, Failures
from bittern.types import EUI64, Instant


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a lane is under way at once."""

    batch_messages: int = 256
    batches: int = 16


class _Device:
    """The messages of one device that are not under way.

    It is in the queue for the next batch; or a batch of its messages is under way; or its last
    message was not taken, and it waits for the time to try again.
    """

    __slots__ = ("attempts", "dev_eui", "queue")

    def __init__(self, dev_eui: EUI64) -> None:
        self.dev_eui = dev_eui
        self.queue: list[Delivery] = []
        self.attempts = 0

    def insert(self, delivery: Delivery) -> None:
        """In order of sequence. Nearly always at the end; a message read back from the store
        late goes before those that overtook it."""
        queue = self.queue
        if not queue or queue[-1].sequence <= delivery.sequence:
            queue.append(delivery)
            return
        overtaken: list[Delivery] = []
        while queue and queue[-1].sequence > delivery.sequence:
            overtaken.append(queue.pop())
        queue.append(delivery)
        queue.extend(reversed(overtaken))


class Batch:
    """Messages taken together, each device's in a row."""

    __slots__ = ("deliveries", "shares")

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.shares: list[tuple[_Device, int]] = []
        """Each device and how many of the messages are its own."""


class Outcome(msgspec.Struct):
    """What became of a batch; what is in neither list is in the lane again."""

    delivered: list[Delivery]
    rejected: list[tuple[Delivery, str, int]]
    """With the reason, and how many attempts there were of late."""


class Lane:
    def __init__(self, backoff: Backoff, chance: Chance, limits: Limits | None = None) -> None:
        self._backoff = backoff
        self._chance = chance
        self._limits = limits or Limits()
        self._devices: dict[EUI64, _Device] = {}
        self._ready: deque[_Device] = deque()
        self._waiting: list[tuple[Instant, int, _Device]] = []
        self._tie = 0
        self._paused_until: Instant | None = None
        self._attempts = 0
        self._attempts_before = 0
        self.under_way = 0
        """Batches that were taken and have not come back."""
        self.queued = 0
        """Messages that are not under way."""

    def add(self, delivery: Delivery) -> None:
        device = self._devices.get(delivery.dev_eui)
        if device is None:
            device = self._devices[delivery.dev_eui] = _Device(delivery.dev_eui)
            self._ready.append(device)
        device.insert(delivery)
        self.queued += 1

    def take(self, now: Instant) -> Batch | None:
        """The next messages to publish. None: there are none now, or enough are under way."""
        self._release(now)
        if not self._ready or self.under_way >= self._batches_allowed(now):
            return None
        batch = Batch()
        room = self._limits.batch_messages
        while self._ready and room:
            device = self._ready.popleft()
            queue = device.queue
            count = min(room, len(queue))
            batch.deliveries += queue[:count]
            del queue[:count]
            batch.shares.append((device, count))
            room -= count
        self.queued -= len(batch.deliveries)
        self.under_way += 1
        return batch

    def came_back(self, batch: Batch, failures: Failures, now: Instant) -> Outcome:
        """The output answered: each message but the `failures` has reached its receiver."""
        self.under_way -= 1
        self._paused_until = None
        self._attempts_before, self._attempts = self._attempts, 0
        if not failures:
            for device, _ in batch.shares:
                device.attempts = 0
                self._next(device)
            return Outcome(batch.deliveries, [])
        outcome = Outcome([], [])
        start = 0
        for device, count in batch.shares:
            places = range(start, start + count)
            fates = [(batch.deliveries[place], failures.get(place)) for place in places]
            self._settle(device, fates, outcome, now)
            start += count
        return outcome

    def unavailable(self, batch: Batch, now: Instant) -> float:
        """The output could not be reached: all waits. Returns the delay in seconds.

        After the delay one batch alone tries again; the others follow when it has come back.
        """
        self.under_way -= 1
        start = 0
        for device, count in batch.shares:
            self._put_back(device, batch.deliveries[start : start + count])
            self._next(device)
            start += count
        if self._paused_until is None or now >= self._paused_until:
            # Batches that fail together are one failure.
            self._attempts += 1
            delay = self._backoff.delay_s(self._attempts, self._chance)
            self._paused_until = Instant(now + delay)
        return self._paused_until - now

    def withdraw(self, wanted: Callable[[Delivery], bool]) -> list[tuple[Delivery, int]]:
        """Take out what is not under way, with the attempts that there were of late."""
        taken: list[tuple[Delivery, int]] = []
        for device in self._devices.values():
            attempts = device.attempts + self._attempts
            gone = [one for one in device.queue if wanted(one)]
            if gone:
                taken += [(one, attempts) for one in gone]
                device.queue = [one for one in device.queue if not wanted(one)]
        self.queued -= len(taken)
        for device in [one for one in self._ready if not one.queue]:
            self._ready.remove(device)
            del self._devices[device.dev_eui]
        return taken

    def next_timer(self) -> Instant | None:
        """When `take` may have something that it has not now."""
        if self._paused_until is not None and not self.under_way:
            return self._paused_until if self._devices else None
        return self._waiting[0][0] if self._waiting else None

    def _batches_allowed(self, now: Instant) -> int:
        if self._paused_until is None:
            return self._limits.batches
        return 1 if now >= self._paused_until else 0

    def _release(self, now: Instant) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, _, device = heapq.heappop(self._waiting)
            self._next(device)

    def _settle(
        self,
        device: _Device,
        fates: list[tuple[Delivery, DeliveryError | None]],
        outcome: Outcome,
        now: Instant,
    ) -> None:
        again: list[Delivery] = []
        for delivery, failure in fates:
            if failure is None:
                # Even behind one that failed: it has arrived, a second copy mends no order.
                outcome.delivered.append(delivery)
            elif isinstance(failure, DeliveryRejected):
                attempts = device.attempts + self._attempts_before + 1
                outcome.rejected.append((delivery, failure.reason, attempts))
            else:
                again.append(delivery)
        self._put_back(device, again)
        if again:
            self._wait(device, now)
        else:
            device.attempts = 0
            self._next(device)

    def _put_back(self, device: _Device, deliveries: list[Delivery]) -> None:
        self.queued += len(deliveries)
        if device.queue and deliveries and device.queue[0].sequence < deliveries[-1].sequence:
            for delivery in deliveries:
                device.insert(delivery)
        else:
            device.queue[:0] = deliveries

    def _wait(self, device: _Device, now: Instant) -> None:
        device.attempts += 1
        self._tie += 1
        due = Instant(now + self._backoff.delay_s(device.attempts, self._chance))
        heapq.heappush(self._waiting, (due, self._tie, device))

    def _next(self, device: _Device) -> None:
        if device.queue:
            self._ready.append(device)
        else:
            del self._devices[device.dev_eui]
