"""The audit log: every engine does the same."""

from __future__ import annotations

import msgspec

from bittern.store.audit_records import NO_HASH, AuditFilter, AuditHead, AuditRecord
from bittern.store.protocol import Store
from bittern.testing.examples import NOW
from bittern.types import Instant

EVERYTHING = AuditFilter()


def record(number: int, **fields: object) -> AuditRecord:
    made = AuditRecord(
        at=Instant(NOW + number), actor="cli:ada", action="cli:gateway add", outcome="done"
    )
    return msgspec.structs.replace(made, detail=f"{number}", **fields)


async def test_entries_are_numbered_and_chained(store: Store) -> None:
    assert await store.audit_head() == AuditHead()
    await store.add_audit(record(0), record(1))
    await store.add_audit(record(2))
    entries = await store.audit_entries(EVERYTHING)
    assert [one.sequence for one in entries] == [1, 2, 3]
    assert [one.record for one in entries] == [record(0), record(1), record(2)]
    assert [one.previous for one in entries] == [NO_HASH, *(one.hash for one in entries[:2])]
    head = await store.audit_head()
    assert (head.sequence, head.hash) == (3, entries[-1].hash)
    assert await store.audit_entries(EVERYTHING, 1, 1) == entries[1:2]


async def test_entries_are_found_by_what_they_say(store: Store) -> None:
    other = record(1, account="210987654321", actor="arn:aws:x", action="iot:CreateThing")
    await store.add_audit(record(0), other, record(2))

    async def found(**wanted: object) -> list[int]:
        entries = await store.audit_entries(AuditFilter(**wanted))  # type: ignore[arg-type]
        return [one.sequence for one in entries]

    assert await found(account="210987654321") == [2]
    assert await found(account="21098765432") == []
    assert await found(actor="cli:") == [1, 3]
    assert await found(action="Thing") == [2]
    assert await found(since=Instant(NOW + 1)) == [2, 3]
    assert await found(actor="%") == []


async def test_a_log_verifies_against_each_head_that_it_had(store: Store) -> None:
    assert (await store.verify_audit()).fault == ""
    await store.add_audit(record(0))
    early = await store.audit_head()
    await store.add_audit(record(1))
    late = await store.audit_head()
    for known in (None, early, late):
        verdict = await store.verify_audit(known)
        assert (verdict.entries, verdict.head, verdict.fault) == (2, late, "")
    stranger = msgspec.structs.replace(late, sequence=9, mac=b"")
    assert (await store.verify_audit(stranger)).fault == "entries 3 to 9 are missing at the end"


async def test_an_empty_log_is_not_one_that_had_entries(store: Store) -> None:
    known = AuditHead(sequence=2, hash=b"x" * 32)
    assert "missing" in (await store.verify_audit(known)).fault


async def test_a_log_that_is_shortened_goes_on(store: Store) -> None:
    await store.add_audit(*(record(number) for number in range(5)))
    removal = record(9, action="audit:retention")
    assert await store.trim_audit(Instant(NOW), removal) == 0
    assert await store.trim_audit(Instant(NOW + 3), removal) == 3
    entries = await store.audit_entries(EVERYTHING)
    assert [one.sequence for one in entries] == [4, 5, 6]
    assert entries[-1].record == removal
    verdict = await store.verify_audit(await store.audit_head())
    assert (verdict.entries, verdict.anchor.sequence, verdict.fault) == (3, 3, "")
    assert await store.trim_audit(Instant(NOW + 100), removal) == 3
    assert (await store.verify_audit()).fault == ""
    await store.add_audit(record(10))
    assert (await store.verify_audit()).head.sequence == 8


async def test_what_is_older_than_its_neighbours_goes_with_them(store: Store) -> None:
    """A clock was set back: the beginning goes up to the first that is young."""
    await store.add_audit(record(5), record(1))
    assert await store.trim_audit(Instant(NOW + 3), record(9)) == 0
