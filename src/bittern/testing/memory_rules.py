"""Rules, lanes and dead letters of the store in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice
from types import MappingProxyType
from typing import TypeVar

import msgspec

from bittern.store.ports.outbox import Buried, Owed
from bittern.store.records import ChangeKind, Delivery
from bittern.store.rule_records import DeadLetter, DeadLetterFilter, DeliveryUsage, RuleRecord
from bittern.testing.memory_fleet import require_new, require_there
from bittern.types import Instant

Record = TypeVar("Record", bound=msgspec.Struct)


class MemoryRules:
    """What `MemoryStore` has of deliveries."""

    def __init__(self) -> None:
        self._outbox: dict[int, Delivery] = {}
        self._sequences = count(1)
        self._lanes: dict[str, dict[int, Delivery]] = {}
        self._letters: dict[int, DeadLetter] = {}
        self._letter_numbers = count(1)
        self._rules: dict[tuple[str, str], RuleRecord] = {}

    def _change(self, kind: ChangeKind, identity: object) -> None:
        raise NotImplementedError

    # Owed

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        rows = self._lanes.get(lane, {}) if lane else self._outbox
        behind = (rows[sequence] for sequence in sorted(rows) if sequence > after_sequence)
        return list(islice(behind, limit))

    async def owe(self, delivery: Delivery) -> int:
        sequence = next(self._sequences)
        self._outbox[sequence] = msgspec.structs.replace(delivery, sequence=sequence, lane="")
        self._change("replay", "")
        return sequence

    async def delivered(self, sequences: Sequence[int]) -> None:
        for sequence in sequences:
            self._outbox.pop(sequence, None)

    async def settle(
        self,
        *,
        delivered: Sequence[int] = (),
        delivered_in: Mapping[str, Sequence[int]] = MappingProxyType({}),
        owed: Sequence[Owed] = (),
        letters: Sequence[Buried] = (),
    ) -> None:
        for one in owed:
            lane = self._lanes.setdefault(one.lane, {})
            lane.setdefault(one.sequence, _copied(Delivery, one))
        known = {(letter.owed_as, letter.lane) for letter in self._letters.values()}
        for letter in letters:
            number = next(self._letter_numbers)  # even if it is not kept, as in a database
            if (letter.owed_as, letter.lane) not in known:
                self._letters[number] = msgspec.structs.replace(
                    _copied(DeadLetter, letter), sequence=number
                )
                known.add((letter.owed_as, letter.lane))
        for name, sequences in delivered_in.items():
            for sequence in sequences:
                self._lanes.get(name, {}).pop(sequence, None)
        await self.delivered(delivered)

    async def lanes(self) -> list[str]:
        return sorted(lane for lane, rows in self._lanes.items() if rows)

    async def owed_count(self) -> int:
        return len(self._outbox) + sum(map(len, self._lanes.values()))

    # Dead letters

    async def dead_letters(
        self, wanted: DeadLetterFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[DeadLetter]:
        asked = {
            name: value
            for name, value in msgspec.structs.asdict(wanted).items()
            if value is not None
        }
        found = (
            letter
            for number, letter in sorted(self._letters.items())
            if number > after_sequence
            and all(getattr(letter, name) == value for name, value in asked.items())
        )
        return list(islice(found, limit))

    async def dead_letter(self, sequence: int) -> DeadLetter | None:
        return self._letters.get(sequence)

    async def drop_dead_letters(self, sequences: Sequence[int]) -> int:
        return sum(self._letters.pop(one, None) is not None for one in sequences)

    async def replay_dead_letters(self, sequences: Sequence[int]) -> int:
        letters = [self._letters.pop(one) for one in sorted(set(sequences)) if one in self._letters]
        for letter in letters:
            sequence = next(self._sequences)
            owed = Delivery(
                message_id=letter.message_id,
                account=letter.account,
                dev_eui=letter.dev_eui,
                destination=letter.destination,
                document=letter.document,
                created_at=letter.created_at,
                sequence=sequence,
                lane=letter.lane,
            )
            rows = self._lanes.setdefault(letter.lane, {}) if letter.lane else self._outbox
            rows[sequence] = owed
        for lane in sorted({letter.lane for letter in letters}):
            self._change("replay", lane)
        return len(letters)

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        before = len(self._letters)
        kept = 0
        for number in sorted(self._letters, reverse=True):
            letter = self._letters[number]
            if letter.failed_at < failed_before:
                del self._letters[number]
                continue
            kept += len(letter.document)
            if kept > most_bytes:
                del self._letters[number]
        return before - len(self._letters)

    async def delivery_usage(self) -> DeliveryUsage:
        return DeliveryUsage(
            bytes_used=0,
            owed=await self.owed_count(),
            dead_letters=len(self._letters),
            dead_letter_bytes=sum(len(letter.document) for letter in self._letters.values()),
        )

    # Rules

    async def add_rule(self, rule: RuleRecord) -> None:
        require_new(self._rules, (rule.account, rule.name), "rule", rule.name)
        self._rules[rule.account, rule.name] = rule
        self._change("rule", f"{rule.account}/{rule.name}")

    async def rule(self, account: str, name: str) -> RuleRecord | None:
        return self._rules.get((account, name))

    async def rules(self, account: str) -> list[RuleRecord]:
        return [self._rules[key] for key in sorted(self._rules) if key[0] == account]

    async def replace_rule(self, rule: RuleRecord) -> None:
        require_there(self._rules, (rule.account, rule.name), "rule", rule.name)
        self._rules[rule.account, rule.name] = rule
        self._change("rule", f"{rule.account}/{rule.name}")

    async def remove_rule(self, account: str, name: str) -> None:
        require_there(self._rules, (account, name), "rule", name)
        del self._rules[account, name]
        self._change("rule", f"{account}/{name}")


def _copied(kind: type[Record], like: object) -> Record:
    names = [name for name in kind.__struct_fields__ if hasattr(like, name)]
    return kind(**{name: getattr(like, name) for name in names})
