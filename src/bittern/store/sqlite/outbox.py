"""The outbox, the downlink queue and the change feed on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bittern.errors import ChangesTrimmed, Conflict, NotFound
from bittern.store.codec import (
    delivery_from_row,
    delivery_to_row,
    downlink_from_row,
    downlink_to_row,
)
from bittern.store.ports.outbox import Buried, Owed
from bittern.store.records import Change, Delivery, QueuedDownlink
from bittern.store.rule_codec import (
    dead_letter_to_row,
    lane_message_from_row,
    lane_message_to_row,
)
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction
from bittern.store.sqlite.writer import Strike
from bittern.types import EUI64, DevEUI


class SqliteOutbox:
    _database: Database

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        vault, bounds = self._database.vault, (after_sequence, limit)
        if lane:
            return await self._database.read_page_aside(
                "owed_in_lane", (lane,), bounds, lambda row: lane_message_from_row(row, vault)
            )
        return await self._database.read_page_aside(
            "owed", (), bounds, lambda row: delivery_from_row(row, vault)
        )

    async def owe(self, delivery: Delivery) -> int:
        row = delivery_to_row(delivery, self._database.vault)

        def work(transaction: Transaction) -> int:
            transaction.change("replay", "")
            return transaction.owe([row])

        return await self._database.write(work)

    async def delivered(self, sequences: Sequence[int]) -> None:
        if sequences:
            await self._database.submit(Strike(tuple(sequences)))

    async def settle(
        self,
        *,
        delivered: Sequence[int] = (),
        delivered_in: Mapping[str, Sequence[int]] = MappingProxyType({}),
        owed: Sequence[Owed] = (),
        letters: Sequence[Buried] = (),
    ) -> None:
        vault = self._database.vault
        owed_rows = [lane_message_to_row(one, vault) for one in owed]
        letter_rows = [dead_letter_to_row(one, vault) for one in letters]
        struck = {lane: str(list(sequences)) for lane, sequences in delivered_in.items()}

        def work(transaction: Transaction) -> None:
            transaction.execute_many("insert_lane_message", owed_rows)
            transaction.execute_many("insert_dead_letter", letter_rows)
            for each in struck.items():
                transaction.execute("delete_lane_messages", each)
            if delivered:
                transaction.strike_off(list(delivered))

        await self._database.write(work)

    async def lanes(self) -> list[str]:
        return await self._database.read_aside("lanes", (), lambda row: str(row[0]))

    async def owed_count(self) -> int:
        _, owed = self._database.read("outbox_head")[0]
        [[in_lanes]] = await self._database.read_aside("lane_messages_count", (), lambda row: row)
        return int(owed) + int(in_lanes)


class SqliteDownlinkQueue:
    _database: Database

    async def enqueue(self, downlink: QueuedDownlink) -> None:
        row = downlink_to_row(downlink, self._database.vault)

        def work(transaction: Transaction) -> None:
            if not transaction.exists("device_exists", (bytes(downlink.dev_eui),)):
                raise NotFound("device", str(downlink.dev_eui))
            if transaction.exists("downlink_exists", (downlink.message_id,)):
                raise Conflict("downlink", downlink.message_id)
            transaction.execute("insert_downlink", row)
            transaction.change("downlink", downlink.dev_eui)

        await self._database.write(work)

    async def queued(self, dev_eui: DevEUI, limit: int = 250) -> list[QueuedDownlink]:
        vault = self._database.vault
        rows = self._database.read("queued", (bytes(dev_eui), limit))
        return list(self._database.opened(rows, lambda row: downlink_from_row(row, vault)))

    async def waiting(self) -> list[DevEUI]:
        return await self._database.read_aside("waiting", (), lambda row: DevEUI(EUI64(row[0])))

    async def unqueue(self, dev_eui: DevEUI, message_id: str | None = None) -> int:
        def work(transaction: Transaction) -> int:
            if message_id is None:
                removed = transaction.execute("delete_downlinks", (bytes(dev_eui),))
            else:
                removed = transaction.execute("delete_downlink", (bytes(dev_eui), message_id))
            if removed:
                transaction.change("downlink", dev_eui)
            return removed

        return await self._database.write(work)


class SqliteChangeFeed:
    _database: Database

    async def last_change(self) -> int:
        return int(self._database.read("last_change")[0][0])

    async def changes(self, after_sequence: int) -> list[Change]:
        rows = self._database.read("changes", (after_sequence,))
        if rows and rows[0][0] > after_sequence + 1:
            raise ChangesTrimmed(after_sequence)
        return [Change(*row) for row in rows]
