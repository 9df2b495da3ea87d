"""Firmware updates over the air: every engine does the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.mac.fuota import BEGIN_WITHIN_S, FuotaSession
from bittern.store.group_records import FuotaTask, MulticastGroup, TaskDevice
from bittern.store.notes import Note
from bittern.store.protocol import Store
from bittern.testing.examples import FUOTA_TASK, MULTICAST_GROUP, NOW, dev_eui, register
from bittern.types import Instant

START = Instant(NOW + 7200)
TASK = msgspec.structs.replace(FUOTA_TASK, session=None)
GROUP = msgspec.structs.replace(MULTICAST_GROUP, session=None)
SCHEDULED = FuotaSession(start_at=START)


def changed(task: FuotaTask, **different: object) -> FuotaTask:
    return msgspec.structs.replace(task, revision=task.revision + 1, **different)


async def with_devices(store: Store, task: FuotaTask = TASK, count: int = 3) -> None:
    await store.add_fuota_task(task)
    for number in range(count):
        assert await store.add_task_device(task, dev_eui(number))


async def start(store: Store, task: FuotaTask = TASK, now: float = NOW) -> bool:
    return await store.start_fuota_task(task, changed(task, session=SCHEDULED), Instant(now))


def numbered(record: Any, number: int) -> Any:
    return msgspec.structs.replace(record, id=f"number {number}")


async def test_a_task_comes_back_as_it_was_added(store: Store) -> None:
    assert await store.fuota_task(FUOTA_TASK.id) is None
    await store.add_fuota_task(FUOTA_TASK)
    assert await store.fuota_task(FUOTA_TASK.id) == FUOTA_TASK
    with pytest.raises(Conflict, match=f"fuota task {FUOTA_TASK.id} exists already"):
        await store.add_fuota_task(FUOTA_TASK)


async def test_notes_are_kept_with_a_task_or_neither(store: Store) -> None:
    note = Note(kind="tags", name=f"FuotaTask/{TASK.id}", at=NOW, body="{}")
    await store.add_fuota_task(TASK, notes=[note])
    assert await store.note(note.account, "tags", note.name) == note
    once = msgspec.structs.replace(note, only_if_older_than=NOW)
    with pytest.raises(Conflict):
        await store.add_fuota_task(numbered(TASK, 1), notes=[once])
    assert await store.fuota_task("number 1") is None


async def test_tasks_of_an_account_come_page_by_page(store: Store) -> None:
    for number in (3, 1, 2):
        await store.add_fuota_task(numbered(TASK, number))
    foreign = msgspec.structs.replace(TASK, account="111122223333")
    await store.add_fuota_task(foreign)
    first = await store.fuota_tasks(TASK.account, limit=2)
    assert [one.id for one in first] == ["number 1", "number 2"]
    [last] = await store.fuota_tasks(TASK.account, "number 2")
    assert last.id == "number 3"
    assert await store.fuota_tasks("111122223333") == [foreign]


async def test_a_task_changes_from_what_was_read(store: Store) -> None:
    await store.add_fuota_task(TASK)
    after = changed(TASK, name="other")
    assert await store.replace_fuota_task(TASK, after)
    assert not await store.replace_fuota_task(TASK, changed(TASK, name="late"))
    assert await store.fuota_task(TASK.id) == after
    assert not await store.add_task_device(TASK, dev_eui(0))
    assert not await store.remove_task_device(TASK, dev_eui(0))
    assert not await store.add_task_group(TASK, GROUP.id)
    assert not await store.remove_task_group(TASK, GROUP.id)
    assert not await start(store)
    assert not await store.remove_fuota_task(TASK)
    assert await store.remove_fuota_task(after)
    assert await store.fuota_task(TASK.id) is None


async def test_devices_come_page_by_page(store: Store) -> None:
    await register(store, devices=3)
    await with_devices(store)
    first = await store.task_devices(TASK.id, limit=2)
    assert first == [TaskDevice(task_id=TASK.id, dev_eui=dev_eui(number)) for number in (0, 1)]
    [last] = await store.task_devices(TASK.id, dev_eui(1))
    assert (last.dev_eui, last.status) == (dev_eui(2), "Initial")
    assert await store.task_device(TASK.id, dev_eui(2)) == last
    assert await store.task_device(TASK.id, dev_eui(3)) is None


async def test_a_device_must_be_there_to_enter_and_to_leave(store: Store) -> None:
    await register(store)
    await with_devices(store, count=1)
    with pytest.raises(NotFound, match=f"device {dev_eui(1)}"):
        await store.add_task_device(TASK, dev_eui(1))
    with pytest.raises(NotFound, match=f"device {dev_eui(1)}"):
        await store.remove_task_device(TASK, dev_eui(1))
    assert await store.add_task_device(TASK, dev_eui(0))
    assert await store.remove_task_device(TASK, dev_eui(0))
    assert await store.task_devices(TASK.id) == []


async def test_a_device_knows_the_tasks_that_have_it_by_itself(store: Store) -> None:
    await register(store, devices=2)
    for number in (2, 1):
        await with_devices(store, numbered(TASK, number), count=1)
    assert await store.tasks_of_device(dev_eui(0)) == ["number 1", "number 2"]
    assert await store.tasks_of_device(dev_eui(1)) == []


async def test_a_removed_device_leaves_its_tasks(store: Store) -> None:
    await register(store, devices=2)
    await with_devices(store, count=2)
    await store.remove_device(dev_eui(0))
    assert [one.dev_eui for one in await store.task_devices(TASK.id)] == [dev_eui(1)]


async def test_devices_of_groups_are_devices_of_the_task_once(store: Store) -> None:
    await register(store, devices=3)
    await store.add_fuota_task(TASK)
    for number, devices in ((1, [0, 1]), (2, [1, 2])):
        group: MulticastGroup = numbered(GROUP, number)
        await store.add_multicast_group(group)
        await store.add_group_devices(group, [dev_eui(one) for one in devices])
        assert await store.add_task_group(TASK, group.id)
    euis = [dev_eui(number) for number in range(3)]
    assert [one.dev_eui for one in await store.task_devices(TASK.id)] == euis
    member = await store.task_device(TASK.id, dev_eui(2))
    assert member is not None
    assert await store.move_task_device(member, "Successful")
    assert not await store.move_task_device(member, "MICError")
    statuses = [one.status for one in await store.task_devices(TASK.id)]
    assert statuses == ["Initial", "Initial", "Successful"]
    assert await store.remove_task_group(TASK, "number 2")
    assert await store.task_device(TASK.id, dev_eui(2)) is None
    assert not await store.move_task_device(member, "Successful")


async def test_groups_come_page_by_page(store: Store) -> None:
    await store.add_fuota_task(TASK)
    for number in (2, 1, 3):
        await store.add_multicast_group(numbered(GROUP, number))
        await store.add_task_group(TASK, f"number {number}")
    assert await store.add_task_group(TASK, "number 1")
    assert await store.task_groups(TASK.id, limit=2) == ["number 1", "number 2"]
    assert await store.task_groups(TASK.id, "number 2") == ["number 3"]
    for refuse in (store.add_task_group, store.remove_task_group):
        with pytest.raises(NotFound, match="multicast group nothing"):
            await refuse(TASK, "nothing")


async def test_a_task_has_devices_or_groups(store: Store) -> None:
    await register(store)
    await store.add_multicast_group(GROUP)
    await with_devices(store, count=1)
    with pytest.raises(Conflict, match="has devices, and so takes no multicast groups"):
        await store.add_task_group(TASK, GROUP.id)
    await store.remove_task_device(TASK, dev_eui(0))
    await store.add_task_group(TASK, GROUP.id)
    with pytest.raises(Conflict, match="has multicast groups, and so takes no devices"):
        await store.add_task_device(TASK, dev_eui(0))


async def test_the_region_of_a_task_with_members_stays(store: Store) -> None:
    await register(store)
    await with_devices(store, count=1)
    with pytest.raises(Conflict, match="its region"):
        await store.replace_fuota_task(TASK, changed(TASK, region="US915"))
    await store.remove_task_device(TASK, dev_eui(0))
    assert await store.replace_fuota_task(TASK, changed(TASK, region="US915"))


async def test_a_task_without_members_is_not_started(store: Store) -> None:
    await store.add_fuota_task(TASK)
    with pytest.raises(Conflict, match="has neither devices nor multicast groups"):
        await start(store)


async def test_a_device_in_another_active_task_is_told(store: Store) -> None:
    await register(store, devices=3)
    await with_devices(store)
    other = numbered(TASK, 1)
    await with_devices(store, other, count=2)
    assert await start(store)
    assert await start(store, other)
    statuses = [one.status for one in await store.task_devices(other.id)]
    assert statuses == ["Device_exist_in_conflict_fuota_task"] * 2
    assert {one.status for one in await store.task_devices(TASK.id)} == {"Initial"}
    late = numbered(TASK, 2)
    await with_devices(store, late)
    assert await start(store, late, START + BEGIN_WITHIN_S)
    assert {one.status for one in await store.task_devices(late.id)} == {"Initial"}


async def test_a_device_of_a_group_is_told_too(store: Store) -> None:
    await register(store, devices=3)
    await store.add_multicast_group(GROUP)
    await store.add_group_devices(GROUP, [dev_eui(0), dev_eui(1)])
    await with_devices(store, count=1)
    other = numbered(TASK, 1)
    await store.add_fuota_task(other)
    await store.add_task_group(other, GROUP.id)
    assert await start(store)
    assert await start(store, other)
    statuses = [one.status for one in await store.task_devices(other.id)]
    assert statuses == ["Device_exist_in_conflict_fuota_task", "Initial"]


async def test_a_group_takes_part_in_one_task_at_a_time(store: Store) -> None:
    await store.add_multicast_group(GROUP)
    other = numbered(TASK, 1)
    for task in (TASK, other):
        await store.add_fuota_task(task)
        await store.add_task_group(task, GROUP.id)
    assert await start(store)
    with pytest.raises(Conflict, match="takes part in another firmware update"):
        await start(store, other)
    assert await start(store, other, START + BEGIN_WITHIN_S)


async def test_a_group_with_a_session_takes_no_part(store: Store) -> None:
    await store.add_multicast_group(MULTICAST_GROUP)
    await store.add_fuota_task(TASK)
    await store.add_task_group(TASK, MULTICAST_GROUP.id)
    with pytest.raises(Conflict, match="has a session of its own"):
        await start(store)
    assert MULTICAST_GROUP.session is not None
    assert await start(store, now=MULTICAST_GROUP.session.end_at)


async def test_nobody_enters_a_group_that_was_read_before_its_task_started(store: Store) -> None:
    await register(store)
    await store.add_multicast_group(GROUP)
    await store.add_fuota_task(TASK)
    await store.add_task_group(TASK, GROUP.id)
    assert await start(store)
    assert await store.add_group_devices(GROUP, [dev_eui(0)]) is None


async def test_tasks_of_other_accounts_are_none_of_its_rivals(store: Store) -> None:
    await register(store)
    await with_devices(store, count=1)
    foreign = msgspec.structs.replace(TASK, id="foreign", account="111122223333")
    await with_devices(store, foreign, count=1)
    assert await start(store)
    assert await start(store, foreign)
    assert {one.status for one in await store.task_devices("foreign")} == {"Initial"}


async def test_a_removed_task_has_no_members(store: Store) -> None:
    await register(store)
    await with_devices(store, count=1)
    assert await store.remove_fuota_task(TASK)
    assert await store.task_devices(TASK.id) == []
    await store.add_multicast_group(GROUP)
    await store.add_fuota_task(TASK)
    await store.add_task_group(TASK, GROUP.id)
    assert await store.remove_fuota_task(TASK)
    assert await store.task_groups(TASK.id) == []
