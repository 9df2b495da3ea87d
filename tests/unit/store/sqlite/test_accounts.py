"""What of access keys is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import ACCESS_KEY, ACCOUNT

OTHER = "444455556666"


@pytest.fixture
async def path(tmp_path: Path, vault: KeyRing) -> Path:
    """A database with one access key, closed."""
    path = tmp_path / "bittern.db"
    store = SqliteStore(path, vault)
    await store.open()
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    await store.close()
    return path


async def test_the_secret_is_nowhere_in_the_file(path: Path) -> None:
    assert ACCESS_KEY.secret.expose().encode() not in path.read_bytes()


async def test_a_key_that_is_moved_to_another_account_does_not_open(
    path: Path, vault: KeyRing
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO account VALUES (?, '', 0)", (OTHER,))
        connection.execute("UPDATE access_key SET account = ?", (OTHER,))
    connection.close()
    store = SqliteStore(path, vault)
    await store.open()
    try:
        with pytest.raises(SealBroken):
            await store.access_key(ACCESS_KEY.id)
    finally:
        await store.close()
