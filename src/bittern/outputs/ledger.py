"""Writes down what became of messages: many at once, in order, until the store has taken it.

A fault of its own, which no store should have, is no reason to stop either: everything is still
owed in the store meanwhile. It is logged with its place, `fault` tells the health of the server,
and the page is tried again like one that the store could not take.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from bittern.errors import StoreError
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.port import DeadLetter, Delivery, OwedMessages

log = logging.getLogger(__name__)

Then = Callable[[], None]


class _Page:
    """What the next transaction is to write."""

    __slots__ = ("delivered", "delivered_in", "letters", "owed", "then")

    def __init__(self) -> None:
        self.delivered: list[int] = []
        self.delivered_in: dict[str, list[int]] = {}
        self.owed: list[Delivery] = []
        self.letters: list[DeadLetter] = []
        self.then: list[Then] = []

    @property
    def is_empty(self) -> bool:
        return not (self.delivered or self.delivered_in or self.owed or self.letters)

    @property
    def is_plain(self) -> bool:
        return not (self.delivered_in or self.owed or self.letters)


class Ledger:
    """What is written between two turns of the event loop is written in one transaction."""

    def __init__(
        self,
        store: OwedMessages,
        *,
        struck: Callable[[list[int]], None],
        interval_s: float,
        backoff: Backoff,
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`struck` hears what is no longer in the outbox."""
        self._store = store
        self._struck = struck
        self._interval_s = interval_s
        self._backoff = backoff
        self._chance = chance
        self._sleep = sleep
        self._page = _Page()
        self._due = asyncio.Event()
        self._written = asyncio.Event()
        self._writing = False
        self._unwritten = ""
        self._missed = ""

    def delivered(self, sequences: Iterable[int]) -> None:
        """Strike off the outbox."""
        self._page.delivered.extend(sequences)
        self._due.set()

    def delivered_in(self, lane: str, sequences: Iterable[int]) -> None:
        """Strike off a lane."""
        self._page.delivered_in.setdefault(lane, []).extend(sequences)
        self._due.set()

    def owe(self, owed: Delivery) -> None:
        """In its lane."""
        self._page.owed.append(owed)
        self._due.set()

    def bury(self, letter: DeadLetter) -> None:
        self._page.letters.append(letter)
        self._due.set()

    def then(self, call: Then) -> None:
        """When everything so far is written."""
        self._page.then.append(call)
        self._due.set()

    @property
    def idle(self) -> bool:
        return not self._writing and self._page.is_empty and not self._page.then

    @property
    def fault(self) -> str:
        """What is wrong, of the server itself; empty while nothing is."""
        return self._unwritten or self._missed

    async def until_written(self) -> None:
        while not self.idle:
            self._written.clear()
            await self._written.wait()

    async def run(self) -> None:
        while True:
            await self._due.wait()
            await self._sleep(self._interval_s)
            self._due.clear()
            page, self._page = self._page, _Page()
            self._writing = True
            await self._write(page)
            self._told(partial(self._struck, page.delivered))
            for call in page.then:
                self._told(call)
            self._writing = False
            self._written.set()

    async def _write(self, page: _Page) -> None:
        """In order: what came meanwhile is on the next page."""
        attempts = 0
        while not page.is_empty:
            try:
                await self._hand_over(page)
            except StoreError as error:
                log.warning(
                    "delivered=%d not struck off reason=%r", len(page.delivered), str(error)
                )
            except Exception as error:
                self._unwritten = f"what was delivered is not written down: {error!r}"
                log.exception("%s; it is tried again", self._unwritten)
            else:
                break
            attempts += 1
            await self._sleep(self._backoff.delay_s(attempts, self._chance))
        self._unwritten = ""

    async def _hand_over(self, page: _Page) -> None:
        if page.is_plain:
            await self._store.delivered(page.delivered)
        else:
            await self._store.settle(
                delivered=page.delivered,
                delivered_in=page.delivered_in,
                owed=page.owed,
                letters=page.letters,
            )

    def _told(self, call: Then) -> None:
        """It is written: who fails to take note of that must not keep others from it."""
        try:
            call()
        except Exception as error:
            self._missed = f"a lane has not taken note of what is written down: {error!r}"
            log.exception("%s; it does when the server is restarted", self._missed)
