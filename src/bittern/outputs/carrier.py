"""Carries the messages of one lane to one output: the shell around `Lane`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.lane import Batch, Lane, Outcome
from bittern.outputs.port import Delivery, Failures, Message, Output
from bittern.types import Instant

log = logging.getLogger(__name__)

MessageOf = Callable[[Delivery], Message | None]
"""What to publish of it. None: it can go nowhere any more."""

Settled = Callable[[Outcome], None]
GivenUp = Callable[[list[tuple[Delivery, str, int]]], None]
"""With the reason and the attempts that there were of late."""

OLD_LOOKED_FOR_S = 10.0
"""Least time between two looks for what is too old."""


class Carrier:
    """One task per batch under way, none while there is nothing to do."""

    def __init__(
        self,
        output: Output,
        lane: Lane,
        *,
        message_of: MessageOf,
        settled: Settled,
        given_up: GivenUp = lambda _: None,
        now: Callable[[], Instant],
        limit_s: float,
        give_up_s: float = float("inf"),
    ) -> None:
        """A message that is older than `give_up_s` and fails again is given up; not before this
        carrier has had so much time."""
        self.output = output
        self.lane = lane
        self.message_of = message_of
        self._settled = settled
        self._given_up = given_up
        self._looked_for_old_at = Instant(float("-inf"))
        self._now = now
        self._limit_s = limit_s
        self._give_up_s = give_up_s
        self._made_at = now()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._woken = False
        self._idle = asyncio.Event()
        self.attempts_failed = 0
        self.unavailable_since: Instant | None = None
        self.last_failure = ""

    @property
    def available(self) -> bool:
        return self.unavailable_since is None

    def add(self, delivery: Delivery) -> None:
        self.lane.add(delivery)
        if not self._woken:
            # Messages that are offered in one turn of the loop go out in one batch.
            self._woken = True
            asyncio.get_running_loop().call_soon(self.wake)

    def wake(self) -> None:
        """Send what can go now."""
        self._woken = False
        while (batch := self.lane.take(self._now())) is not None:
            task = asyncio.create_task(self._carry(batch), name=f"publish to {self.output.name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.lane.under_way:
            self._idle.clear()
        else:
            self._idle.set()
        self._arm()

    async def idle(self) -> None:
        """Until nothing is under way and nothing can go without waiting for a time to come."""
        while self._woken or self.lane.under_way:
            self._idle.clear()
            await self._idle.wait()

    async def stop(self) -> None:
        """What is under way is given up; the store still owes it."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, batch: Batch) -> None:
        reason = "no answer in time"
        try:
            async with asyncio.timeout(self._limit_s):
                failures = await self._publish(batch.deliveries)
        except DeliveryUnavailable as unavailable:
            self._unavailable(batch, unavailable.reason)
        except TimeoutError:
            self._unavailable(batch, reason)
        except Exception as error:
            log.exception("output=%s an error of its own", self.output.name)
            self._unavailable(batch, repr(error))
        else:
            self._came_back(batch, failures)
        self.wake()

    async def _publish(self, deliveries: Sequence[Delivery]) -> Failures:
        message_of = self.message_of
        messages = [message_of(delivery) for delivery in deliveries]
        if None in messages:
            return await self._publish_some(messages)
        return await self.output.publish(messages)  # type: ignore[arg-type]

    async def _publish_some(self, messages: Sequence[Message | None]) -> Failures:
        """Some have lost their destination since they were queued."""
        failures: dict[int, DeliveryError] = {}
        positions: list[int] = []
        for position, message in enumerate(messages):
            if message is None:
                failures[position] = DeliveryRejected("its destination is gone")
            else:
                positions.append(position)
        if positions:
            there = [message for message in messages if message is not None]
            for place, failure in (await self.output.publish(there)).items():
                failures[positions[place]] = failure
        return failures

    def _came_back(self, batch: Batch, failures: Failures) -> None:
        put_off = [one for one in failures.values() if isinstance(one, DeliveryUnavailable)]
        self.attempts_failed += len(put_off)
        if put_off and len(put_off) == len(batch.deliveries):
            # An output that answers for each message by itself may be away as well.
            if self.available:
                reason = put_off[0].reason
                log.warning("output=%s puts everything off reason=%r", self.output.name, reason)
            self._is_away(put_off[0].reason)
        elif self.unavailable_since is not None:
            self.unavailable_since = None
            log.info("output=%s available again", self.output.name)
        self._settled(self.lane.came_back(batch, failures, self._now()))
        if failures:
            self._give_up("failed for too long")

    def _unavailable(self, batch: Batch, reason: str) -> None:
        self.attempts_failed += len(batch.deliveries)
        delay = self.lane.unavailable(batch, self._now())
        level = logging.WARNING if self.available else logging.DEBUG
        self._is_away(reason)
        log.log(
            level, "output=%s unavailable reason=%r retry_s=%.1f", self.output.name, reason, delay
        )
        self._give_up(f"unavailable for too long: {reason}")

    def _is_away(self, reason: str) -> None:
        if self.unavailable_since is None:
            self.unavailable_since = self._now()
        self.last_failure = reason

    def _give_up(self, reason: str) -> None:
        """What is too old, of all that waits: it would be found too late one by one."""
        now = self._now()
        if now < self._looked_for_old_at + OLD_LOOKED_FOR_S:
            return
        self._looked_for_old_at = now
        limit = now - self._give_up_s
        if self._made_at > limit:
            return
        old = self.lane.withdraw(lambda one: one.created_at < limit)
        if old:
            self._given_up([(delivery, reason, attempts) for delivery, attempts in old])

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.lane.next_timer()
        if due is not None:
            delay = max(0.0, due - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self.wake)
