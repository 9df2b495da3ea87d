"""What of the outbox, queue and feed is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    DEV_EUI,
    delivery,
    downlink,
    join_state,
    next_session,
    register,
    session,
)


async def fill(store: SqliteStore) -> None:
    await register(store)
    await store.activate(None, join_state(), session())
    await store.advance(session(), next_session(session()), Deliver(delivery()))
    await store.enqueue(downlink())


async def test_the_count_of_what_is_owed_survives_a_restart(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    await fill(sqlite)
    await sqlite.close()
    again = SqliteStore(tmp_path / "bittern.db", vault)
    await again.open()
    assert await again.owed_count() == 1
    await again.close()


async def test_without_the_key_nothing_opens(
    sqlite: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(sqlite)
    stranger = SqliteStore(tmp_path / "bittern.db", KeyRing({1: bytes(32)}))
    await stranger.open()
    with caplog.at_level(logging.ERROR, "bittern.store"):
        assert await stranger.owed(0, 1) == []
        assert await stranger.queued(DEV_EUI) == []
        assert await stranger.sessions_of(DEV_EUI) == []
    assert len(caplog.records) == 3
    with pytest.raises(SealBroken):
        await stranger.device(DEV_EUI)
    await stranger.close()


async def test_one_process_hears_of_the_changes_of_another(
    sqlite: SqliteStore, tmp_path: Path, vault: KeyRing
) -> None:
    other = SqliteStore(tmp_path / "bittern.db", vault, group_commit_s=0)
    await other.open()
    await register(sqlite)
    since = await sqlite.last_change()
    await other.enqueue(downlink())
    assert [change.kind for change in await sqlite.changes(since)] == ["downlink"]
    assert await sqlite.queued(DEV_EUI) == [downlink()]
    await other.close()
