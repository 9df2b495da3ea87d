from __future__ import annotations

from pathlib import Path

import pytest

from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """Not yet open."""
    vault = KeyRing({1: bytes(range(32))})
    return SqliteStore(tmp_path / "bittern.db", vault)
