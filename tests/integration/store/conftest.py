from __future__ import annotations

from pathlib import Path

import pytest

from bittern.keys.ring import FileVault
from bittern.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """Not yet open."""
    vault = FileVault.load(tmp_path / "data.key")
    return SqliteStore(tmp_path / "bittern.db", vault)
