"""The port of firmware updates over the air on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from bittern.errors import Conflict, NotFound
from bittern.mac.fuota import (
    ACTIVE,
    CONFLICTING,
    FIRST_RECEIVER_STATUS,
    ReceiverStatus,
    task_status,
)
from bittern.mac.multicast import current
from bittern.store.group_codec import (
    fuota_task_from_row,
    fuota_task_to_row,
    group_from_row,
    task_device_from_row,
)
from bittern.store.group_records import FuotaTask, TaskDevice, is_successor_of_task
from bittern.store.notes import Note
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.notes import keep_notes
from bittern.store.sqlite.transaction import Transaction
from bittern.types import DevEUI, Instant

KIND = "fuota task"

T = TypeVar("T")


class SqliteFuota:
    _database: Database

    async def add_fuota_task(self, task: FuotaTask, *, notes: Sequence[Note] = ()) -> None:
        row = fuota_task_to_row(task)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("fuota_task", (task.id,), KIND, task.id)
            transaction.execute("insert_fuota_task", row)

        await self._database.write(work)

    async def fuota_task(self, task_id: str) -> FuotaTask | None:
        return self._database.read_one("fuota_task", (task_id,), fuota_task_from_row)

    async def fuota_tasks(self, account: str, after: str = "", limit: int = 250) -> list[FuotaTask]:
        key = (account, after, limit)
        return await self._database.read_aside("fuota_tasks", key, fuota_task_from_row)

    async def replace_fuota_task(self, before: FuotaTask, after: FuotaTask) -> bool:
        assert is_successor_of_task(before, after)
        row = fuota_task_to_row(after)

        def work(transaction: Transaction) -> bool:
            if transaction.exists("fuota_task_has_other_region", (after.id, after.region)):
                raise Conflict(KIND, after.id, "has devices or groups of its region")
            transaction.execute("replace_fuota_task", row)
            return True

        return await self._on_task(before, work) or False

    async def start_fuota_task(self, before: FuotaTask, after: FuotaTask, now: Instant) -> bool:
        assert is_successor_of_task(before, after)
        row = fuota_task_to_row(after)

        def work(transaction: Transaction) -> bool:
            _require_members(transaction, after.id)
            rivals = _rivals(transaction, after, now)
            _require_free_groups(transaction, after.id, rivals, now)
            marked = (after.id, rivals, CONFLICTING)
            transaction.execute("mark_devices_elsewhere", marked)
            transaction.execute("touch_groups_of_task", (after.id,))
            transaction.execute("replace_fuota_task", row)
            return True

        return await self._on_task(before, work) or False

    async def remove_fuota_task(self, task: FuotaTask) -> bool:
        def work(transaction: Transaction) -> bool:
            return bool(transaction.execute("delete_fuota_task", (task.id,)))

        return await self._on_task(task, work) or False

    async def add_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        key = bytes(dev_eui)

        def work(transaction: Transaction) -> bool:
            transaction.require_there("device_exists", (key,), "device", dev_eui)
            if transaction.exists("task_has_groups", (task.id,)):
                raise Conflict(KIND, task.id, "has multicast groups, and so takes no devices")
            transaction.execute("insert_task_device", (task.id, key, FIRST_RECEIVER_STATUS))
            return True

        return await self._on_task(task, work) or False

    async def remove_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        def work(transaction: Transaction) -> bool:
            key = (task.id, bytes(dev_eui))
            transaction.execute_on("delete_task_device", key, "device", dev_eui)
            return True

        return await self._on_task(task, work) or False

    async def task_device(self, task_id: str, dev_eui: DevEUI) -> TaskDevice | None:
        key = (task_id, bytes(dev_eui), FIRST_RECEIVER_STATUS)
        return self._database.read_one("task_device", key, task_device_from_row)

    async def task_devices(
        self, task_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[TaskDevice]:
        key = (task_id, bytes(after or b""), limit, FIRST_RECEIVER_STATUS)
        return await self._database.read_aside("task_devices", key, task_device_from_row)

    async def tasks_of_device(self, dev_eui: DevEUI) -> list[str]:
        return [row[0] for row in self._database.read("tasks_of_device", (bytes(dev_eui),))]

    async def move_task_device(self, before: TaskDevice, status: ReceiverStatus) -> bool:
        key = (before.task_id, bytes(before.dev_eui))

        def work(transaction: Transaction) -> bool:
            stored = transaction.row("task_device", (*key, FIRST_RECEIVER_STATUS))
            if stored is None or task_device_from_row(stored) != before:
                return False
            transaction.execute("put_task_device_status", (*key, status))
            return True

        return await self._database.write(work)

    async def add_task_group(self, task: FuotaTask, group_id: str) -> bool:
        def work(transaction: Transaction) -> bool:
            transaction.require_there("multicast_group", (group_id,), "multicast group", group_id)
            if transaction.exists("task_has_devices", (task.id,)):
                raise Conflict(KIND, task.id, "has devices, and so takes no multicast groups")
            transaction.execute("insert_task_group", (task.id, group_id))
            return True

        return await self._on_task(task, work) or False

    async def remove_task_group(self, task: FuotaTask, group_id: str) -> bool:
        def work(transaction: Transaction) -> bool:
            if not transaction.execute("delete_task_group", (task.id, group_id)):
                raise NotFound("multicast group", group_id)
            return True

        return await self._on_task(task, work) or False

    async def task_groups(self, task_id: str, after: str = "", limit: int = 250) -> list[str]:
        key = (task_id, after, limit)
        return await self._database.read_aside("task_groups", key, lambda row: str(row[0]))

    async def _on_task(self, task: FuotaTask, work: Callable[[Transaction], T]) -> T | None:
        """What `work` returns; None where the task is no longer this one."""

        def checked(transaction: Transaction) -> T | None:
            if not transaction.exists("fuota_task_is", (task.id, task.revision)):
                return None
            return work(transaction)

        return await self._database.write(checked)


def _require_members(transaction: Transaction, task_id: str) -> None:
    if not any(
        transaction.exists(name, (task_id,)) for name in ("task_has_devices", "task_has_groups")
    ):
        raise Conflict(KIND, task_id, "has neither devices nor multicast groups")


def _rivals(transaction: Transaction, task: FuotaTask, now: Instant) -> str:
    """Ids of the other tasks that are active, as a JSON array."""
    rows = transaction.rows("fuota_tasks_scheduled", (task.account, task.id))
    others = map(fuota_task_from_row, rows)
    return json.dumps([one.id for one in others if task_status(one.session, now) in ACTIVE])


def _require_free_groups(transaction: Transaction, task_id: str, rivals: str, now: Instant) -> None:
    elsewhere = transaction.row("group_elsewhere", (task_id, rivals))
    if elsewhere is not None:
        raise Conflict("multicast group", elsewhere[0], "takes part in another firmware update")
    for group in map(group_from_row, transaction.rows("groups_of_task", (task_id,))):
        if current(group.session, now) is not None:
            raise Conflict("multicast group", group.id, "has a session of its own")
