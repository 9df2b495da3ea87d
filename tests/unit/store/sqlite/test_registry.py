"""What of the registry is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bittern.errors import Conflict
from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import DESTINATION, DEV_EUI, GATEWAY, device, register


async def test_people_can_read_what_is_no_secret(sqlite: SqliteStore, tmp_path: Path) -> None:
    await register(sqlite)
    await sqlite.add_gateway(GATEWAY)
    connection = sqlite3.connect(tmp_path / "bittern.db")
    [record] = connection.execute("SELECT record FROM gateway").fetchone()
    assert '"name":"roof"' in record
    found = connection.execute("SELECT hex(dev_eui), destination FROM device").fetchone()
    assert found == (str(DEV_EUI).upper(), DESTINATION.name)
    connection.close()


async def test_of_two_processes_one_registers_a_device(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    await register(sqlite, devices=0)
    other = SqliteStore(tmp_path / "bittern.db", vault, group_commit_s=0)
    await other.open()
    outcomes = await asyncio.gather(
        *(store.add_device(device()) for store in (sqlite, other)), return_exceptions=True
    )
    assert sorted(type(outcome) for outcome in outcomes if outcome) == [Conflict]
    await other.close()


@pytest.mark.parametrize("limit", [0, 1, 2])
async def test_a_page_has_at_most_its_limit(sqlite: SqliteStore, limit: int) -> None:
    await register(sqlite, devices=2)
    assert len(await sqlite.devices(limit=limit)) == limit
