"""The head in a file of its own. How a lost end is told is in `servers/test_audit_desk.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bittern.errors import ConfigurationError
from bittern.store.audit_head import keep_head, kept_head
from bittern.store.audit_records import AuditRecord
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

RECORD = AuditRecord(at=NOW, actor="cli:ada", action="cli:x", outcome="done")


async def test_the_file_moves_on_with_the_log(tmp_path: Path) -> None:
    log, path = MemoryStore(), tmp_path / "audit.head"
    assert await keep_head(log, path) == ""
    assert kept_head(path) is None
    for _ in range(2):
        await log.add_audit(RECORD)
        assert await keep_head(log, path) == ""
        assert kept_head(path) == await log.audit_head()
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


async def test_a_log_that_was_shortened_rightly_still_fits(tmp_path: Path) -> None:
    log, path = MemoryStore(), tmp_path / "audit.head"
    await log.add_audit(RECORD)
    await keep_head(log, path)
    await log.trim_audit(Instant(NOW + 1), RECORD)
    assert await keep_head(log, path) == ""
    assert kept_head(path) == await log.audit_head()


def test_what_is_no_head_is_told(tmp_path: Path) -> None:
    path = tmp_path / "audit.head"
    path.write_text("x")
    with pytest.raises(ConfigurationError, match="not the head"):
        kept_head(path)
