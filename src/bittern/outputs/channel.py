"""One lane as a whole: its output, what of it is in memory, and what the store owes to it alone.

A message is owed by the outbox until each lane has its share: a share in memory is `direct`. When
a lane is away for long, or has more than its part of the memory, its shares get rows of their own
in the store (`anchor`, `leave`), and the outbox is free of them: a dead output starves nobody. Rows
are read back as there is room, in the order of the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from bittern.errors import StoreError
from bittern.outputs.actions import Action, ReadyRule
from bittern.outputs.backlog import Backlog
from bittern.outputs.backoff import Chance
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.carrier import Carrier, MessageOf
from bittern.outputs.lane import Lane, Outcome
from bittern.outputs.ledger import Ledger
from bittern.outputs.opening import Gone
from bittern.outputs.parts import Failure, Part, Reason, part_from, part_of
from bittern.outputs.port import Delivery, Output, OwedMessages
from bittern.types import Instant

log = logging.getLogger(__name__)


class LaneStatistics(NamedTuple):
    delivered: int
    failed: int
    """Rejected or given up."""
    retried: int
    in_memory: int
    available: bool
    last_failure: str


class Office(Protocol):
    """Whoever keeps the shares of messages together."""

    def released(self, sequences: Sequence[int]) -> None:
        """One share of each is no longer owed by the outbox."""
        ...

    def anchored(self, sequences: Sequence[int]) -> None:
        """The same: the share has a row of its own from the next transaction on."""
        ...

    def struck(self, sequences: Sequence[int]) -> None:
        """Rows of shares are gone from the store."""
        ...

    def failed(self, channel: Channel, part: Part, failure: Failure, direct: bool) -> None:
        """A share cannot be delivered. The office is to release it, if it is `direct`, or to
        strike off its row."""
        ...

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> object: ...


class Channel:
    def __init__(
        self,
        lane: str,
        output: Output,
        *,
        message_of: MessageOf,
        topic_of: Callable[[Delivery], str],
        owes_nothing: bool,
        store: OwedMessages,
        ledger: Ledger,
        office: Office,
        bounds: DispatchSettings,
        now: Callable[[], Instant],
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.lane = lane
        self.rule: ReadyRule | None = None
        self.action: Action | None = None
        self.direct: dict[int, Delivery] = {}
        self.rows = Backlog(bounds.lane_capacity, owes_nothing=owes_nothing)
        self.carrier = Carrier(
            output,
            Lane(bounds.backoff, chance, bounds.limits),
            message_of=message_of,
            settled=self._settled,
            given_up=self._given_up,
            now=now,
            limit_s=bounds.publish_limit_s,
            give_up_s=bounds.give_up_s,
        )
        self._topic_of = topic_of
        self._store = store
        self._ledger = ledger
        self._office = office
        self._bounds = bounds
        self._chance = chance
        self._sleep = sleep
        self._leaving = 0
        self._reading = False
        self._delivered = 0
        self._failed = 0

    def become(self, rule: ReadyRule | None, action: Action | None, output: Output) -> None:
        """The lane of this action of the rule, as it is now; None: it is gone."""
        self.rule, self.action = rule, action
        self.carrier.output = output
        if action is not None:
            self.carrier.message_of = action.message_of  # type: ignore[assignment]

    def add(self, delivery: Delivery, limit: int) -> None:
        """A share that the outbox owes. Beyond `limit` of them it goes into the store."""
        if delivery.sequence in self.rows:
            # A crash came between its row and the strike off the outbox.
            self._office.anchored((delivery.sequence,))
        elif len(self.direct) >= limit or self._leaving or self.rows.reading:
            if self.direct:
                # After a restart rows come first: none may be younger than what has no row.
                self.anchor()
            part = part_of(delivery, self.lane, self._topic_of(delivery))
            self.owe(part)
            self._office.anchored((delivery.sequence,))
        else:
            self.direct[delivery.sequence] = delivery
            self.carrier.add(delivery)

    def owe(self, part: Part) -> None:
        """From the next transaction on this lane is owed the part by itself."""
        self._leaving += 1
        self._ledger.owe(part.with_envelope())
        self._ledger.then(partial(self._owed, part))

    def anchor(self) -> None:
        """Every share in memory is owed by itself from the next transaction on."""
        for delivery in self.direct.values():
            part = part_of(delivery, self.lane, self._topic_of(delivery))
            self._ledger.owe(part.with_envelope())
            self.rows.adopt(delivery.sequence)
        sequences = list(self.direct)
        self.direct.clear()
        self._office.anchored(sequences)

    def refill(self) -> None:
        """Read back what the store owes, if there is room."""
        if self.rows.reading and not self._reading and self._wants_more():
            self._reading = True
            self._office.start(f"read back lane {self.lane}", self._read_back)

    def look_again(self) -> None:
        """Somebody else has put messages into this lane."""
        self.rows.look_again()
        self.refill()

    def statistics(self) -> LaneStatistics:
        carrier = self.carrier
        return LaneStatistics(
            delivered=self._delivered,
            failed=self._failed,
            retried=carrier.attempts_failed,
            in_memory=len(self.direct) + len(self.rows),
            available=carrier.available,
            last_failure="" if carrier.available else carrier.last_failure,
        )

    def _owed(self, part: Part) -> None:
        self._leaving -= 1
        if self.rows.offered(part):
            self.carrier.add(part)
        else:
            self.refill()

    def _settled(self, outcome: Outcome) -> None:
        take = self.direct.pop
        released = [one.sequence for one in outcome.delivered]
        rows = [sequence for sequence in released if take(sequence, None) is None]
        if rows:
            owed_in_lane = set(rows)
            released = [sequence for sequence in released if sequence not in owed_in_lane]
        self._delivered += len(outcome.delivered)
        if released:
            self._office.released(released)
        if rows:
            self.strike(rows)
        for rejected in outcome.rejected:
            self._fail("rejected", *rejected)
        if self.rows.reading:
            self.refill()

    def _given_up(self, old: list[tuple[Delivery, str, int]]) -> None:
        for one in old:
            self._fail("gave_up", *one)

    def _fail(self, reason: Reason, delivery: Delivery, detail: str, attempts: int) -> None:
        self._failed += 1
        if self.action is not None:
            failure = self.action.failure(reason, detail, attempts)
        elif isinstance(self.carrier.output, Gone):
            failure = Failure(reason="rule_not_found", detail=detail)
        else:
            failure = Failure(reason=reason, detail=detail, attempts=attempts, action=self.lane)
        direct = self.direct.pop(delivery.sequence, None) is not None
        part = part_of(delivery, self.lane, self._topic_of(delivery))
        self._office.failed(self, part, failure, direct)

    def strike(self, rows: list[int]) -> None:
        """The lane is owed these no longer."""
        self._ledger.delivered_in(self.lane, rows)
        self._ledger.then(partial(self._struck, rows))

    def _struck(self, rows: list[int]) -> None:
        self.rows.done(rows)
        self._office.struck(rows)
        self.refill()

    def forget(self, sequence: int) -> None:
        """Its row stays, and takes no room in memory."""
        self.rows.done((sequence,))
        self.refill()

    def _wants_more(self) -> bool:
        """While nothing can go out, what is in memory is enough to try with."""
        bounds, lane = self._bounds, self.carrier.lane
        if not self.carrier.available and (lane.queued or lane.under_way):
            return False
        return self.rows.room >= min(bounds.page, bounds.lane_capacity // 2)

    async def _read_back(self) -> None:
        attempts = 0
        try:
            while self.rows.reading and self._wants_more():
                after = self.rows.begin_page()
                try:
                    page = await self._store.owed(after, self._bounds.page, self.lane)
                except StoreError as error:
                    attempts += 1
                    self.rows.page_failed()
                    log.warning("lane=%s not read back reason=%r", self.lane, str(error))
                    await self._sleep(self._bounds.backoff.delay_s(attempts, self._chance))
                    continue
                except Exception:
                    self.rows.page_failed()
                    raise
                attempts = 0
                complete = len(page) < self._bounds.page
                parts = [part_from(one) for one in page]
                for part in self.rows.page(parts, after, complete=complete):
                    self.carrier.add(part)
        finally:
            self._reading = False

    async def close(self) -> None:
        """When its carrier has stopped."""
        try:
            await self.carrier.output.__aexit__(None, None, None)
        except Exception:
            log.exception("output=%s not closed", self.carrier.output.name)


def topic_of_part(delivery: Delivery) -> str:
    return delivery.topic if isinstance(delivery, Part) else ""
