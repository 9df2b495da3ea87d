"""The port of gateways in the field on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from bittern.errors import Conflict
from bittern.store.gateway_codec import (
    firmware_from_row,
    firmware_task_from_row,
    firmware_task_to_row,
    firmware_to_row,
    state_from_row,
    state_part_to_row,
)
from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
    GatewayState,
    StatePart,
    is_same_task,
)
from bittern.store.notes import Note
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.notes import keep_notes
from bittern.store.sqlite.transaction import Transaction
from bittern.types import GatewayEUI


class SqliteFleet:
    _database: Database

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState:
        found = self._database.read_one("gateway_state", (bytes(gateway_eui),), state_from_row)
        return GatewayState() if found is None else found[1]

    async def gateway_states(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[tuple[GatewayEUI, GatewayState]]:
        return await self._database.read_aside(
            "gateway_states", (bytes(after or b""), limit), state_from_row
        )

    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        row = state_part_to_row(gateway_eui, part)
        await self._database.write(
            lambda transaction: transaction.execute_on(
                "put_gateway_state", row, "gateway", gateway_eui
            )
        )

    async def add_firmware(
        self, definition: FirmwareDefinition, *, notes: Sequence[Note] = ()
    ) -> None:
        row = firmware_to_row(definition)
        identity = definition.id

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("firmware", (identity,), "firmware definition", identity)
            transaction.execute("insert_firmware", row)
            transaction.change("firmware", identity)

        await self._database.write(work)

    async def firmware(self, definition_id: str) -> FirmwareDefinition | None:
        return self._database.read_one("firmware", (definition_id,), firmware_from_row)

    async def firmware_definitions(self, account: str) -> list[FirmwareDefinition]:
        return await self._database.read_aside(
            "firmware_definitions", (account,), firmware_from_row
        )

    async def remove_firmware(self, definition_id: str) -> None:
        def work(transaction: Transaction) -> None:
            key, kind = (definition_id,), "firmware definition"
            if transaction.exists("firmware_in_use", key):
                raise Conflict(kind, definition_id, "is used by a task")
            transaction.execute_on("delete_firmware", key, kind, definition_id)
            transaction.change("firmware", definition_id)

        await self._database.write(work)

    async def add_firmware_task(self, task: FirmwareTask) -> None:
        row = firmware_task_to_row(task)
        eui, definition = task.gateway_eui, task.definition_id

        def work(transaction: Transaction) -> None:
            transaction.require_new("firmware_task", (row[0],), "firmware task", eui)
            transaction.require_there("gateway", (row[0],), "gateway", eui)
            transaction.require_there("firmware", (definition,), "firmware definition", definition)
            transaction.execute("insert_firmware_task", row)
            transaction.change("firmware", eui)

        await self._database.write(work)

    async def firmware_task(self, gateway_eui: GatewayEUI) -> FirmwareTask | None:
        return self._database.read_one(
            "firmware_task", (bytes(gateway_eui),), firmware_task_from_row
        )

    async def firmware_tasks(self, definition_id: str) -> list[FirmwareTask]:
        return await self._database.read_aside(
            "firmware_tasks", (definition_id,), firmware_task_from_row
        )

    async def replace_firmware_task(self, before: FirmwareTask, after: FirmwareTask) -> bool:
        assert is_same_task(before, after)
        row = firmware_task_to_row(after)

        def work(transaction: Transaction) -> bool:
            # Compared as records: a row that is older than one of their fields is equal too.
            stored = transaction.row("firmware_task", (row[0],))
            if stored is None or firmware_task_from_row(stored) != before:
                return False
            transaction.execute("replace_firmware_task", row)
            transaction.change("firmware", after.gateway_eui)
            return True

        return await self._database.write(work)

    async def remove_firmware_task(self, gateway_eui: GatewayEUI) -> None:
        def work(transaction: Transaction) -> None:
            key = (bytes(gateway_eui),)
            transaction.execute_on("delete_firmware_task", key, "firmware task", gateway_eui)
            transaction.change("firmware", gateway_eui)

        await self._database.write(work)
