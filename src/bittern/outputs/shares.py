"""What became of the shares of messages: when a message is done with, and who is told of failures.

The office of all lanes (`channel.Office`). A message that several lanes are owed is struck off the
outbox when the last of them has released its share.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bittern.outputs.actions import topic_of_rule
from bittern.outputs.backoff import Chance
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.channel import Channel
from bittern.outputs.gathering import Failed, Gathering
from bittern.outputs.giving_up import GivingUp
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Failure, Part
from bittern.outputs.port import Delivery, OwedMessages


class _Open:
    """Of a message that more than one lane is owed by way of the outbox."""

    __slots__ = ("anchored", "failed", "left")

    def __init__(self, count: int) -> None:
        self.left = count
        self.anchored = False
        """Some share got a row of its own; what becomes of it is not known here."""
        self.failed: list[Failed] = []


class Shares:
    def __init__(
        self,
        store: OwedMessages,
        ledger: Ledger,
        giving_up: GivingUp,
        start: Callable[[str, Callable[[], Awaitable[None]]], object],
        *,
        bounds: DispatchSettings,
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._ledger = ledger
        self._giving_up = giving_up
        self._start = start
        self._shares: dict[int, _Open] = {}
        self.gathering = Gathering(
            store,
            ledger,
            self._give_up_together,
            capacity=bounds.capacity,
            backoff=bounds.backoff,
            chance=chance,
            sleep=sleep,
        )
        self.done = 0
        """Messages that the outbox owes no longer."""

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> object:
        return self._start(name, work)

    def shared(self, sequence: int, count: int) -> None:
        """So many lanes are about to get the message."""
        if count > 1:
            self._shares[sequence] = _Open(count)

    def finished(self, sequences: Sequence[int]) -> None:
        """Nothing of them is owed by the outbox any more."""
        self.done += len(sequences)
        self._ledger.delivered(sequences)

    def released(self, sequences: Sequence[int]) -> None:
        """Lanes have their shares of these, or the shares have rows of their own."""
        if self._shares:
            sequences = [one for one in sequences if self._is_last(one)]
        self.finished(sequences)

    def anchored(self, sequences: Sequence[int]) -> None:
        for sequence in sequences if self._shares else ():
            if (shares := self._shares.get(sequence)) is not None:
                shares.anchored = True
        self.released(sequences)

    def struck(self, sequences: Sequence[int]) -> None:
        self.gathering.settled(sequences)

    def failed(self, channel: Channel, part: Part, failure: Failure, direct: bool) -> None:
        failed = Failed(channel, part, failure)
        if not direct:
            self._failed_as_row(failed)
            return
        shares = self._shares.get(part.sequence)
        if shares is None:
            self._give_up_together([failed])
        else:
            shares.failed.append(failed)
        self.released((part.sequence,))

    def _is_last(self, sequence: int) -> bool:
        shares = self._shares.get(sequence)
        if shares is None:
            return True
        shares.left -= 1
        if shares.left:
            return False
        del self._shares[sequence]
        if shares.failed:
            self._failed_in_memory(shares)
        return True

    def _failed_in_memory(self, shares: _Open) -> None:
        """Where each other share of the message is known to be settled, this is all there is."""
        at_once: list[Failed] = []
        for failed in shares.failed:
            known = shares.anchored or failed.part.sequence in self.gathering
            if not known or not self.gathering.concerns(failed):
                at_once.append(failed)
            elif self.gathering.has_room(failed.part.sequence):
                self._ledger.owe(failed.part.with_envelope())
                self.gathering.add(failed)
            else:
                self._bury(failed)
        self._give_up_together(at_once)

    def _failed_as_row(self, failed: Failed) -> None:
        sequence = failed.part.sequence
        if self.gathering.concerns(failed) and self.gathering.has_room(sequence):
            self.gathering.add(failed)
            failed.channel.forget(sequence)
            return
        if self.gathering.concerns(failed):
            self._bury(failed)
        else:
            self._give_up_together([failed])
        failed.channel.strike([sequence])

    def _give_up_together(self, failed: list[Failed]) -> None:
        """Of one message, each rule by itself: its error action is told once."""
        by_rule: dict[tuple[str, str] | None, list[Failed]] = {}
        for one in failed:
            rule = one.channel.rule
            key = None if rule is None else (rule.account, rule.name)
            by_rule.setdefault(key, []).append(one)
        for group in by_rule.values():
            rule, part = group[0].channel.rule, group[0].part
            topic = part.topic if rule is None else topic_of_rule(rule.name, part.topic)
            self._giving_up.give_up(rule, _told(group), topic)

    def _bury(self, failed: Failed) -> None:
        """More wait than memory may hold. The error action has not been told of the message, and
        may be told yet, by another action."""
        self._giving_up.give_up(None, _told([failed]), failed.part.topic)


def _told(group: list[Failed]) -> list[tuple[Delivery, str, Failure]]:
    return [(one.part, one.part.lane, one.failure) for one in group]
