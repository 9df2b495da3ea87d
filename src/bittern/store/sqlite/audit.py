"""The audit log on SQLite."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from bittern.keys.ring import KEY_SIZE, Vault, key_id_of
from bittern.store import places
from bittern.store.attribution import Attribution
from bittern.store.audit_records import (
    NO_HASH,
    AuditChain,
    AuditEntry,
    AuditFilter,
    AuditHead,
    AuditRecord,
    AuditVerdict,
    Verification,
)
from bittern.store.codec import Row
from bittern.store.sqlite.transaction import Transaction
from bittern.types import Instant

if TYPE_CHECKING:
    from bittern.store.sqlite.database import Database

PAGE = 1000
PLACE = places.of_audit_key().now

T = TypeVar("T")


class SqliteAudit:
    _database: Database

    async def add_audit(self, *records: AuditRecord) -> None:
        vault = self._database.vault
        await self._database.write(lambda transaction: add_records(transaction, vault, records))

    async def audit_entries(
        self, wanted: AuditFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[AuditEntry]:
        key = (after_sequence, *msgspec.structs.astuple(wanted), limit)
        return await self._database.read_aside("audit_entries", key, _entry_from_row)

    async def audit_head(self) -> AuditHead:
        rows = self._database.read("audit_chain")
        return _head_of(rows[0]) if rows else AuditHead()

    async def verify_audit(self, known: AuditHead | None = None) -> AuditVerdict:
        while rows := self._database.read("audit_chain"):
            verdict = await self._verified(rows[0], known)
            now = self._database.read("audit_chain")
            # What was shortened meanwhile has a flaw only in the eyes of who began before.
            if not verdict.fault or _anchor_of(now[0]) == verdict.anchor:
                return verdict
        return _of_an_empty_log(known)

    async def _verified(self, row: Row, known: AuditHead | None) -> AuditVerdict:
        verification = Verification(_chain_of(row, self._database.vault), _anchor_of(row), known)
        after, written = -1, _head_of(row)
        # The head is read behind the entries, which may grow meanwhile: then both again.
        while page := await self.audit_entries(AuditFilter(), after, PAGE):
            for entry in page:
                verification.add(entry)
            after, written = page[-1].sequence, await self.audit_head()
            if len(page) < PAGE and written.sequence <= after:
                break
        return verification.verdict(written)

    async def trim_audit(self, before: Instant, record: AuditRecord) -> int:
        vault = self._database.vault

        def work(transaction: Transaction) -> int:
            last = transaction.row("last_old_audit", (before,))
            row = transaction.row("audit_chain", ())
            if last is None or row is None:
                return 0
            sequence, digest = last
            anchor = _chain_of(row, vault).head(sequence, digest, "anchor")
            transaction.execute("move_audit_anchor", (anchor.sequence, anchor.hash, anchor.mac))
            removed = transaction.execute("delete_old_audit", (sequence,))
            add_records(transaction, vault, (record,))
            return removed

        return await self._database.write(work)


def add_records(transaction: Transaction, vault: Vault, records: Sequence[AuditRecord]) -> None:
    """With whatever else the transaction does."""
    row = transaction.row("audit_chain", ()) or _begun(transaction, vault)
    chain, head = _chain_of(row, vault), _head_of(row)
    entries = list(chain.links(head, records))
    if not entries:
        return
    transaction.execute_many("insert_audit", [_entry_to_row(entry) for entry in entries])
    head = chain.head(entries[-1].sequence, entries[-1].hash)
    transaction.execute("move_audit_head", (head.sequence, head.hash, head.mac))
    seal_audit_key_anew(transaction, vault)


def seal_audit_key_anew(transaction: Transaction, vault: Vault) -> bool:
    """Under the data key that seals now, if it is sealed under another; whether it was."""
    row = transaction.row("audit_chain", ())
    if row is None:
        return False
    fresh = vault.seal(vault.open(row[0], PLACE), PLACE)
    if key_id_of(fresh) == key_id_of(row[0]):
        return False
    return bool(transaction.execute("seal_audit_key", (fresh, row[0])))


def with_attribution(
    work: Callable[[Transaction], T], attribution: Attribution | None, vault: Vault
) -> tuple[Callable[[Transaction], T], AuditRecord | None]:
    """`work`, and what it adds to the log beside."""
    record = None if attribution is None else attribution.take()
    if record is None:
        return work, None
    added = record

    def both(transaction: Transaction) -> T:
        result = work(transaction)
        add_records(transaction, vault, (added,))
        return result

    return both, record


def _begun(transaction: Transaction, vault: Vault) -> Row:
    """A log without an entry. Its key outlives every data key."""
    key = os.urandom(KEY_SIZE)
    anchor = AuditChain(key).head(0, NO_HASH, "anchor")
    head = AuditChain(key).head(0, NO_HASH)
    row = (vault.seal(key, PLACE), 0, NO_HASH, anchor.mac, 0, NO_HASH, head.mac)
    transaction.execute("insert_audit_chain", row)
    return row


def _of_an_empty_log(known: AuditHead | None) -> AuditVerdict:
    is_gone = known is not None and known.sequence > 0
    fault = f"all {known.sequence} entries are missing" if known is not None and is_gone else ""
    return AuditVerdict(entries=0, anchor=AuditHead(), head=AuditHead(), fault=fault)


def _chain_of(row: Row, vault: Vault) -> AuditChain:
    return AuditChain(vault.open(row[0], PLACE))


def _anchor_of(row: Row) -> AuditHead:
    return AuditHead(sequence=row[1], hash=row[2], mac=row[3])


def _head_of(row: Row) -> AuditHead:
    return AuditHead(sequence=row[4], hash=row[5], mac=row[6])


def _entry_to_row(entry: AuditEntry) -> Row:
    return entry.sequence, *msgspec.structs.astuple(entry.record), entry.previous, entry.hash


def _entry_from_row(row: Row) -> AuditEntry:
    sequence, at, account, actor, action, resource, outcome, detail, previous, digest = row
    record = AuditRecord(
        at=Instant(at),
        account=account,
        actor=actor,
        action=action,
        resource=resource,
        outcome=outcome,
        detail=detail,
    )
    return AuditEntry(sequence=sequence, record=record, previous=previous, hash=digest)
