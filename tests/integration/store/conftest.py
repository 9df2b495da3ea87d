from __future__ import annotations

from pathlib import Path

import pytest

from bittern.store.sqlite import SqliteStore
from bittern.store.vault import FileVault


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """Not yet open."""
    vault = FileVault.load(tmp_path / "data.key")
    return SqliteStore(tmp_path / "bittern.db", vault)
