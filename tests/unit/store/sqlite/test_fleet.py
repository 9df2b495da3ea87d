"""What of it is SQLite's own; the rest is in `test_gateway_records.py`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec

from bittern.errors import NotFound
from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    CONNECTION,
    FIRMWARE,
    FIRMWARE_TASK,
    GATEWAY,
    GATEWAY_EUI,
    dev_eui,
)
from bittern.types import GatewayEUI


async def test_states_that_come_together_share_a_transaction(sqlite: SqliteStore) -> None:
    euis = [GatewayEUI(dev_eui(number)) for number in range(100)]
    for number, eui in enumerate(euis):
        gateway = msgspec.structs.replace(GATEWAY, id=str(number), gateway_eui=eui)
        await sqlite.add_gateway(gateway)
    before = sqlite.statistics()
    unknown = GatewayEUI(dev_eui(100))
    outcomes = await asyncio.gather(
        *(sqlite.put_gateway_state(eui, CONNECTION) for eui in [*euis, unknown]),
        return_exceptions=True,
    )
    assert outcomes[:-1] == [None] * 100
    assert isinstance(outcomes[-1], NotFound)
    assert sqlite.statistics().groups == before.groups + 1
    assert len(await sqlite.gateway_states()) == 100


async def test_people_can_read_a_state(sqlite: SqliteStore, tmp_path: Path) -> None:
    await sqlite.add_gateway(GATEWAY)
    await sqlite.put_gateway_state(GATEWAY_EUI, CONNECTION)
    connection = sqlite3.connect(tmp_path / "bittern.db")
    station = "SELECT part, json_extract(record, '$.station') FROM gateway_state"
    assert connection.execute(station).fetchall() == [("connection", "2.0.6(linux/std)")]
    connection.close()


async def test_of_two_processes_one_moves_a_task(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    await sqlite.add_gateway(GATEWAY)
    await sqlite.add_firmware(FIRMWARE)
    await sqlite.add_firmware_task(FIRMWARE_TASK)
    after = msgspec.structs.replace(FIRMWARE_TASK, status="IN_PROGRESS")
    other = SqliteStore(tmp_path / "bittern.db", vault, group_commit_s=0)
    await other.open()
    moved = await asyncio.gather(
        *(store.replace_firmware_task(FIRMWARE_TASK, after) for store in (sqlite, other))
    )
    assert sorted(moved) == [False, True]
    await other.close()


async def test_a_task_from_before_a_field_can_be_moved(sqlite: SqliteStore, tmp_path: Path) -> None:
    """It is not the text of the row that is compared."""
    await sqlite.add_gateway(GATEWAY)
    await sqlite.add_firmware(FIRMWARE)
    await sqlite.add_firmware_task(FIRMWARE_TASK)
    connection = sqlite3.connect(tmp_path / "bittern.db", isolation_level=None)
    connection.execute("UPDATE firmware_task SET record = json_remove(record, '$.reason')")
    connection.close()
    assert await sqlite.replace_firmware_task(FIRMWARE_TASK, FIRMWARE_TASK)
