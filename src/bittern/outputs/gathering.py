"""Failures of one message, gathered until the rule is done with it: an error action is told once.

Source: AWS IoT Core developer guide, "Error action message format": one message for each rule and
message, also where several actions failed.

While a share is only in memory, whoever keeps the shares together waits for the others. Here are
those of which a share has a row of its own in the store. A share that failed keeps its row until
no lane and not the outbox owes the others: after a crash it is tried again, and fails again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from bittern.errors import StoreError
from bittern.outputs.actions import ReadyRule
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.channel import Channel
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Failure, Part, part_from
from bittern.outputs.port import OwedMessages

log = logging.getLogger(__name__)


class Failed(NamedTuple):
    """A share that cannot be delivered."""

    channel: Channel
    part: Part
    failure: Failure


class _Held(NamedTuple):
    """Why, of one lane. The part is in the store: there is no bound on what it weighs."""

    channel: Channel
    failure: Failure


Told = Callable[[list[Failed]], None]
"""Give up what failed of one message, all of one rule."""

_Key = tuple[int, str, str]
"""Sequence, account and rule."""


class Gathering:
    def __init__(
        self,
        store: OwedMessages,
        ledger: Ledger,
        told: Told,
        *,
        capacity: int,
        backoff: Backoff,
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Waits for no more than `capacity` messages."""
        self._store = store
        self._ledger = ledger
        self._told = told
        self._capacity = capacity
        self._backoff = backoff
        self._chance = chance
        self._sleep = sleep
        self._held: dict[int, dict[_Key, dict[str, _Held]]] = {}
        self._to_look: deque[_Key] = deque()
        self._due = asyncio.Event()

    def __len__(self) -> int:
        """Messages that are waited for."""
        return len(self._held)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._held

    def concerns(self, failed: Failed) -> bool:
        """Whether others of the rule may fail as well, and somebody wants to be told once."""
        rule = failed.channel.rule
        return (
            rule is not None
            and rule.error_action is not None
            and len(rule.actions) > 1
            and not failed.part.causes
        )

    def has_room(self, sequence: int) -> bool:
        return sequence in self._held or len(self._held) < self._capacity

    def add(self, failed: Failed) -> None:
        """Its share has a row, or is to have one with what is written next."""
        rule = failed.channel.rule
        assert rule is not None
        sequence = failed.part.sequence
        key = (sequence, rule.account, rule.name)
        lanes = self._held.setdefault(sequence, {}).setdefault(key, {})
        lanes[failed.channel.lane] = _Held(failed.channel, failed.failure)
        self._ledger.then(lambda: self.settled((sequence,)))

    def settled(self, sequences: Iterable[int]) -> None:
        """Shares of these are owed no longer, and that is written down."""
        if not self._held:
            return
        for sequence in sequences:
            if sequence in self._held:
                self._to_look.extend(self._held[sequence])
                self._due.set()

    async def run(self) -> None:
        attempts = 0
        self._due.set()
        while True:
            await self._due.wait()
            self._due.clear()
            while self._to_look:
                key = self._to_look.popleft()
                try:
                    await self._look(key)
                except StoreError as error:
                    self._to_look.append(key)
                    attempts += 1
                    log.warning("failures not looked after reason=%r", str(error))
                    await self._sleep(self._backoff.delay_s(attempts, self._chance))
                else:
                    attempts = 0

    async def _look(self, key: _Key) -> None:
        """Tell what failed, if nothing of the message is owed any more but that."""
        sequence = key[0]
        held = self._held.get(sequence, {}).get(key)
        if held is None:
            return
        rule = next(iter(held.values())).channel.rule
        found: list[Failed] = []
        for lane in ["", *sorted(_lanes(rule) | held.keys())]:
            owed = next(iter(await self._store.owed(sequence - 1, 1, lane)), None)
            if owed is None or owed.sequence != sequence:
                continue
            if lane not in held:
                return
            found.append(Failed(held[lane].channel, part_from(owed), held[lane].failure))
        del self._held[sequence][key]
        if not self._held[sequence]:
            del self._held[sequence]
        if found:
            # One that has no row has arrived after all, in a second attempt.
            self._told(found)
        for one in found:
            one.channel.strike([sequence])


def _lanes(rule: ReadyRule | None) -> set[str]:
    """Of the actions of a rule as it is now."""
    return set() if rule is None else {action.lane for action in rule.actions}
