from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.errors import SchemaTooNew, StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction


@pytest.fixture
async def database(tmp_path: Path, vault: KeyRing) -> AsyncIterator[Database]:
    database = make(tmp_path, vault)
    await database.open()
    yield database
    await database.close()


def make(folder: Path, vault: KeyRing) -> Database:
    return Database(folder / "db", vault, group_commit_s=0, most_waiting=100, changes_kept=10)


PAGE = ("account", "", 10)


def add_profile(identity: str) -> object:
    def work(transaction: Transaction) -> str:
        transaction.execute("insert_device_profile", (identity, "account", "{}"))
        return identity

    return work


def name(row: tuple[str, ...]) -> str:
    return row[0]


async def test_what_was_written_can_be_read_at_once(database: Database) -> None:
    assert await database.write(add_profile("a")) == "a"  # type: ignore[arg-type]
    assert database.read("device_profiles", PAGE) == [("a", "account", "{}")]
    assert database.read_one("device_profile", ("a",), name) == "a"
    assert database.read_one("device_profile", ("b",), name) is None
    assert await database.read_aside("device_profiles", PAGE, name) == ["a"]


async def test_every_outcome_waits_for_the_commit(database: Database, tmp_path: Path) -> None:
    """Another process sees it as soon as the caller does."""
    other = sqlite3.connect(tmp_path / "db")
    writes = [asyncio.ensure_future(database.write(add_profile(str(n)))) for n in range(5)]  # type: ignore[arg-type]
    for done in asyncio.as_completed(writes):
        await done
        assert other.execute("SELECT count(*) FROM device_profile").fetchone() == (5,)
    other.close()


async def test_it_can_be_closed_and_opened_again(database: Database) -> None:
    await database.write(add_profile("a"))  # type: ignore[arg-type]
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        database.read("device_profiles", PAGE)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.write(add_profile("b"))  # type: ignore[arg-type]
    await database.open()
    assert len(database.read("device_profiles", PAGE)) == 1


async def test_closing_leaves_one_file(database: Database, tmp_path: Path) -> None:
    await database.write(add_profile("a"))  # type: ignore[arg-type]
    await database.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["db"]


async def test_a_newer_schema_is_refused(tmp_path: Path, vault: KeyRing) -> None:
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaTooNew, match="version 99"):
        await make(tmp_path, vault).open()


async def test_what_is_no_database_is_unavailable(tmp_path: Path, vault: KeyRing) -> None:
    (tmp_path / "db").write_bytes(b"not a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await make(tmp_path, vault).open()
    with pytest.raises(StoreUnavailable, match="No such file"):
        await make(tmp_path / "nowhere", vault).open()


async def test_a_read_that_fails_is_unavailable(database: Database) -> None:
    with pytest.raises(StoreUnavailable, match="datatype"):
        database.read("owed", ("x", "many"))
    with pytest.raises(StoreUnavailable, match="datatype"):
        await database.read_aside("owed", ("x", "many"), name)
