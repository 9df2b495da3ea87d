"""What of it is SQLite's own; the rest is in `tests/unit/store/ports/test_fuota.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import FUOTA_TASK, MULTICAST_GROUP, NOW, dev_eui, register

TASK = msgspec.structs.replace(FUOTA_TASK, session=None)


async def test_of_two_processes_one_starts_a_task(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    await register(sqlite)
    await sqlite.add_fuota_task(TASK)
    await sqlite.add_task_device(TASK, dev_eui(0))
    after = msgspec.structs.replace(FUOTA_TASK, revision=1)
    other = SqliteStore(tmp_path / "bittern.db", vault, group_commit_s=0)
    await other.open()
    started = await asyncio.gather(
        *(store.start_fuota_task(TASK, after, NOW) for store in (sqlite, other))
    )
    assert sorted(started) == [False, True]
    await other.close()


async def test_a_start_that_is_refused_changes_nothing(sqlite: SqliteStore) -> None:
    await sqlite.add_multicast_group(MULTICAST_GROUP)
    await sqlite.add_fuota_task(TASK)
    await sqlite.add_task_group(TASK, MULTICAST_GROUP.id)
    after = msgspec.structs.replace(FUOTA_TASK, revision=1)
    [outcome] = await asyncio.gather(
        sqlite.start_fuota_task(TASK, after, NOW), return_exceptions=True
    )
    assert "has a session of its own" in str(outcome)
    assert await sqlite.fuota_task(TASK.id) == TASK
    assert await sqlite.multicast_group(MULTICAST_GROUP.id) == MULTICAST_GROUP
