"""From the outbox to the destinations: at least once, in order per device and receiver.

The store owes a message until each of its receivers has its share, or the share has a row of its
own in the store. Messages handed over right after their commit never touch the store again but to
be struck off; after a restart, or when more is owed than memory may hold, they are read back.

    message -> way        the destination: a topic, rules           ways, routing
            -> shares     what each action of each rule is owed     evaluation
            -> channel    one lane: its memory, rows and output     channel, carrier, lane
            -> ledger     what is done, owed in lanes, or buried    ledger, shares, giving_up
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from bittern.errors import StoreError
from bittern.outputs.actions import ReadyRule, topic_of_rule
from bittern.outputs.backlog import Backlog
from bittern.outputs.backoff import Chance
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.channel import LaneStatistics
from bittern.outputs.channels import Channels
from bittern.outputs.evaluation import Evaluated, Evaluator
from bittern.outputs.giving_up import GivingUp
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Part
from bittern.outputs.port import Delivery, Health, OwedMessages
from bittern.outputs.retention import Retention
from bittern.outputs.routing import Route, Router
from bittern.outputs.shares import Shares
from bittern.outputs.ways import Ways
from bittern.types import EUI64, Instant

log = logging.getLogger(__name__)


FAULT_TOLD_S = 300.0
"""So long after a part of it has begun again, health tells what had ended it."""


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
        evaluator: Evaluator | None = None,
        retention: Retention | None = None,
        settings: DispatchSettings | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        settings = settings or DispatchSettings()
        self._store = store
        self._router = router
        self._now = now
        self._chance = chance
        self._evaluator = evaluator or Evaluator(now=now, random_bytes=_no_chance)
        self._retention = retention
        self._settings = settings
        self._sleep = sleep
        self._backlog = Backlog(settings.capacity)
        self._ways = Ways(
            router,
            again=self._enqueue,
            start=self.start,
            age_s=settings.route_age_s,
            now=now,
            backoff=settings.backoff,
            chance=chance,
            sleep=sleep,
        )
        self._ledger = Ledger(
            store,
            struck=self._struck,
            interval_s=settings.strike_interval_s,
            backoff=settings.backoff,
            chance=chance,
            sleep=sleep,
        )
        self._giving_up = GivingUp(self._ledger, self._owe_error, now, settings.failures_logged)
        self._shares = Shares(
            store,
            self._ledger,
            self._giving_up,
            self.start,
            bounds=settings,
            chance=chance,
            sleep=sleep,
        )
        self._channels = Channels(
            store,
            router,
            ledger=self._ledger,
            office=self._shares,
            topic_of=self._ways.topic,
            bounds=settings,
            now=now,
            chance=chance,
            sleep=sleep,
        )
        self._asking: dict[EUI64, deque[tuple[Delivery, Route]]] = {}
        self._may_ask = asyncio.Semaphore(settings.asked_at_once)
        self._read = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: dict[str, tuple[Instant, str]] = {}
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._keep_up("write down what was delivered", self._ledger.run)
        self._keep_up("gather failures", self._shares.gathering.run)
        self._keep_up("read back owed messages", self._read_back)
        self._keep_up("look after the memory", self._look_after_memory)
        self._keep_up("log failures again", self._log_again)
        if self._retention is not None:
            self._keep_up("keep within the disk budget", partial(self._keep, self._retention))
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
        await self._channels.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_full(self) -> bool:
        """Whether no message can be owed now."""
        return self._retention is not None and self._retention.is_full

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
        self._ways.look_up_again()

    def rules_changed(self) -> None:
        """Rules were added, changed or removed."""
        self._router.forget()
        self._ways.look_up_again()
        self.start("follow rules", self._channels.follow_rules)

    def replayed(self, lane: str) -> None:
        """Somebody has put messages back into the outbox (empty) or a lane."""
        if not lane:
            self._backlog.look_again()
            self._read.set()
        else:
            self.start(f"look into lane {lane}", partial(self._channels.look_into, lane))

    def statistics(self) -> Mapping[str, int]:
        channels = list(self._channels)
        return {
            "delivered": sum(one.statistics().delivered for one in channels),
            "done": self._shares.done,
            "failed": sum(one.statistics().failed for one in channels),
            "error_actions": self._giving_up.error_actions,
            "dead_letters": self._giving_up.dead_letters,
            "retried": sum(one.carrier.attempts_failed for one in channels),
            "in_memory": len(self._backlog),
            "queued": sum(one.carrier.lane.queued for one in channels),
            "batches_under_way": sum(one.carrier.lane.under_way for one in channels),
            "reading_back": int(self._backlog.reading),
            "lanes": len(channels),
            "outputs_unavailable": sum(not one.carrier.available for one in channels),
        }

    def health(self) -> Health:
        """Not working: messages are refused, or the server is at fault itself. An output that is
        away is only told of."""
        if faults := self._faults_of_late():
            return Health(False, "; ".join(faults))
        away = sorted(one.lane for one in self._channels if not one.carrier.available)
        told = f"unavailable: {', '.join(away[:5])}" if away else "no output unavailable"
        if self._retention is None:
            return Health(True, told)
        kept = self._retention.health()
        return Health(kept.working, f"{kept.detail}; {told}")

    def lanes(self) -> Mapping[str, LaneStatistics]:
        """By their names: ``mqtt``, ``account/rule/place/kind``."""
        return {channel.lane: channel.statistics() for channel in self._channels}

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        async def supervised() -> None:
            try:
                await work()
            except Exception as error:
                self._faults[name] = self._now(), f"{name}: {error!r}"
                log.exception("task=%r ended by an error of its own", name)

        task = asyncio.create_task(supervised(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Without this nothing goes on: at a fault of its own it begins again, after a while."""

        async def kept_up() -> None:
            attempts = 0
            while True:
                try:
                    await work()
                except Exception as error:
                    attempts += 1
                    self._faults[name] = self._now(), f"{name}: {error!r}"
                    log.exception("task=%r a fault of its own; it begins again", name)
                    await self._sleep(self._settings.backoff.delay_s(attempts, self._chance))

        self.start(name, kept_up)

    def _faults_of_late(self) -> list[str]:
        """Of the server itself: nothing that an output or the store has done."""
        since = self._now() - FAULT_TOLD_S
        told = [what for at, what in self._faults.values() if at >= since]
        return [*told, self._ledger.fault] if self._ledger.fault else told

    # Where a message goes

    def _enqueue(self, delivery: Delivery) -> None:
        route = self._ways.route(delivery)
        if route is None:
            return
        if self._asking and delivery.dev_eui in self._asking:
            self._asking[delivery.dev_eui].append((delivery, route))
        elif route.asks:
            self._asking[delivery.dev_eui] = deque([(delivery, route)])
            self.start(f"ask for {delivery.dev_eui}", partial(self._ask, delivery.dev_eui))
        else:
            self._deliver(delivery, route)

    def _deliver(self, delivery: Delivery, route: Route) -> None:
        if route.rules:
            evaluated = self._evaluator.evaluate(delivery, route.rules, route.topic)
            self._share_out(delivery, route, evaluated)
        elif route.refused is None:
            self._channels.broker().add(delivery, self._channels.limit)
        else:
            self._giving_up.give_up(None, [(delivery, "", route.refused)], "")
            self._shares.finished((delivery.sequence,))

    async def _ask(self, dev_eui: EUI64) -> None:
        """One message of a device after the other, so that none overtakes."""
        waiting = self._asking[dev_eui]
        while waiting:
            delivery, route = waiting[0]
            if route.asks:
                async with self._may_ask:
                    evaluated = await self._evaluator.evaluate_asking(
                        delivery, route.rules, route.topic
                    )
                self._share_out(delivery, route, evaluated)
            else:
                self._deliver(delivery, route)
            waiting.popleft()
        del self._asking[dev_eui]

    def _share_out(self, delivery: Delivery, route: Route, evaluated: Evaluated) -> None:
        for rule, failure in evaluated.failed:
            topic = topic_of_rule(rule.name, route.topic)
            self._giving_up.give_up(rule, [(delivery, "", failure)], topic)
        count = len(evaluated.parts) + bool(route.topic)
        if count == 0:
            self._shares.finished((delivery.sequence,))
            return
        self._shares.shared(delivery.sequence, count)
        if route.topic:
            self._channels.broker().add(delivery, self._channels.limit)
        for part in evaluated.parts:
            self._channels.first(part.lane, route).add(part, self._channels.limit)

    # What became of it

    def _owe_error(self, rule: ReadyRule, part: Part) -> None:
        self._channels.of_errors(part.lane, rule).owe(part)

    def _struck(self, sequences: list[int]) -> None:
        self._backlog.done(sequences)
        self._shares.struck(sequences)
        if self._backlog.reading:
            self._read.set()

    # What the store still owes

    async def _read_back(self) -> None:
        await self._channels.open_owed()
        self._read.set()
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
                except Exception:
                    self._backlog.page_failed()
                    raise
                attempts = 0
                self._took(page, after)

    def _took(self, page: Sequence[Delivery], after: int) -> None:
        complete = len(page) < self._settings.page
        for delivery in self._backlog.page(page, after, complete=complete):
            self._enqueue(delivery)

    def _has_room(self) -> bool:
        """For a page; or for a part of one, where memory does not hold two."""
        return self._backlog.room >= min(self._settings.page, self._settings.capacity // 2)

    async def _look_after_memory(self) -> None:
        while True:
            await self._sleep(self._settings.relieve_s)
            self._channels.relieve(self._backlog.room)

    async def _keep(self, retention: Retention) -> None:
        while True:
            try:
                await retention.enforce()
            except StoreError as error:
                log.warning("disk budget not looked after reason=%r", str(error))
            await self._sleep(self._settings.retention_s)

    async def _log_again(self) -> None:
        while True:
            await self._sleep(self._settings.log_again_s)
            self._giving_up.log_again()

    async def _drain(self) -> None:
        await self._ways.until_known()
        while self._asking:
            await asyncio.sleep(0.01)
        for channel in list(self._channels):
            await channel.carrier.idle()
        await self._ledger.until_written()


def _no_chance(_: int) -> bytes:
    raise AssertionError("no source of randomness was given")
