"""Groups, updates and who takes part in them to and from what a database keeps, in the manner of
`codec`."""

from __future__ import annotations

from bittern.store.codec import Rest, Row
from bittern.store.group_records import FuotaTask, GroupDevice, MulticastGroup, TaskDevice
from bittern.types import EUI64, DevEUI

# Groups: id, account, revision, region, record (the rest)

_group = Rest(MulticastGroup, ("id", "account", "revision", "region"), "json")


def group_to_row(group: MulticastGroup) -> Row:
    return group.id, group.account, group.revision, group.region, _group.dump(group).decode()


def group_from_row(row: Row) -> MulticastGroup:
    return MulticastGroup(
        id=row[0], account=row[1], revision=row[2], region=row[3], **_group.load(row[4])
    )


# Devices in groups: group_id, dev_eui, number, status


def group_device_from_row(row: Row) -> GroupDevice:
    return GroupDevice(group_id=row[0], dev_eui=DevEUI(EUI64(row[1])), number=row[2], status=row[3])


# Updates: id, account, revision, region, record (the rest)

_task = Rest(FuotaTask, ("id", "account", "revision", "region"), "json")


def fuota_task_to_row(task: FuotaTask) -> Row:
    return task.id, task.account, task.revision, task.region, _task.dump(task).decode()


def fuota_task_from_row(row: Row) -> FuotaTask:
    return FuotaTask(
        id=row[0], account=row[1], revision=row[2], region=row[3], **_task.load(row[4])
    )


# Devices in updates: task_id, dev_eui, status


def task_device_from_row(row: Row) -> TaskDevice:
    return TaskDevice(task_id=row[0], dev_eui=DevEUI(EUI64(row[1])), status=row[2])
