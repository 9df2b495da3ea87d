"""What of it is SQLite's own; the rest is in `tests/unit/store/ports/test_groups.py`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec

from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import MULTICAST_GROUP, dev_eui, register


async def test_of_two_processes_one_changes_a_group(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    await sqlite.add_multicast_group(MULTICAST_GROUP)
    after = msgspec.structs.replace(MULTICAST_GROUP, revision=1, name="other")
    other = SqliteStore(tmp_path / "bittern.db", vault, group_commit_s=0)
    await other.open()
    changed = await asyncio.gather(
        *(store.replace_multicast_group(MULTICAST_GROUP, after) for store in (sqlite, other))
    )
    assert sorted(changed) == [False, True]
    await other.close()


async def test_a_page_of_devices_is_found_by_the_index(sqlite: SqliteStore, tmp_path: Path) -> None:
    await register(sqlite, devices=2)
    await sqlite.add_multicast_group(MULTICAST_GROUP)
    await sqlite.add_group_devices(MULTICAST_GROUP, [dev_eui(0), dev_eui(1)])
    connection = sqlite3.connect(tmp_path / "bittern.db")
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT dev_eui FROM group_device "
        "WHERE group_id = '' AND dev_eui > x'' ORDER BY dev_eui LIMIT 1"
    ).fetchall()
    connection.close()
    assert [step[3] for step in plan] == [
        "SEARCH group_device USING PRIMARY KEY (group_id=? AND dev_eui>?)"
    ]
