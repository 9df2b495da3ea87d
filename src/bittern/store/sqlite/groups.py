"""The port of multicast groups on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from bittern.errors import Conflict
from bittern.mac.multicast import FIRST_MEMBER_STATUS, GROUPS_OF_A_DEVICE, SET_UP, MemberStatus
from bittern.store.group_codec import (
    fuota_task_from_row,
    group_device_from_row,
    group_from_row,
    group_to_row,
)
from bittern.store.group_records import (
    FuotaTask,
    GroupCount,
    GroupDevice,
    MulticastGroup,
    is_successor_of_group,
)
from bittern.store.notes import Note
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.notes import keep_notes
from bittern.store.sqlite.transaction import Transaction
from bittern.types import DevEUI

KIND = "multicast group"
_NUMBERS = json.dumps(list(range(1, GROUPS_OF_A_DEVICE + 1)))
_SET_UP = json.dumps(sorted(SET_UP))

T = TypeVar("T")


class SqliteGroups:
    _database: Database

    async def add_multicast_group(
        self, group: MulticastGroup, *, notes: Sequence[Note] = ()
    ) -> None:
        row = group_to_row(group)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("multicast_group", (group.id,), KIND, group.id)
            transaction.execute("insert_multicast_group", row)

        await self._database.write(work)

    async def multicast_group(self, group_id: str) -> MulticastGroup | None:
        return self._database.read_one("multicast_group", (group_id,), group_from_row)

    async def multicast_groups(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[MulticastGroup]:
        key = (account, after, limit)
        return await self._database.read_aside("multicast_groups", key, group_from_row)

    async def replace_multicast_group(self, before: MulticastGroup, after: MulticastGroup) -> bool:
        assert is_successor_of_group(before, after)
        row = group_to_row(after)

        def work(transaction: Transaction) -> bool:
            region = (after.id, after.region)
            if transaction.exists("multicast_group_has_other_region", region):
                raise Conflict(KIND, after.id, "has devices or firmware updates of its region")
            transaction.execute("replace_multicast_group", row)
            return True

        return await self._on_group(before, work) or False

    async def remove_multicast_group(self, group: MulticastGroup) -> bool:
        def work(transaction: Transaction) -> bool:
            if transaction.exists("multicast_group_in_use", (group.id,)):
                raise Conflict(KIND, group.id, "is used by a firmware update")
            transaction.execute("delete_multicast_group", (group.id,))
            return True

        return await self._on_group(group, work) or False

    async def group_count(self, group_id: str) -> GroupCount:
        key = (group_id, _SET_UP)
        [count] = await self._database.read_aside(
            "group_count", key, lambda row: GroupCount(row[0], row[1])
        )
        return count

    async def add_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> list[DevEUI] | None:
        def work(transaction: Transaction) -> list[DevEUI]:
            for dev_eui in dev_euis:
                row = (group.id, bytes(dev_eui), FIRST_MEMBER_STATUS, _NUMBERS)
                transaction.execute("insert_group_device", row)
            return [
                dev_eui
                for dev_eui in dev_euis
                if transaction.exists("group_device", (group.id, bytes(dev_eui)))
            ]

        return await self._on_group(group, work)

    async def remove_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> int | None:
        def work(transaction: Transaction) -> int:
            keys = [(group.id, bytes(dev_eui)) for dev_eui in dev_euis]
            return sum(transaction.execute("delete_group_device", key) for key in keys)

        return await self._on_group(group, work)

    async def group_device(self, group_id: str, dev_eui: DevEUI) -> GroupDevice | None:
        key = (group_id, bytes(dev_eui))
        return self._database.read_one("group_device", key, group_device_from_row)

    async def group_devices(
        self, group_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[GroupDevice]:
        key = (group_id, bytes(after or b""), limit)
        return await self._database.read_aside("group_devices", key, group_device_from_row)

    async def move_group_device(self, before: GroupDevice, status: MemberStatus) -> bool:
        row = (before.group_id, bytes(before.dev_eui), before.number, before.status, status)
        moved = await self._database.write(
            lambda transaction: transaction.execute("move_group_device", row)
        )
        return bool(moved)

    async def groups_of_device(self, dev_eui: DevEUI) -> list[str]:
        return [row[0] for row in self._database.read("groups_of_device", (bytes(dev_eui),))]

    async def tasks_of_group(self, group_id: str) -> list[FuotaTask]:
        return await self._database.read_aside("tasks_of_group", (group_id,), fuota_task_from_row)

    async def _on_group(self, group: MulticastGroup, work: Callable[[Transaction], T]) -> T | None:
        """What `work` returns; None where the group is no longer this one."""

        def checked(transaction: Transaction) -> T | None:
            if not transaction.exists("multicast_group_is", (group.id, group.revision)):
                return None
            return work(transaction)

        return await self._database.write(checked)
