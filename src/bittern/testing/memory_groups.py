"""The ports of multicast groups and firmware updates in memory: a part of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bittern.errors import Conflict, NotFound
from bittern.mac.fuota import ACTIVE, CONFLICTING, ReceiverStatus, task_status
from bittern.mac.multicast import (
    FIRST_MEMBER_STATUS,
    GROUPS_OF_A_DEVICE,
    SET_UP,
    MemberStatus,
    current,
)
from bittern.store.group_records import (
    FuotaTask,
    GroupCount,
    GroupDevice,
    MulticastGroup,
    TaskDevice,
    is_successor_of_group,
    is_successor_of_task,
)
from bittern.store.notes import Note
from bittern.store.records import Device
from bittern.testing.memory_fleet import page, require_new, require_there
from bittern.types import DevEUI, Instant

GROUP = "multicast group"
TASK = "fuota task"


class MemoryGroups:
    """Whoever inherits it keeps the devices and the notes, and says which device is removed."""

    _devices: dict[DevEUI, Device]

    def __init__(self) -> None:
        self._multicast_groups: dict[str, MulticastGroup] = {}
        self._group_devices: dict[tuple[str, DevEUI], GroupDevice] = {}
        self._fuota_tasks: dict[str, FuotaTask] = {}
        self._chosen: set[tuple[str, DevEUI]] = set()
        self._receivers: dict[tuple[str, DevEUI], ReceiverStatus] = {}
        self._task_groups: set[tuple[str, str]] = set()

    def _require_older(self, notes: Sequence[Note]) -> None:
        raise NotImplementedError

    def _keep_notes(self, notes: Sequence[Note]) -> None:
        raise NotImplementedError

    def _forget_member(self, dev_eui: DevEUI) -> None:
        """A device that is removed takes part in nothing."""
        for memberships in (self._group_devices, self._receivers):
            for key in [key for key in memberships if key[1] == dev_eui]:
                del memberships[key]
        self._chosen = {key for key in self._chosen if key[1] != dev_eui}

    # Groups

    async def add_multicast_group(
        self, group: MulticastGroup, *, notes: Sequence[Note] = ()
    ) -> None:
        self._require_older(notes)
        require_new(self._multicast_groups, group.id, GROUP, group.id)
        self._keep_notes(notes)
        self._multicast_groups[group.id] = group

    async def multicast_group(self, group_id: str) -> MulticastGroup | None:
        return self._multicast_groups.get(group_id)

    async def multicast_groups(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[MulticastGroup]:
        mine = [one for one in self._multicast_groups.values() if one.account == account]
        return sorted((one for one in mine if one.id > after), key=lambda one: one.id)[:limit]

    async def replace_multicast_group(self, before: MulticastGroup, after: MulticastGroup) -> bool:
        assert is_successor_of_group(before, after)
        stored = self._group_as(before)
        if stored is None:
            return False
        is_used = bool(await self.tasks_of_group(after.id) or self._in_group(after.id))
        if is_used and stored.region != after.region:
            raise Conflict(GROUP, after.id, "has devices or firmware updates of its region")
        self._multicast_groups[after.id] = after
        return True

    async def remove_multicast_group(self, group: MulticastGroup) -> bool:
        if self._group_as(group) is None:
            return False
        if await self.tasks_of_group(group.id):
            raise Conflict(GROUP, group.id, "is used by a firmware update")
        del self._multicast_groups[group.id]
        for key in [key for key in self._group_devices if key[0] == group.id]:
            del self._group_devices[key]
        return True

    async def group_count(self, group_id: str) -> GroupCount:
        statuses = [one.status for one in self._in_group(group_id)]
        return GroupCount(len(statuses), sum(status in SET_UP for status in statuses))

    async def add_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> list[DevEUI] | None:
        if self._group_as(group) is None:
            return None
        for dev_eui in dev_euis:
            device = self._devices.get(dev_eui)
            taken = {one.number for key, one in self._group_devices.items() if key[1] == dev_eui}
            free = set(range(1, GROUPS_OF_A_DEVICE + 1)) - taken
            if device is None or device.account != group.account or not free:
                continue
            member = GroupDevice(
                group_id=group.id, dev_eui=dev_eui, number=min(free), status=FIRST_MEMBER_STATUS
            )
            self._group_devices.setdefault((group.id, dev_eui), member)
        return [one for one in dev_euis if (group.id, one) in self._group_devices]

    async def remove_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> int | None:
        if self._group_as(group) is None:
            return None
        removed = [self._group_devices.pop((group.id, one), None) for one in dev_euis]
        return sum(one is not None for one in removed)

    async def group_device(self, group_id: str, dev_eui: DevEUI) -> GroupDevice | None:
        return self._group_devices.get((group_id, dev_eui))

    async def group_devices(
        self, group_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[GroupDevice]:
        return page({one.dev_eui: one for one in self._in_group(group_id)}, after, limit)

    async def move_group_device(self, before: GroupDevice, status: MemberStatus) -> bool:
        key = before.group_id, before.dev_eui
        if self._group_devices.get(key) != before:
            return False
        self._group_devices[key] = msgspec.structs.replace(before, status=status)
        return True

    async def groups_of_device(self, dev_eui: DevEUI) -> list[str]:
        mine = [one for key, one in self._group_devices.items() if key[1] == dev_eui]
        return [one.group_id for one in sorted(mine, key=lambda one: one.number)]

    async def tasks_of_group(self, group_id: str) -> list[FuotaTask]:
        ids = sorted(task_id for task_id, other in self._task_groups if other == group_id)
        return [self._fuota_tasks[task_id] for task_id in ids]

    def _group_as(self, group: MulticastGroup) -> MulticastGroup | None:
        stored = self._multicast_groups.get(group.id)
        return stored if stored is not None and stored.revision == group.revision else None

    def _in_group(self, group_id: str) -> list[GroupDevice]:
        return [one for one in self._group_devices.values() if one.group_id == group_id]

    # Firmware updates

    async def add_fuota_task(self, task: FuotaTask, *, notes: Sequence[Note] = ()) -> None:
        self._require_older(notes)
        require_new(self._fuota_tasks, task.id, TASK, task.id)
        self._keep_notes(notes)
        self._fuota_tasks[task.id] = task

    async def fuota_task(self, task_id: str) -> FuotaTask | None:
        return self._fuota_tasks.get(task_id)

    async def fuota_tasks(self, account: str, after: str = "", limit: int = 250) -> list[FuotaTask]:
        mine = [one for one in self._fuota_tasks.values() if one.account == account]
        return sorted((one for one in mine if one.id > after), key=lambda one: one.id)[:limit]

    async def replace_fuota_task(self, before: FuotaTask, after: FuotaTask) -> bool:
        assert is_successor_of_task(before, after)
        stored = self._task_as(before)
        if stored is None:
            return False
        is_used = self._devices_of(after.id) or self._groups_of(after.id)
        if is_used and stored.region != after.region:
            raise Conflict(TASK, after.id, "has devices or groups of its region")
        self._fuota_tasks[after.id] = after
        return True

    async def start_fuota_task(self, before: FuotaTask, after: FuotaTask, now: Instant) -> bool:
        assert is_successor_of_task(before, after)
        if self._task_as(before) is None:
            return False
        groups = self._groups_of(after.id)
        if not groups and not self._devices_of(after.id):
            raise Conflict(TASK, after.id, "has neither devices nor multicast groups")
        rivals = self._rivals(after, now)
        for group_id in groups:
            if any((rival, group_id) in self._task_groups for rival in rivals):
                raise Conflict(GROUP, group_id, "takes part in another firmware update")
        for group_id in groups:
            if current(self._multicast_groups[group_id].session, now) is not None:
                raise Conflict(GROUP, group_id, "has a session of its own")
        elsewhere = {dev_eui for rival in rivals for dev_eui in self._members(rival)}
        for dev_eui in self._members(after.id) & elsewhere:
            self._receivers[after.id, dev_eui] = CONFLICTING
        for group_id in groups:
            group = self._multicast_groups[group_id]
            touched = msgspec.structs.replace(group, revision=group.revision + 1)
            self._multicast_groups[group_id] = touched
        self._fuota_tasks[after.id] = after
        return True

    async def remove_fuota_task(self, task: FuotaTask) -> bool:
        if self._task_as(task) is None:
            return False
        del self._fuota_tasks[task.id]
        self._chosen = {key for key in self._chosen if key[0] != task.id}
        self._task_groups = {key for key in self._task_groups if key[0] != task.id}
        for key in [key for key in self._receivers if key[0] == task.id]:
            del self._receivers[key]
        return True

    async def add_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        if self._task_as(task) is None:
            return False
        require_there(self._devices, dev_eui, "device", dev_eui)
        if self._groups_of(task.id):
            raise Conflict(TASK, task.id, "has multicast groups, and so takes no devices")
        self._chosen.add((task.id, dev_eui))
        return True

    async def remove_task_device(self, task: FuotaTask, dev_eui: DevEUI) -> bool:
        if self._task_as(task) is None:
            return False
        require_there(self._chosen, (task.id, dev_eui), "device", dev_eui)
        self._chosen.remove((task.id, dev_eui))
        self._receivers.pop((task.id, dev_eui), None)
        return True

    async def task_device(self, task_id: str, dev_eui: DevEUI) -> TaskDevice | None:
        is_member = dev_eui in self._members(task_id)
        return self._task_device(task_id, dev_eui) if is_member else None

    async def task_devices(
        self, task_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[TaskDevice]:
        members = {one: self._task_device(task_id, one) for one in self._members(task_id)}
        return page(members, after, limit)

    async def tasks_of_device(self, dev_eui: DevEUI) -> list[str]:
        return sorted(task_id for task_id, other in self._chosen if other == dev_eui)

    async def move_task_device(self, before: TaskDevice, status: ReceiverStatus) -> bool:
        if await self.task_device(before.task_id, before.dev_eui) != before:
            return False
        self._receivers[before.task_id, before.dev_eui] = status
        return True

    async def add_task_group(self, task: FuotaTask, group_id: str) -> bool:
        if self._task_as(task) is None:
            return False
        require_there(self._multicast_groups, group_id, GROUP, group_id)
        if self._devices_of(task.id):
            raise Conflict(TASK, task.id, "has devices, and so takes no multicast groups")
        self._task_groups.add((task.id, group_id))
        return True

    async def remove_task_group(self, task: FuotaTask, group_id: str) -> bool:
        if self._task_as(task) is None:
            return False
        if (task.id, group_id) not in self._task_groups:
            raise NotFound(GROUP, group_id)
        self._task_groups.remove((task.id, group_id))
        return True

    async def task_groups(self, task_id: str, after: str = "", limit: int = 250) -> list[str]:
        return [one for one in self._groups_of(task_id) if one > after][:limit]

    def _task_as(self, task: FuotaTask) -> FuotaTask | None:
        stored = self._fuota_tasks.get(task.id)
        return stored if stored is not None and stored.revision == task.revision else None

    def _task_device(self, task_id: str, dev_eui: DevEUI) -> TaskDevice:
        plain = TaskDevice(task_id=task_id, dev_eui=dev_eui)
        status = self._receivers.get((task_id, dev_eui), plain.status)
        return msgspec.structs.replace(plain, status=status)

    def _devices_of(self, task_id: str) -> set[DevEUI]:
        return {dev_eui for other, dev_eui in self._chosen if other == task_id}

    def _groups_of(self, task_id: str) -> list[str]:
        return sorted(group_id for other, group_id in self._task_groups if other == task_id)

    def _members(self, task_id: str) -> set[DevEUI]:
        groups = self._groups_of(task_id)
        by_group = {one.dev_eui for group_id in groups for one in self._in_group(group_id)}
        return self._devices_of(task_id) | by_group

    def _rivals(self, task: FuotaTask, now: Instant) -> list[str]:
        return [
            one.id
            for one in self._fuota_tasks.values()
            if one.account == task.account
            and one.id != task.id
            and task_status(one.session, now) in ACTIVE
        ]
