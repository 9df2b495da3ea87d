"""Two stores that are told the same: the one in memory, and SQLite."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule

from bittern.errors import BitternError
from bittern.keys.ring import KeyRing
from bittern.store.protocol import Store
from bittern.store.sqlite import SqliteStore
from bittern.testing.memory_store import MemoryStore

SETTINGS = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


async def outcome(call: Awaitable[object]) -> object:
    try:
        return await call
    except BitternError as error:
        return type(error), str(error)


class TwoStores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.memory = MemoryStore(changes_kept=20)
        self.sqlite = self.make_sqlite()
        self.runner.run(self.sqlite.open())

    def make_sqlite(self) -> SqliteStore:
        vault = KeyRing({1: bytes(range(32))})
        return SqliteStore(self.folder / "db", vault, group_commit_s=0, changes_kept=20)

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Store], Awaitable[object]]) -> object:
        """The same call on both; their answer, which must be one."""

        async def answers() -> tuple[object, object]:
            return await outcome(call(self.memory)), await outcome(call(self.sqlite))

        memory, sqlite = self.runner.run(answers())
        assert memory == sqlite, _differences(memory, sqlite)
        return memory

    @rule()
    def restart(self) -> None:
        self.runner.run(self.sqlite.close())
        self.sqlite = self.make_sqlite()
        self.runner.run(self.sqlite.open())


def _differences(memory: object, sqlite: object) -> object:
    """Without what they agree on."""
    if isinstance(memory, list) and isinstance(sqlite, list) and len(memory) == len(sqlite):
        pairs = enumerate(zip(memory, sqlite, strict=True))
        return {place: _differences(*pair) for place, pair in pairs if pair[0] != pair[1]}
    return memory, sqlite
