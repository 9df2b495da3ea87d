"""What is known of destinations: looked up when they are needed, and again after a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from bittern.errors import StoreError
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.port import Delivery
from bittern.outputs.routing import Route, Router
from bittern.types import Instant

log = logging.getLogger(__name__)


class Way:
    """Without a route it is being looked up; meanwhile messages wait."""

    __slots__ = ("looked_up_at", "looking_up", "route", "topic", "waiting")

    def __init__(self) -> None:
        self.route: Route | None = None
        self.topic = ""
        """The last that it had: messages that were queued for a topic go to one."""
        self.waiting: list[Delivery] = []
        self.looked_up_at = Instant(float("-inf"))
        self.looking_up = False


class Ways:
    def __init__(
        self,
        router: Router,
        *,
        again: Callable[[Delivery], None],
        start: Callable[[str, Callable[[], Awaitable[None]]], asyncio.Task[None]],
        age_s: float,
        now: Callable[[], Instant],
        backoff: Backoff,
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`again` takes the messages that have waited for a way."""
        self._router = router
        self._again = again
        self._start = start
        self._age_s = age_s
        self._now = now
        self._backoff = backoff
        self._chance = chance
        self._sleep = sleep
        self._known: dict[tuple[str, str], Way] = {}
        self._look_ups: set[asyncio.Task[None]] = set()

    def route(self, delivery: Delivery) -> Route | None:
        """None: the message waits, and comes `again`."""
        key = (delivery.account, delivery.destination)
        way = self._known.get(key)
        if way is None:
            way = self._known[key] = Way()
        if self._now() - way.looked_up_at > self._age_s:
            self._look_up(key, way)
        if way.route is None:
            way.waiting.append(delivery)
        return way.route

    def topic(self, delivery: Delivery) -> str:
        """Where a message that goes to a topic is to be published now."""
        return self._known[delivery.account, delivery.destination].topic

    def look_up_again(self) -> None:
        for key, way in self._known.items():
            self._look_up(key, way)

    async def until_known(self) -> None:
        while self._look_ups:
            await asyncio.wait(self._look_ups)

    def _look_up(self, key: tuple[str, str], way: Way) -> None:
        """Meanwhile messages go by what was known."""
        if not way.looking_up:
            way.looking_up = True
            task = self._start(f"look up destination {key[1]}", partial(self._find, key, way))
            self._look_ups.add(task)
            task.add_done_callback(self._look_ups.discard)

    async def _find(self, key: tuple[str, str], way: Way) -> None:
        try:
            await self._ask(key, way)
        finally:
            way.looking_up = False
        waiting, way.waiting = way.waiting, []
        for delivery in waiting:
            self._again(delivery)

    async def _ask(self, key: tuple[str, str], way: Way) -> None:
        """Until the router has answered, whatever it says."""
        attempts = 0
        while True:
            try:
                route = await self._router.route(*key)
                break
            except StoreError as error:
                attempts += 1
                log.warning("destination=%s not looked up reason=%r", key[1], str(error))
                await self._sleep(self._backoff.delay_s(attempts, self._chance))
        if route.refused is not None and (way.route is None or way.route.refused is None):
            log.warning("destination=%s unusable reason=%r", key[1], route.refused.detail)
        way.route = route
        way.topic = route.topic or way.topic
        way.looked_up_at = self._now()
