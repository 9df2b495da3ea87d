from __future__ import annotations

import inspect

import pytest

from bittern.store.protocol import Store
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import register
from bittern.testing.memory_store import MemoryStore

PORTS = [name for name, _ in inspect.getmembers(Store, inspect.isfunction) if name[0] != "_"]


@pytest.mark.parametrize("engine", [SqliteStore, MemoryStore])
@pytest.mark.parametrize("name", PORTS)
def test_an_engine_has_every_method_of_the_ports(engine: type, name: str) -> None:
    port = inspect.signature(getattr(Store, name))
    assert inspect.signature(getattr(engine, name)) == port
    assert getattr(engine, name) is not getattr(Store, name)


async def test_statistics_count_what_was_committed(sqlite: SqliteStore) -> None:
    before = sqlite.statistics()
    await register(sqlite, devices=2)
    after = sqlite.statistics()
    assert (before.calls, after.calls, after.waiting) == (0, 5, 0)
    assert 1 <= after.groups <= 5
