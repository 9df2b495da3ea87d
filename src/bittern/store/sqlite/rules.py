"""Rules and dead letters on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bittern.store.codec import delivery_to_row
from bittern.store.records import Delivery
from bittern.store.rule_codec import (
    dead_letter_from_row,
    lane_message_to_row,
    rule_from_row,
    rule_to_row,
)
from bittern.store.rule_records import DeadLetter, DeadLetterFilter, DeliveryUsage, RuleRecord
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction
from bittern.types import Instant


class SqliteRules:
    _database: Database

    async def add_rule(self, rule: RuleRecord) -> None:
        row = rule_to_row(rule, self._database.vault)

        def work(transaction: Transaction) -> None:
            transaction.require_new("rule", row[:2], "rule", rule.name)
            transaction.execute("insert_rule", row)
            transaction.change("rule", "/".join(row[:2]))

        await self._database.write(work)

    async def rule(self, account: str, name: str) -> RuleRecord | None:
        vault = self._database.vault
        return self._database.read_one(
            "rule", (account, name), lambda row: rule_from_row(row, vault)
        )

    async def rules(self, account: str) -> list[RuleRecord]:
        vault = self._database.vault
        return await self._database.read_aside(
            "rules", (account,), lambda row: rule_from_row(row, vault)
        )

    async def replace_rule(self, rule: RuleRecord) -> None:
        row = rule_to_row(rule, self._database.vault)

        def work(transaction: Transaction) -> None:
            transaction.execute_on("replace_rule", row, "rule", rule.name)
            transaction.change("rule", "/".join(row[:2]))

        await self._database.write(work)

    async def remove_rule(self, account: str, name: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.execute_on("delete_rule", (account, name), "rule", name)
            transaction.change("rule", f"{account}/{name}")

        await self._database.write(work)


class SqliteDeadLetters:
    _database: Database

    async def dead_letters(
        self, wanted: DeadLetterFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[DeadLetter]:
        vault = self._database.vault
        parameters = (
            wanted.account,
            None if wanted.dev_eui is None else bytes(wanted.dev_eui),
            wanted.destination,
            wanted.rule,
            wanted.message_id,
            after_sequence,
            limit,
        )
        return await self._database.read_aside(
            "dead_letters", parameters, lambda row: dead_letter_from_row(row, vault)
        )

    async def dead_letter(self, sequence: int) -> DeadLetter | None:
        vault = self._database.vault
        return self._database.read_one(
            "dead_letter", (sequence,), lambda row: dead_letter_from_row(row, vault)
        )

    async def drop_dead_letters(self, sequences: Sequence[int]) -> int:
        known = str(list(sequences))
        return await self._database.write(
            lambda transaction: transaction.execute("delete_dead_letters", (known,))
        )

    async def replay_dead_letters(self, sequences: Sequence[int]) -> int:
        vault = self._database.vault

        def work(transaction: Transaction) -> int:
            rows = [transaction.row("dead_letter", (one,)) for one in sorted(set(sequences))]
            letters = [dead_letter_from_row(row, vault) for row in rows if row is not None]
            owed = [_owed_anew(letter) for letter in letters]
            first = transaction.number(len(owed), kept=sum(not one.lane for one in owed))
            for sequence, one in enumerate(owed, first):
                if one.lane:
                    _, *row = lane_message_to_row(one, vault)
                    transaction.execute("insert_lane_message", (sequence, *row))
                else:
                    transaction.execute("insert_delivery", (sequence, *delivery_to_row(one, vault)))
            transaction.execute(
                "delete_dead_letters", (str([letter.sequence for letter in letters]),)
            )
            for lane, _ in groupby(sorted(one.lane for one in owed)):
                transaction.change("replay", lane)
            return len(letters)

        return await self._database.write(work)

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        def work(transaction: Transaction) -> int:
            dropped = transaction.execute("delete_old_dead_letters", (failed_before,))
            _, size = transaction.row("dead_letter_usage", ()) or (0, 0)
            if size > most_bytes:
                dropped += transaction.execute("delete_oldest_dead_letters", (most_bytes,))
            return dropped

        return await self._database.write(work)

    async def delivery_usage(self) -> DeliveryUsage:
        [used] = await self._database.read_aside("bytes_used", (), lambda row: row)
        [letters] = await self._database.read_aside("dead_letter_usage", (), lambda row: row)
        [[_, owed]] = self._database.read("outbox_head")
        [[in_lanes]] = await self._database.read_aside("lane_messages_count", (), lambda row: row)
        return DeliveryUsage(
            bytes_used=used[0] * used[1],
            owed=owed + in_lanes,
            dead_letters=letters[0],
            dead_letter_bytes=letters[1],
        )


def _owed_anew(letter: DeadLetter) -> Delivery:
    return Delivery(
        message_id=letter.message_id,
        account=letter.account,
        dev_eui=letter.dev_eui,
        destination=letter.destination,
        document=letter.document,
        created_at=letter.created_at,
        lane=letter.lane,
    )
