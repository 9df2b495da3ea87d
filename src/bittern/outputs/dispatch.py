"""From the outbox to the destinations: at least once, in order per device.

The store owes a message until its output says that it has arrived. Those handed over right after
their commit never touch the store again but to be struck off; after a restart, or when more is owed
than memory may hold, messages are read back from the store. A message that no output will take is
set aside: it stays in the store, blocks nobody, and is tried again after a while, when a
destination changes, and at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import msgspec

from bittern.errors import DeliveryRejected, StoreError
from bittern.outputs.backlog import Backlog
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.carrier import Carrier
from bittern.outputs.lane import Lane, Limits, Outcome
from bittern.outputs.port import Delivery, Output, OwedMessages
from bittern.outputs.routing import Route, Router
from bittern.types import Instant

log = logging.getLogger(__name__)


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and pace. Times are in seconds."""

    capacity: int = 20_000
    """Messages in memory; further ones wait in the store."""
    page: int = 1000
    """Messages read back from the store at once."""
    strike_interval_s: float = 0.02
    """Least time between two strikings-off: what arrived meanwhile shares a transaction."""
    publish_limit_s: float = 60.0
    """An output that has not answered for so long is unavailable."""
    drain_s: float = 10.0
    """At an orderly stop, time for what is in memory to go out."""
    set_aside_s: float = 900.0
    """A message that was rejected is tried again after this time."""
    route_age_s: float = 10.0
    """A destination is looked up again when it was last looked up so long ago."""
    rejections_logged: int = 10
    """Rejected messages that are logged one by one within `set_aside_s`; others are counted."""
    backoff: Backoff = Backoff()
    limits: Limits = Limits()


class _Way:
    """What is known of a destination. Without a route and a reason it is being looked up."""

    __slots__ = ("looked_up_at", "looking_up", "reason", "route", "waiting")

    def __init__(self) -> None:
        self.route: Route | None = None
        self.reason: str | None = None
        self.waiting: list[Delivery] = []
        self.looked_up_at = Instant(float("-inf"))
        self.looking_up = False


class Dispatcher:
    """Takes what is owed to the outputs and strikes off the store what arrived there.

    An async context manager: inside, `offer` takes messages; at the end what is in memory goes out
    within `drain_s`, and what is left stays in the store.
    """

    def __init__(
        self,
        store: OwedMessages,
        router: Router,
        *,
        now: Callable[[], Instant],
        chance: Chance,
        settings: DispatchSettings | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._router = router
        self._now = now
        self._chance = chance
        self._settings = settings or DispatchSettings()
        self._sleep = sleep
        self._backlog = Backlog(self._settings.capacity)
        self._ways: dict[tuple[str, str], _Way] = {}
        self._carriers: dict[str, Carrier] = {}
        self._arrived: list[int] = []
        self._strike = asyncio.Event()
        self._struck = asyncio.Event()
        self._read = asyncio.Event()
        self._retry_aside = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._look_ups: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._aside = 0
        self._delivered = 0
        self._rejected = 0
        self._logged = 0

    async def __aenter__(self) -> Self:
        self._read.set()
        self._start("read back owed messages", self._read_back)
        self._start("strike off delivered messages", self._strike_off)
        self._start("retry messages set aside", self._retry_set_aside)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await self._drain()
        except TimeoutError:
            log.warning("left_in_store=%d not delivered before the stop", len(self._backlog))
        for carrier in self._carriers.values():
            await carrier.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def offer(self, delivery: Delivery) -> None:
        """A message that has just been stored. It is queued, or stays in the store for now."""
        if self._stopping:
            return
        if self._backlog.offered(delivery):
            self._enqueue(delivery)
        else:
            self._read.set()

    def destinations_changed(self) -> None:
        """Destinations were added, changed or removed: look them up again."""
        for key, way in self._ways.items():
            self._look_up(key, way)
        self._retry_aside.set()

    def statistics(self) -> Mapping[str, int]:
        return {
            "delivered": self._delivered,
            "rejected": self._rejected,
            "set_aside": self._aside,
            "retried": sum(carrier.attempts_failed for carrier in self._carriers.values()),
            "in_memory": len(self._backlog),
            "queued": sum(carrier.lane.queued for carrier in self._carriers.values()),
            "batches_under_way": sum(c.lane.under_way for c in self._carriers.values()),
            "reading_back": int(self._backlog.reading),
            "outputs_unavailable": sum(not c.available for c in self._carriers.values()),
        }

    def _start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        async def supervised() -> None:
            try:
                await work()
            except Exception:
                log.exception("task=%r ended by an error of its own", name)

        task = asyncio.create_task(supervised(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Where a message goes

    def _enqueue(self, delivery: Delivery) -> None:
        key = (delivery.account, delivery.destination)
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = _Way()
        if self._now() - way.looked_up_at > self._settings.route_age_s:
            self._look_up(key, way)
        if way.route is not None:
            self._carrier(way.route.output).add(delivery)
        elif way.reason is not None:
            self._set_aside(delivery, way.reason)
        else:
            way.waiting.append(delivery)

    def _carrier(self, output: Output) -> Carrier:
        carrier = self._carriers.get(output.name)
        if carrier is None:
            settings = self._settings
            carrier = self._carriers[output.name] = Carrier(
                output,
                Lane(settings.backoff, self._chance, settings.limits),
                topic_of=self._topic_of,
                settled=self._settle,
                now=self._now,
                limit_s=settings.publish_limit_s,
            )
        return carrier

    def _topic_of(self, delivery: Delivery) -> str | None:
        way = self._ways[delivery.account, delivery.destination]
        return None if way.route is None else way.route.topic

    def _look_up(self, key: tuple[str, str], way: _Way) -> None:
        """Meanwhile messages go by what was known."""
        if not way.looking_up:
            way.looking_up = True
            look_up = partial(self._find_route, key, way)
            task = self._start(f"look up destination {key[1]}", look_up)
            self._look_ups.add(task)
            task.add_done_callback(self._look_ups.discard)

    async def _find_route(self, key: tuple[str, str], way: _Way) -> None:
        try:
            await self._route(key, way)
        finally:
            way.looking_up = False
        waiting, way.waiting = way.waiting, []
        for delivery in waiting:
            self._enqueue(delivery)

    async def _route(self, key: tuple[str, str], way: _Way) -> None:
        """Until the router has answered, whatever it says."""
        attempts = 0
        while True:
            try:
                way.route = await self._router.route(*key)
                way.reason = None
                break
            except DeliveryRejected as rejection:
                if way.reason is None:
                    log.warning("destination=%s unusable reason=%r", key[1], rejection.reason)
                way.route = None
                way.reason = rejection.reason
                break
            except StoreError as error:
                attempts += 1
                log.warning("destination=%s not looked up reason=%r", key[1], str(error))
                await self._sleep(self._settings.backoff.delay_s(attempts, self._chance))
        way.looked_up_at = self._now()

    # What became of it

    def _settle(self, outcome: Outcome) -> None:
        for delivery, reason in outcome.rejected:
            self._rejected += 1
            self._log_rejection(delivery, reason)
            self._set_aside(delivery, reason)
        if outcome.delivered:
            self._delivered += len(outcome.delivered)
            self._arrived.extend(delivery.sequence for delivery in outcome.delivered)
            self._strike.set()

    def _set_aside(self, delivery: Delivery, reason: str) -> None:
        self._aside += 1
        self._backlog.done((delivery.sequence,))
        log.debug("message_id=%s set aside reason=%r", delivery.message_id, reason)

    def _log_rejection(self, delivery: Delivery, reason: str) -> None:
        self._logged += 1
        if self._logged <= self._settings.rejections_logged:
            log.warning(
                "dev_eui=%s message_id=%s destination=%s rejected reason=%r",
                delivery.dev_eui,
                delivery.message_id,
                delivery.destination,
                reason,
            )

    async def _strike_off(self) -> None:
        attempts = 0
        while True:
            await self._strike.wait()
            await self._sleep(self._settings.strike_interval_s)
            self._strike.clear()
            batch, self._arrived = self._arrived, []
            try:
                await self._store.delivered(batch)
            except StoreError as error:
                attempts += 1
                self._arrived = batch + self._arrived
                self._strike.set()
                log.warning("delivered=%d not struck off reason=%r", len(batch), str(error))
                await self._sleep(self._settings.backoff.delay_s(attempts, self._chance))
                continue
            attempts = 0
            self._backlog.done(batch)
            if not self._arrived:
                self._struck.set()
            if self._backlog.reading:
                self._read.set()

    # What the store still owes

    async def _read_back(self) -> None:
        attempts = 0
        while True:
            await self._read.wait()
            self._read.clear()
            while self._backlog.reading and self._has_room() and not self._stopping:
                after = self._backlog.begin_page()
                try:
                    page = await self._store.owed(after, self._settings.page)
                except StoreError as error:
                    attempts += 1
                    self._backlog.page_failed()
                    log.warning("owed messages not read back reason=%r", str(error))
                    await self._sleep(self._settings.backoff.delay_s(attempts, self._chance))
                    continue
                attempts = 0
                self._took(page, after)

    def _took(self, page: Sequence[Delivery], after: int) -> None:
        complete = len(page) < self._settings.page
        for delivery in self._backlog.page(page, after, complete=complete):
            self._enqueue(delivery)

    def _has_room(self) -> bool:
        """For a page; or for a part of one, where memory does not hold two."""
        return self._backlog.room >= min(self._settings.page, self._settings.capacity // 2)

    async def _retry_set_aside(self) -> None:
        while True:
            await self._wait_for_retry()
            self._logged = 0
            if self._aside and not self._backlog.reading:
                await self._read_set_aside()

    async def _wait_for_retry(self) -> None:
        waits = {
            asyncio.ensure_future(self._retry_aside.wait()),
            asyncio.ensure_future(self._sleep(self._settings.set_aside_s)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._retry_aside.clear()

    async def _read_set_aside(self) -> None:
        """Whatever the store owes beside what is in memory was set aside."""
        after, last = 0, self._backlog.last_seen
        self._aside = 0
        while after < last and not self._backlog.reading:
            try:
                page = await self._store.owed(after, self._settings.page)
            except StoreError as error:
                log.warning("messages set aside not read back reason=%r", str(error))
                return
            for delivery in page:
                self._try_again(delivery, last)
            if len(page) < self._settings.page:
                return
            after = page[-1].sequence

    def _try_again(self, delivery: Delivery, last: int) -> None:
        if delivery.sequence > last or delivery.sequence in self._backlog:
            return
        if self._backlog.again(delivery.sequence):
            self._enqueue(delivery)
        else:
            self._aside += 1

    async def _drain(self) -> None:
        while self._look_ups:
            await asyncio.wait(self._look_ups)
        for carrier in self._carriers.values():
            await carrier.idle()
        while self._arrived or self._strike.is_set():
            self._struck.clear()
            await self._struck.wait()
