"""What the log in memory does is in `tests/unit/store/ports/test_audit.py`."""

from __future__ import annotations

from bittern.store.audit_records import AuditFilter, AuditRecord
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore


async def test_two_stores_have_two_logs() -> None:
    first, second = MemoryStore(), MemoryStore()
    await first.add_audit(AuditRecord(at=NOW, actor="x", action="y", outcome="failed"))
    assert len(await first.audit_entries(AuditFilter())) == 1
    assert await second.audit_entries(AuditFilter()) == []
