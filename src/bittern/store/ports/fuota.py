"""Firmware updates over the air, and who takes part in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bittern.mac.fuota import ReceiverStatus
from bittern.store.group_records import FuotaTask, TaskDevice
from bittern.store.notes import Note
from bittern.types import DevEUI, Instant


class FuotaTasks(Protocol):
    """A task has devices or groups, never both. Whoever changes it says which revision they have
    read. A device that is removed leaves its tasks."""

    async def add_fuota_task(self, task: FuotaTask, *, notes: Sequence[Note] = ()) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def fuota_task(self, task_id: str) -> FuotaTask | None: ...
    async def fuota_tasks(self, account: str, after: str = "", limit: int = 250) -> list[FuotaTask]:
        """Of one account, in order of id, those behind `after`."""
        ...

    async def replace_fuota_task(self, before: FuotaTask, after: FuotaTask) -> bool:
        """Compare and set; False where the task is no longer `before`.

        `after` has the next revision. Raises `Conflict` for another region while the task has
        devices or groups.
        """
        ...

    async def start_fuota_task(self, before: FuotaTask, after: FuotaTask, now: Instant) -> bool:
        """As `replace_fuota_task`, and nobody may change the task's groups any more as they were.

        Raises `Conflict` where the task has neither devices nor groups, and where one of its
        groups has a session or takes part in another task that is active. A device that does gets
        the status that says so.
        """
        ...

    async def remove_fuota_task(self, task: FuotaTask) -> bool:
        """False where the task is no longer this one."""
        ...

    async def add_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        """False where the task is no longer this one; nothing changes where it has the device.

        Raises `NotFound` without the device, `Conflict` while the task has groups.
        """
        ...

    async def remove_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        """False where the task is no longer this one. Raises `NotFound` where it does not have
        the device by itself."""
        ...

    async def task_device(self, task_id: str, dev_eui: DevEUI) -> TaskDevice | None:
        """Of the task by itself or by a group."""
        ...

    async def task_devices(
        self, task_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[TaskDevice]:
        """Every device of the task, in order of DevEUI, those behind `after`."""
        ...

    async def tasks_of_device(self, dev_eui: DevEUI) -> list[str]:
        """Ids of the tasks that have it by itself, in their order."""
        ...

    async def move_task_device(self, before: TaskDevice, status: ReceiverStatus) -> bool:
        """Compare and set its status; False where it is no longer as `before`, or not there."""
        ...

    async def add_task_group(self, task: FuotaTask, group_id: str) -> bool:
        """False where the task is no longer this one; nothing changes where it has the group.

        Raises `NotFound` without the group, `Conflict` while the task has devices by themselves.
        """
        ...

    async def remove_task_group(self, task: FuotaTask, group_id: str) -> bool:
        """False where the task is no longer this one. Raises `NotFound` where it does not have
        the group."""
        ...

    async def task_groups(self, task_id: str, after: str = "", limit: int = 250) -> list[str]:
        """Ids of its groups, in their order, those behind `after`."""
        ...
