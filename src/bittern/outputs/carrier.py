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

TopicOf = Callable[[Delivery], str | None]
"""The topic of a message as its destination says now. None: it can go nowhere any more."""

Settled = Callable[[Outcome], None]


class Carrier:
    """One task per batch under way, none while there is nothing to do."""

    def __init__(
        self,
        output: Output,
        lane: Lane,
        *,
        topic_of: TopicOf,
        settled: Settled,
        now: Callable[[], Instant],
        limit_s: float,
    ) -> None:
        self.output = output
        self.lane = lane
        self._topic_of = topic_of
        self._settled = settled
        self._now = now
        self._limit_s = limit_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._woken = False
        self._idle = asyncio.Event()
        self.attempts_failed = 0
        self.available = True

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
        topic_of = self._topic_of
        topics = [topic_of(delivery) for delivery in deliveries]
        if None not in topics:
            return await self.output.publish(
                [
                    Message(topic, delivery.document, delivery.message_id, device=delivery.dev_eui)
                    for topic, delivery in zip(topics, deliveries, strict=True)
                    if topic is not None
                ]
            )
        return await self._publish_some(topics, deliveries)

    async def _publish_some(
        self, topics: Sequence[str | None], deliveries: Sequence[Delivery]
    ) -> Failures:
        """Some have lost their destination since they were queued."""
        failures: dict[int, DeliveryError] = {}
        messages: list[Message] = []
        positions: list[int] = []
        for position, (topic, delivery) in enumerate(zip(topics, deliveries, strict=True)):
            if topic is None:
                failures[position] = DeliveryRejected("its destination is gone")
            else:
                positions.append(position)
                messages.append(
                    Message(topic, delivery.document, delivery.message_id, device=delivery.dev_eui)
                )
        if messages:
            for place, failure in (await self.output.publish(messages)).items():
                failures[positions[place]] = failure
        return failures

    def _came_back(self, batch: Batch, failures: Failures) -> None:
        if not self.available:
            self.available = True
            log.info("output=%s available again", self.output.name)
        self.attempts_failed += sum(
            isinstance(failure, DeliveryUnavailable) for failure in failures.values()
        )
        self._settled(self.lane.came_back(batch, failures, self._now()))

    def _unavailable(self, batch: Batch, reason: str) -> None:
        self.attempts_failed += len(batch.deliveries)
        delay = self.lane.unavailable(batch, self._now())
        level = logging.WARNING if self.available else logging.DEBUG
        self.available = False
        log.log(
            level, "output=%s unavailable reason=%r retry_s=%.1f", self.output.name, reason, delay
        )

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.lane.next_timer()
        if due is not None:
            delay = max(0.0, due - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self.wake)
