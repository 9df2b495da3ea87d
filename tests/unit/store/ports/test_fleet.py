"""Gateways in the field and their firmware: every engine does the same."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.gateway.firmware import Status
from bittern.store.gateway_records import FirmwareTask, GatewayState, StatePart
from bittern.store.protocol import Store
from bittern.testing.examples import (
    CONNECTION,
    CUPS_CONTACT,
    FIRMWARE,
    FIRMWARE_TASK,
    GATEWAY,
    GATEWAY_EUI,
    NOW,
    REFUSED,
    dev_eui,
    news,
)
from bittern.types import EUI64, GatewayEUI, Instant

ENDED = ("COMPLETED", "FAILED")


def eui(number: int) -> GatewayEUI:
    return GatewayEUI(dev_eui(number))


async def add_gateways(store: Store, count: int) -> None:
    for number in range(count):
        gateway = msgspec.structs.replace(GATEWAY, id=str(number), gateway_eui=eui(number))
        await store.add_gateway(gateway)


async def with_task(store: Store, **different: object) -> FirmwareTask:
    """A gateway, a definition and the task between them."""
    await store.add_gateway(GATEWAY)
    await store.add_firmware(FIRMWARE)
    task = msgspec.structs.replace(FIRMWARE_TASK, **different)
    await store.add_firmware_task(task)
    return task


async def test_a_gateway_that_was_never_seen_has_an_empty_state(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    assert await store.gateway_state(GATEWAY_EUI) == GatewayState()
    assert await store.gateway_states() == []


async def test_each_part_of_a_state_comes_back_as_it_was_put(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.put_gateway_state(GATEWAY_EUI, CUPS_CONTACT)
    assert await store.gateway_state(GATEWAY_EUI) == GatewayState(cups=CUPS_CONTACT)
    await store.put_gateway_state(GATEWAY_EUI, REFUSED)
    await store.put_gateway_state(GATEWAY_EUI, CONNECTION)
    whole = GatewayState(connection=CONNECTION, cups=CUPS_CONTACT, refusal=REFUSED)
    assert await store.gateway_state(GATEWAY_EUI) == whole
    [(found_eui, found)] = await store.gateway_states()
    assert (found_eui, found) == (GATEWAY_EUI, whole)
    assert type(found_eui) is EUI64


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        (CONNECTION, {"connected": False, "reason": "no pong", "round_trip_s": None}),
        (CUPS_CONTACT, {"gifts": (), "at": Instant(NOW + 1)}),
        (REFUSED, {"reason": 'of "another" gateway, naïve\n'}),
    ],
)
async def test_a_part_is_replaced_and_the_others_stay(
    store: Store, part: StatePart, changed: dict[str, object]
) -> None:
    await store.add_gateway(GATEWAY)
    for one in (CONNECTION, CUPS_CONTACT, REFUSED):
        await store.put_gateway_state(GATEWAY_EUI, one)
    after = msgspec.structs.replace(part, **changed)
    await store.put_gateway_state(GATEWAY_EUI, after)
    state = await store.gateway_state(GATEWAY_EUI)
    expected = {CONNECTION, CUPS_CONTACT, REFUSED} - {part} | {after}
    assert {state.connection, state.cups, state.refusal} == expected


async def test_a_state_is_of_a_registered_gateway(store: Store) -> None:
    with pytest.raises(NotFound, match=f"gateway {GATEWAY_EUI}"):
        await store.put_gateway_state(GATEWAY_EUI, CONNECTION)
    assert await store.gateway_states() == []


async def test_states_come_in_pages_by_eui(store: Store) -> None:
    await add_gateways(store, 4)
    for number in (3, 0, 2):
        await store.put_gateway_state(eui(number), CONNECTION)
        await store.put_gateway_state(eui(number), CUPS_CONTACT)
    state = GatewayState(connection=CONNECTION, cups=CUPS_CONTACT)
    assert await store.gateway_states(limit=2) == [(eui(0), state), (eui(2), state)]
    assert await store.gateway_states(after=eui(2), limit=2) == [(eui(3), state)]
    assert await store.gateway_states(after=eui(3)) == []


async def test_a_gateway_goes_with_its_state_and_its_task(store: Store) -> None:
    await with_task(store)
    await store.put_gateway_state(GATEWAY_EUI, CONNECTION)
    since = await store.last_change()
    await store.remove_gateway(GATEWAY_EUI)
    assert await store.gateway_state(GATEWAY_EUI) == GatewayState()
    assert await store.gateway_states() == []
    assert await store.firmware_task(GATEWAY_EUI) is None
    assert await news(store, since) == [
        ("firmware", str(GATEWAY_EUI)),
        ("gateway", str(GATEWAY_EUI)),
    ]
    await store.add_gateway(GATEWAY)
    assert await store.gateway_state(GATEWAY_EUI) == GatewayState()


async def test_a_gateway_that_changes_keeps_its_state_and_its_task(store: Store) -> None:
    task = await with_task(store)
    await store.put_gateway_state(GATEWAY_EUI, CONNECTION)
    await store.replace_gateway(msgspec.structs.replace(GATEWAY, name="cellar"))
    assert await store.gateway_state(GATEWAY_EUI) == GatewayState(connection=CONNECTION)
    assert await store.firmware_task(GATEWAY_EUI) == task


async def test_a_definition_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_firmware(FIRMWARE)
    assert await store.firmware(FIRMWARE.id) == FIRMWARE
    assert await store.firmware("nothing") is None
    with pytest.raises(Conflict, match=f"firmware definition {FIRMWARE.id} exists already"):
        await store.add_firmware(msgspec.structs.replace(FIRMWARE, account="111122223333"))
    assert await store.firmware(FIRMWARE.id) == FIRMWARE


async def test_definitions_of_an_account_come_in_the_order_of_their_making(store: Store) -> None:
    made = [msgspec.structs.replace(FIRMWARE, id=one, account=one[0]) for one in ("az", "ba", "aa")]
    for one in made:
        await store.add_firmware(one)
    assert await store.firmware_definitions("a") == [made[0], made[2]]
    assert await store.firmware_definitions("b") == [made[1]]
    assert await store.firmware_definitions("c") == []


async def test_a_definition_is_removed(store: Store) -> None:
    await store.add_firmware(FIRMWARE)
    await store.remove_firmware(FIRMWARE.id)
    assert await store.firmware(FIRMWARE.id) is None
    with pytest.raises(NotFound, match=f"firmware definition {FIRMWARE.id}"):
        await store.remove_firmware(FIRMWARE.id)
    await store.add_firmware(FIRMWARE)


@pytest.mark.parametrize("status", get_args(Status))
async def test_a_definition_stays_while_a_task_has_not_ended(store: Store, status: str) -> None:
    task = await with_task(store, status=status)
    if status in ENDED:
        await store.remove_firmware(FIRMWARE.id)
        assert await store.firmware(FIRMWARE.id) is None
    else:
        with pytest.raises(Conflict, match="is used by a task"):
            await store.remove_firmware(FIRMWARE.id)
        assert await store.firmware(FIRMWARE.id) == FIRMWARE
    assert await store.firmware_tasks(FIRMWARE.id) == [task]


async def test_a_task_comes_back_as_it_was_added(store: Store) -> None:
    task = await with_task(store, status="FIRST_RETRY", reason="it has not come back")
    found = await store.firmware_task(GATEWAY_EUI)
    assert found == task
    assert found is not None
    assert type(found.gateway_eui) is EUI64
    assert await store.firmware_task(eui(0)) is None


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED"])
async def test_a_gateway_has_one_task(store: Store, status: str) -> None:
    task = await with_task(store, status=status)
    with pytest.raises(Conflict, match=f"firmware task {GATEWAY_EUI}"):
        await store.add_firmware_task(FIRMWARE_TASK)
    assert await store.firmware_task(GATEWAY_EUI) == task


async def test_a_task_is_of_a_gateway_and_a_definition(store: Store) -> None:
    with pytest.raises(NotFound, match="gateway"):
        await store.add_firmware_task(FIRMWARE_TASK)
    await store.add_gateway(GATEWAY)
    with pytest.raises(NotFound, match="firmware definition"):
        await store.add_firmware_task(FIRMWARE_TASK)
    assert await store.firmware_task(GATEWAY_EUI) is None


async def test_tasks_of_a_definition_come_by_eui(store: Store) -> None:
    await add_gateways(store, 3)
    other = msgspec.structs.replace(FIRMWARE, id="other")
    for definition in (FIRMWARE, other):
        await store.add_firmware(definition)
    tasks = [msgspec.structs.replace(FIRMWARE_TASK, gateway_eui=eui(number)) for number in range(3)]
    tasks[1] = msgspec.structs.replace(tasks[1], definition_id="other")
    for task in reversed(tasks):
        await store.add_firmware_task(task)
    assert await store.firmware_tasks(FIRMWARE.id) == [tasks[0], tasks[2]]
    assert await store.firmware_tasks("other") == [tasks[1]]
    assert await store.firmware_tasks("nothing") == []


async def test_of_two_that_move_a_task_one_does(store: Store) -> None:
    before = await with_task(store)
    since = await store.last_change()
    one = msgspec.structs.replace(before, status="IN_PROGRESS", changed_at=Instant(NOW + 1))
    other = msgspec.structs.replace(before, status="FAILED", reason="no image")
    assert await store.replace_firmware_task(before, one) is True
    assert await store.replace_firmware_task(before, other) is False
    assert await store.firmware_task(GATEWAY_EUI) == one
    assert await news(store, since) == [("firmware", str(GATEWAY_EUI))]


@pytest.mark.parametrize("different", [{"reason": "x"}, {"changed_at": 1.0}, {"created_at": 1.0}])
async def test_a_task_is_compared_whole(store: Store, different: dict[str, object]) -> None:
    task = await with_task(store)
    other = msgspec.structs.replace(task, **different)
    assert await store.replace_firmware_task(other, other) is False
    assert await store.firmware_task(GATEWAY_EUI) == task


async def test_a_task_that_is_gone_is_not_replaced(store: Store) -> None:
    assert await store.replace_firmware_task(FIRMWARE_TASK, FIRMWARE_TASK) is False
    assert await store.firmware_task(GATEWAY_EUI) is None


async def test_a_task_is_removed_and_another_may_follow(store: Store) -> None:
    await with_task(store, status="COMPLETED")
    await store.remove_firmware_task(GATEWAY_EUI)
    assert await store.firmware_task(GATEWAY_EUI) is None
    with pytest.raises(NotFound, match=f"firmware task {GATEWAY_EUI}"):
        await store.remove_firmware_task(GATEWAY_EUI)
    await store.add_firmware_task(FIRMWARE_TASK)


async def test_firmware_is_told_and_states_are_not(store: Store) -> None:
    task = await with_task(store)
    await store.put_gateway_state(GATEWAY_EUI, CONNECTION)
    await store.replace_firmware_task(task, msgspec.structs.replace(task, status="FAILED"))
    await store.remove_firmware_task(GATEWAY_EUI)
    await store.remove_firmware(FIRMWARE.id)
    assert await news(store, 1) == [
        ("firmware", FIRMWARE.id),
        ("firmware", str(GATEWAY_EUI)),
        ("firmware", str(GATEWAY_EUI)),
        ("firmware", str(GATEWAY_EUI)),
        ("firmware", FIRMWARE.id),
    ]


async def test_what_failed_of_firmware_is_not_told(store: Store) -> None:
    await with_task(store)
    since = await store.last_change()
    with pytest.raises(Conflict):
        await store.add_firmware(FIRMWARE)
    with pytest.raises(Conflict):
        await store.add_firmware_task(FIRMWARE_TASK)
    with pytest.raises(Conflict):
        await store.remove_firmware(FIRMWARE.id)
    assert await store.changes(since) == []
