from __future__ import annotations

import msgspec

from bittern.store.group_codec import (
    fuota_task_from_row,
    fuota_task_to_row,
    group_device_from_row,
    group_from_row,
    group_to_row,
    task_device_from_row,
)
from bittern.store.group_records import GroupDevice, MulticastGroup, TaskDevice
from bittern.testing.examples import DEV_EUI, FUOTA_TASK, MULTICAST_GROUP, NOW

PLAIN = MulticastGroup(id="plain", region="US915", dl_class="ClassB", created_at=NOW)


def test_groups_come_back_as_they_were() -> None:
    for group in (MULTICAST_GROUP, PLAIN):
        assert group_from_row(group_to_row(group)) == group


def test_tasks_come_back_as_they_were() -> None:
    without = msgspec.structs.replace(FUOTA_TASK, session=None, fragment_bytes=200)
    for task in (FUOTA_TASK, without):
        assert fuota_task_from_row(fuota_task_to_row(task)) == task


def test_a_record_is_text_that_people_can_read() -> None:
    *_, record = group_to_row(MULTICAST_GROUP)
    body = msgspec.json.decode(record)
    assert body["gateways"] == ["00800000a0000001"]
    assert body["session"]["timeout_s"] == 256
    assert {"id", "account", "revision", "region"}.isdisjoint(body)


def test_an_older_row_gets_the_defaults() -> None:
    *columns, _ = group_to_row(PLAIN)
    row = (*columns, '{"dl_class":"ClassB","created_at":1700000000.0}')
    assert group_from_row(row) == PLAIN


def test_members_are_read_from_their_columns() -> None:
    eui = bytes(DEV_EUI)
    assert group_device_from_row(("g", eui, 2, "In_Session")) == GroupDevice(
        group_id="g", dev_eui=DEV_EUI, number=2, status="In_Session"
    )
    assert task_device_from_row(("t", eui, "Successful")) == TaskDevice(
        task_id="t", dev_eui=DEV_EUI, status="Successful"
    )
