"""The audit log."""

from __future__ import annotations

from typing import Protocol

from bittern.store.audit_records import (
    AuditEntry,
    AuditFilter,
    AuditHead,
    AuditRecord,
    AuditVerdict,
)
from bittern.types import Instant


class AuditLog(Protocol):
    """Who changed what. Entries are added and, when they are old enough, removed from the oldest
    on; nothing changes one. What is `attributed` is added with the change itself."""

    async def add_audit(self, *records: AuditRecord) -> None:
        """Each behind the one before it, in one transaction."""
        ...

    async def audit_entries(
        self, wanted: AuditFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[AuditEntry]:
        """In order of sequence."""
        ...

    async def audit_head(self) -> AuditHead:
        """Sequence 0 before the first entry."""
        ...

    async def verify_audit(self, known: AuditHead | None = None) -> AuditVerdict:
        """Recompute the chain. `known`: a head that was kept elsewhere; its entry must be there."""
        ...

    async def trim_audit(self, before: Instant, record: AuditRecord) -> int:
        """Remove the oldest entries, up to the first that is not older; how many.

        The chain begins anew where they ended, and `record` is added, if there were any.
        """
        ...
