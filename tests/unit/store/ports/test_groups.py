"""Multicast groups and their devices: every engine does the same."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bittern.errors import Conflict
from bittern.store.group_records import GroupCount, GroupDevice, MulticastGroup
from bittern.store.notes import Note
from bittern.store.protocol import Store
from bittern.testing.examples import (
    DESTINATION,
    DEVICE_PROFILE,
    FUOTA_TASK,
    MULTICAST_GROUP,
    NOW,
    SERVICE_PROFILE,
    dev_eui,
    device,
    register,
)

GROUP = MULTICAST_GROUP
PLAIN = MulticastGroup(id="plain", region="US915", dl_class="ClassB", created_at=NOW)


def changed(group: MulticastGroup, **different: object) -> MulticastGroup:
    return msgspec.structs.replace(group, revision=group.revision + 1, **different)


async def with_devices(store: Store, count: int = 3) -> None:
    await register(store, devices=count)
    await store.add_multicast_group(GROUP)
    euis = [dev_eui(number) for number in range(count)]
    assert await store.add_group_devices(GROUP, euis) == euis


async def test_a_group_comes_back_as_it_was_added(store: Store) -> None:
    assert await store.multicast_group(GROUP.id) is None
    await store.add_multicast_group(GROUP)
    await store.add_multicast_group(PLAIN)
    assert await store.multicast_group(GROUP.id) == GROUP
    assert await store.multicast_group(PLAIN.id) == PLAIN
    with pytest.raises(Conflict, match=f"multicast group {GROUP.id} exists already"):
        await store.add_multicast_group(GROUP)


async def test_notes_are_kept_with_a_group_or_neither(store: Store) -> None:
    note = Note(kind="tags", name=f"MulticastGroup/{GROUP.id}", at=NOW, body="{}")
    await store.add_multicast_group(GROUP, notes=[note])
    assert await store.note(note.account, "tags", note.name) == note
    once = msgspec.structs.replace(note, only_if_older_than=NOW)
    other = msgspec.structs.replace(GROUP, id="other")
    with pytest.raises(Conflict):
        await store.add_multicast_group(other, notes=[once])
    assert await store.multicast_group("other") is None


async def test_groups_of_an_account_come_page_by_page(store: Store) -> None:
    for number in (3, 1, 2):
        await store.add_multicast_group(msgspec.structs.replace(GROUP, id=f"g{number}"))
    foreign = msgspec.structs.replace(GROUP, id="g4", account="111122223333")
    await store.add_multicast_group(foreign)
    first = await store.multicast_groups(GROUP.account, limit=2)
    assert [one.id for one in first] == ["g1", "g2"]
    assert [one.id for one in await store.multicast_groups(GROUP.account, "g2")] == ["g3"]
    assert await store.multicast_groups("111122223333") == [foreign]


async def test_a_group_changes_from_what_was_read(store: Store) -> None:
    await store.add_multicast_group(GROUP)
    after = changed(GROUP, name="other", session=None)
    assert await store.replace_multicast_group(GROUP, after)
    assert await store.multicast_group(GROUP.id) == after
    assert not await store.replace_multicast_group(GROUP, changed(GROUP, name="late"))
    assert await store.multicast_group(GROUP.id) == after
    assert not await store.remove_multicast_group(GROUP)
    assert await store.remove_multicast_group(after)
    assert await store.multicast_group(GROUP.id) is None
    assert not await store.replace_multicast_group(after, changed(after))


async def test_of_changes_that_come_together_one_is_made(store: Store) -> None:
    await store.add_multicast_group(GROUP)
    names = [f"n{number}" for number in range(5)]
    made = await asyncio.gather(
        *(store.replace_multicast_group(GROUP, changed(GROUP, name=name)) for name in names)
    )
    assert sorted(made) == [False, False, False, False, True]


async def test_devices_are_counted_and_come_page_by_page(store: Store) -> None:
    await with_devices(store)
    assert await store.group_count(GROUP.id) == GroupCount(3, 0)
    first, second = await store.group_devices(GROUP.id, limit=2)
    assert first == GroupDevice(
        group_id=GROUP.id, dev_eui=dev_eui(0), number=1, status="Package_Attempting"
    )
    [third] = await store.group_devices(GROUP.id, second.dev_eui)
    assert third.dev_eui == dev_eui(2)
    assert await store.group_device(GROUP.id, dev_eui(2)) == third
    assert await store.group_device(GROUP.id, dev_eui(3)) is None
    assert await store.group_count("other") == GroupCount(0, 0)


async def test_a_device_enters_once(store: Store) -> None:
    await with_devices(store, 2)
    member = await store.group_device(GROUP.id, dev_eui(0))
    assert member is not None
    assert await store.move_group_device(member, "Multicast_Setup_Attempting")
    assert await store.add_group_devices(GROUP, [dev_eui(0)]) == [dev_eui(0)]
    after = await store.group_device(GROUP.id, dev_eui(0))
    assert after == msgspec.structs.replace(member, status="Multicast_Setup_Attempting")


async def test_devices_of_others_and_of_nobody_stay_outside(store: Store) -> None:
    await with_devices(store, 1)
    foreign = msgspec.structs.replace(GROUP, id="foreign", account="111122223333")
    await store.add_multicast_group(foreign)
    assert await store.add_group_devices(foreign, [dev_eui(0), dev_eui(7)]) == []
    assert await store.group_count("foreign") == GroupCount(0, 0)


async def test_a_device_has_four_groups_at_most(store: Store) -> None:
    await register(store)
    groups = [msgspec.structs.replace(GROUP, id=f"g{number}") for number in range(5)]
    for group in groups:
        await store.add_multicast_group(group)
    entered = [await store.add_group_devices(group, [dev_eui(0)]) for group in groups]
    assert entered == [[dev_eui(0)]] * 4 + [[]]
    assert await store.remove_group_devices(groups[1], [dev_eui(0)]) == 1
    assert await store.add_group_devices(groups[4], [dev_eui(0)]) == [dev_eui(0)]
    member = await store.group_device("g4", dev_eui(0))
    assert member is not None
    assert member.number == 2


async def test_a_device_knows_its_groups(store: Store) -> None:
    await register(store, devices=2)
    for name in ("b", "a"):
        group = msgspec.structs.replace(GROUP, id=name)
        await store.add_multicast_group(group)
        await store.add_group_devices(group, [dev_eui(0)])
    assert await store.groups_of_device(dev_eui(0)) == ["b", "a"]
    assert await store.groups_of_device(dev_eui(1)) == []


async def test_devices_leave(store: Store) -> None:
    await with_devices(store)
    assert await store.remove_group_devices(GROUP, [dev_eui(1), dev_eui(9)]) == 1
    left = await store.group_devices(GROUP.id)
    assert [one.dev_eui for one in left] == [dev_eui(0), dev_eui(2)]


async def test_nobody_enters_or_leaves_a_group_that_was_changed(store: Store) -> None:
    await with_devices(store, 2)
    await store.replace_multicast_group(GROUP, changed(GROUP))
    assert await store.add_group_devices(GROUP, [dev_eui(0)]) is None
    assert await store.remove_group_devices(GROUP, [dev_eui(0)]) is None
    assert await store.group_count(GROUP.id) == GroupCount(2, 0)


async def test_a_removed_device_leaves_its_groups(store: Store) -> None:
    await with_devices(store, 2)
    await store.remove_device(dev_eui(0))
    assert [one.dev_eui for one in await store.group_devices(GROUP.id)] == [dev_eui(1)]


async def test_a_removed_group_has_no_devices(store: Store) -> None:
    await with_devices(store, 1)
    assert await store.remove_multicast_group(GROUP)
    assert await store.group_devices(GROUP.id) == []
    others = [msgspec.structs.replace(GROUP, id=f"g{number}") for number in range(4)]
    for group in others:
        await store.add_multicast_group(group)
        assert await store.add_group_devices(group, [dev_eui(0)]) == [dev_eui(0)]


async def test_a_status_moves_from_what_was_read(store: Store) -> None:
    await with_devices(store)
    member = await store.group_device(GROUP.id, dev_eui(0))
    assert member is not None
    assert await store.move_group_device(member, "Multicast_Setup_Ready")
    assert not await store.move_group_device(member, "Package_Unsupported")
    assert await store.group_count(GROUP.id) == GroupCount(3, 1)
    nobody = msgspec.structs.replace(member, dev_eui=dev_eui(9))
    assert not await store.move_group_device(nobody, "In_Session")


async def test_the_region_of_a_group_with_devices_stays(store: Store) -> None:
    await with_devices(store, 1)
    with pytest.raises(Conflict, match="its region"):
        await store.replace_multicast_group(GROUP, changed(GROUP, region="US915"))
    await store.remove_group_devices(GROUP, [dev_eui(0)])
    assert await store.replace_multicast_group(GROUP, changed(GROUP, region="US915"))


async def test_a_group_of_a_firmware_update_stays(store: Store) -> None:
    await store.add_multicast_group(GROUP)
    await store.add_fuota_task(FUOTA_TASK)
    assert await store.tasks_of_group(GROUP.id) == []
    await store.add_task_group(FUOTA_TASK, GROUP.id)
    assert await store.tasks_of_group(GROUP.id) == [FUOTA_TASK]
    with pytest.raises(Conflict, match="is used by a firmware update"):
        await store.remove_multicast_group(GROUP)
    with pytest.raises(Conflict, match="its region"):
        await store.replace_multicast_group(GROUP, changed(GROUP, region="US915"))
    await store.remove_fuota_task(FUOTA_TASK)
    assert await store.remove_multicast_group(GROUP)


async def test_a_device_of_another_account_does_not_enter(store: Store) -> None:
    await register(store)
    account = "111122223333"
    await store.add_destination(msgspec.structs.replace(DESTINATION, account=account))
    profile_id, service_id = "their profile", "their service"
    await store.add_device_profile(
        msgspec.structs.replace(DEVICE_PROFILE, account=account, id=profile_id)
    )
    await store.add_service_profile(
        msgspec.structs.replace(SERVICE_PROFILE, account=account, id=service_id)
    )
    foreign = device(
        1,
        account=account,
        device_profile_id=profile_id,
        service_profile_id=service_id,
    )
    await store.add_device(foreign)
    await store.add_multicast_group(GROUP)
    assert await store.add_group_devices(GROUP, [dev_eui(0), dev_eui(1)]) == [dev_eui(0)]
