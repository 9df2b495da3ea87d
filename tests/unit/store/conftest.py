"""The engines of the store. Another one joins every test of the ports by one line in `ENGINES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bittern.keys.ring import KeyRing
from bittern.store.protocol import Store
from bittern.store.sqlite import SqliteStore
from bittern.testing.memory_store import MemoryStore

CHANGES_KEPT = 50


def _memory(folder: Path) -> Store:
    return MemoryStore(changes_kept=CHANGES_KEPT)


def _sqlite(folder: Path) -> Store:
    vault = KeyRing({1: bytes(range(32))})
    path = folder / "bittern.db"
    return SqliteStore(path, vault, group_commit_s=0, changes_kept=CHANGES_KEPT)


ENGINES: dict[str, Callable[[Path], Store]] = {"memory": _memory, "sqlite": _sqlite}


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = ENGINES[request.param](tmp_path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def vault() -> KeyRing:
    return KeyRing({1: bytes(range(32))})


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Store]:
    store = _sqlite(tmp_path)
    await store.open()
    yield store
    await store.close()
