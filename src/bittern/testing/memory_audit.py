"""The audit log of the store in memory: a part of `MemoryStore`."""

from __future__ import annotations

from itertools import islice, takewhile

from bittern.store.audit_records import (
    AuditChain,
    AuditEntry,
    AuditFilter,
    AuditHead,
    AuditRecord,
    AuditVerdict,
    Verification,
)
from bittern.types import Instant


class MemoryAudit:
    """What `MemoryStore` has of it. Nothing is attributed: who asks adds what was done behind."""

    def __init__(self) -> None:
        self._audit: list[AuditEntry] = []
        self._audit_chain = AuditChain(b"in memory")
        self._audit_anchor = AuditHead()
        self._audit_head = AuditHead()

    async def add_audit(self, *records: AuditRecord) -> None:
        for entry in self._audit_chain.links(self._audit_head, records):
            self._audit.append(entry)
            self._audit_head = self._audit_chain.head(entry.sequence, entry.hash)

    async def audit_entries(
        self, wanted: AuditFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[AuditEntry]:
        behind = (one for one in self._audit if one.sequence > after_sequence)
        return list(islice((one for one in behind if wanted.fits(one.record)), limit))

    async def audit_head(self) -> AuditHead:
        return self._audit_head

    async def verify_audit(self, known: AuditHead | None = None) -> AuditVerdict:
        verification = Verification(self._audit_chain, self._audit_anchor, known)
        for entry in self._audit:
            verification.add(entry)
        return verification.verdict(self._audit_head)

    async def trim_audit(self, before: Instant, record: AuditRecord) -> int:
        old = list(takewhile(lambda one: one.record.at < before, self._audit))
        if old:
            self._audit_anchor = self._audit_chain.head(old[-1].sequence, old[-1].hash, "anchor")
            self._audit = self._audit[len(old) :]
            await self.add_audit(record)
        return len(old)
