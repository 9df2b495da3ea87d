"""Whatever is done to groups and firmware updates, both stores give the same answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from bittern.store.group_records import FuotaTask, MulticastGroup, TaskDevice
from bittern.store.protocol import Store
from bittern.testing import examples
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
from two_stores import SETTINGS, TwoStores

DEVICES = st.integers(0, 2)
GROUPS = st.integers(0, 5)
TASKS = st.integers(0, 1)
REGIONS = st.sampled_from(("EU868", "US915"))


class GroupStores(TwoStores):
    @initialize()
    def begin(self) -> None:
        self.both(lambda store: examples.register(store, devices=2))
        for number in range(6):
            self.add_group(number, "EU868")
        for number in range(2):
            self.add_task(number, "EU868")

    @rule(number=DEVICES)
    def add_device(self, number: int) -> None:
        self.both(lambda store: store.add_device(examples.device(number)))

    @rule(number=DEVICES)
    def remove_device(self, number: int) -> None:
        self.both(lambda store: store.remove_device(examples.dev_eui(number)))

    @rule(number=GROUPS, region=REGIONS)
    def add_group(self, number: int, region: str) -> None:
        self.both(lambda store: store.add_multicast_group(group(number, region=region)))

    @rule(number=GROUPS, region=REGIONS, scheduled=st.booleans(), stale=st.booleans())
    def change_group(self, number: int, region: str, scheduled: bool, stale: bool) -> None:
        before = self.stored_group(number)
        session = examples.MULTICAST_GROUP.session if scheduled else None
        after = further(before, region=region, session=session)
        if stale:
            before, after = further(before), further(after)
        self.both(lambda store: store.replace_multicast_group(before, after))

    @rule(number=GROUPS)
    def remove_group(self, number: int) -> None:
        stored = self.stored_group(number)
        self.both(lambda store: store.remove_multicast_group(stored))

    @rule(number=GROUPS, devices=st.lists(DEVICES, max_size=3))
    def enter_group(self, number: int, devices: list[int]) -> None:
        euis = [examples.dev_eui(one) for one in devices]
        stored = self.stored_group(number)
        self.both(lambda store: store.add_group_devices(stored, euis))

    @rule(number=GROUPS, device=DEVICES)
    def leave_group(self, number: int, device: int) -> None:
        eui = examples.dev_eui(device)
        stored = self.stored_group(number)
        self.both(lambda store: store.remove_group_devices(stored, [eui]))

    @rule(number=TASKS, region=REGIONS)
    def add_task(self, number: int, region: str) -> None:
        self.both(lambda store: store.add_fuota_task(update(number, region=region)))

    @rule(number=TASKS, region=REGIONS)
    def change_task(self, number: int, region: str) -> None:
        before = self.stored_task(number)
        after = further(before, region=region)
        self.both(lambda store: store.replace_fuota_task(before, after))

    @rule(number=TASKS)
    def remove_task(self, number: int) -> None:
        stored = self.stored_task(number)
        self.both(lambda store: store.remove_fuota_task(stored))

    @rule(number=TASKS, late=st.booleans())
    def start_task(self, number: int, late: bool) -> None:
        before = self.stored_task(number)
        after = further(before, session=examples.FUOTA_TASK.session)
        now = Instant(examples.NOW + 86_400 * late)
        self.both(lambda store: store.start_fuota_task(before, after, now))

    @rule(number=TASKS, device=DEVICES, enters=st.booleans())
    def move_device(self, number: int, device: int, enters: bool) -> None:
        task, eui = self.stored_task(number), examples.dev_eui(device)
        if enters:
            self.both(lambda store: store.add_task_device(task, eui))
        else:
            self.both(lambda store: store.remove_task_device(task, eui))

    @rule(number=TASKS, other=GROUPS, enters=st.booleans())
    def move_group(self, number: int, other: int, enters: bool) -> None:
        task, group_id = self.stored_task(number), group(other).id
        if enters:
            self.both(lambda store: store.add_task_group(task, group_id))
        else:
            self.both(lambda store: store.remove_task_group(task, group_id))

    @rule(number=TASKS, device=DEVICES)
    def tell_of_device(self, number: int, device: int) -> None:
        before = TaskDevice(task_id=update(number).id, dev_eui=examples.dev_eui(device))
        self.both(lambda store: store.move_task_device(before, "MICError"))

    def stored_group(self, number: int) -> MulticastGroup:
        plain = group(number)
        return self.runner.run(self.memory.multicast_group(plain.id)) or plain

    def stored_task(self, number: int) -> FuotaTask:
        plain = update(number)
        return self.runner.run(self.memory.fuota_task(plain.id)) or plain

    @invariant()
    def hold_the_same(self) -> None:
        async def everything(store: Store) -> list[Any]:
            return [
                await store.multicast_groups(examples.MULTICAST_GROUP.account),
                [await store.group_devices(group(number).id) for number in range(6)],
                [await store.tasks_of_group(group(number).id) for number in range(6)],
                await store.fuota_tasks(examples.FUOTA_TASK.account),
                [await store.task_devices(update(number).id) for number in range(2)],
                [await store.task_groups(update(number).id) for number in range(2)],
                [await store.groups_of_device(examples.dev_eui(number)) for number in range(3)],
                [await store.tasks_of_device(examples.dev_eui(number)) for number in range(3)],
            ]

        self.both(everything)


def group(number: int, **different: Any) -> MulticastGroup:
    plain = {"id": f"group {number}", "session": None}
    return msgspec.structs.replace(examples.MULTICAST_GROUP, **plain | different)


def update(number: int, **different: Any) -> FuotaTask:
    plain = {"id": f"update {number}", "session": None}
    return msgspec.structs.replace(examples.FUOTA_TASK, **plain | different)


def further(record: Any, **different: Any) -> Any:
    return msgspec.structs.replace(record, revision=record.revision + 1, **different)


TestGroupStores = GroupStores.TestCase
TestGroupStores.settings = SETTINGS
