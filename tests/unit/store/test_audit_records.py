"""A chain of entries: what holds, and what is found when something of it is different."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from bittern.store.audit_records import (
    MOST_DETAIL,
    AuditChain,
    AuditEntry,
    AuditFilter,
    AuditHead,
    AuditRecord,
    AuditVerdict,
    Verification,
)
from bittern.testing.examples import NOW
from bittern.types import Instant

CHAIN = AuditChain(b"k" * 32)
RECORD = AuditRecord(
    at=NOW,
    account="123456789012",
    actor="arn:aws:iam::123456789012:user/AKIAEXAMPLE",
    action="iotwireless:CreateDestination",
    resource="*",
    outcome="done",
    detail='{"address":"192.0.2.1"}',
)
ENTRIES = list(CHAIN.links(AuditHead(), [RECORD] * 4))
HEAD = CHAIN.head(4, ENTRIES[3].hash)


def verified(
    entries: list[AuditEntry],
    head: AuditHead = HEAD,
    anchor: AuditHead | None = None,
    known: AuditHead | None = None,
) -> AuditVerdict:
    verification = Verification(CHAIN, anchor or AuditHead(), known)
    for entry in entries:
        verification.add(entry)
    return verification.verdict(head)


def changed(number: int, **fields: object) -> list[AuditEntry]:
    entry = ENTRIES[number]
    record = msgspec.structs.replace(entry.record, **fields)
    made = msgspec.structs.replace(entry, record=record)
    return [*ENTRIES[:number], made, *ENTRIES[number + 1 :]]


def test_a_chain_as_it_was_written_is_without_fault() -> None:
    verdict = verified(ENTRIES)
    assert (verdict.entries, verdict.head, verdict.fault) == (4, HEAD, "")


@pytest.mark.parametrize("field", AuditRecord.__struct_fields__)
@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_change_of_any_field_is_found_and_named(field: str, number: int) -> None:
    before = getattr(RECORD, field)
    after = Instant(NOW + 1e-3) if field == "at" else f"{before}x"
    assert verified(changed(number, **{field: after})).fault == f"entry {number + 1} was changed"


def test_text_that_moves_to_the_next_field_is_a_change() -> None:
    fields = {"actor": RECORD.actor[:-1], "action": RECORD.actor[-1] + RECORD.action}
    assert verified(changed(1, **fields)).fault == "entry 2 was changed"


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        (ENTRIES[1:], "entry 1 is missing"),
        (ENTRIES[:1] + ENTRIES[2:], "entry 2 is missing"),
        (ENTRIES[:1] + ENTRIES[3:], "entry 2 and more is missing"),
        (ENTRIES[:3], "entries 4 to 4 are missing at the end"),
        ([], "entries 1 to 4 are missing at the end"),
        ([ENTRIES[1], *ENTRIES], "entry 1 is missing"),
        ([*ENTRIES[:2], *ENTRIES[1:]], "entry 2 does not follow the one before it"),
    ],
)
def test_what_is_missing_or_too_many_is_named(entries: list[AuditEntry], fault: str) -> None:
    assert verified(entries).fault == fault


def test_a_chain_under_another_key_is_no_chain_of_ours() -> None:
    forged = list(AuditChain(b"x" * 32).links(AuditHead(), [RECORD] * 4))
    assert verified(forged).fault == "entry 1 was changed"


def test_an_end_that_was_cut_off_with_its_head_is_found_by_a_head_kept_elsewhere() -> None:
    short = CHAIN.head(2, ENTRIES[1].hash)
    assert verified(ENTRIES[:2], short).fault == ""
    assert verified(ENTRIES[:2], short, known=HEAD).fault == "entries 3 to 4 are missing at the end"
    without_proof = AuditHead(sequence=4, hash=HEAD.hash)
    assert "missing" in verified(ENTRIES[:2], short, known=without_proof).fault


def test_a_head_kept_elsewhere_is_of_an_entry_that_is_still_the_same() -> None:
    older = CHAIN.head(2, ENTRIES[1].hash)
    assert verified(ENTRIES, known=older).fault == ""
    another = AuditHead(sequence=2, hash=b"x" * 32)
    told = "entry 2 is another than the one that was kept apart"
    assert verified(ENTRIES, known=another).fault == told
    forged = msgspec.structs.replace(older, mac=b"x" * 32)
    assert verified(ENTRIES, known=forged).fault == "the head that was kept apart was changed"


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (msgspec.structs.replace(HEAD, sequence=3), "the head of the log was changed"),
        (CHAIN.head(3, ENTRIES[2].hash), "the head of the log was set back"),
        (CHAIN.head(4, HEAD.hash, "anchor"), "the head of the log was changed"),
    ],
)
def test_a_head_that_is_not_the_last_entry_is_found(head: AuditHead, fault: str) -> None:
    assert verified(ENTRIES, head).fault == fault


def test_a_chain_begins_where_it_was_shortened_and_nowhere_else() -> None:
    anchor = CHAIN.head(2, ENTRIES[1].hash, "anchor")
    assert verified(ENTRIES[2:], anchor=anchor).fault == ""
    forged = CHAIN.head(2, ENTRIES[1].hash)
    told = "the place where the log begins was changed"
    assert verified(ENTRIES[2:], anchor=forged).fault == told


def test_a_head_survives_its_text() -> None:
    assert AuditHead.from_text(str(HEAD)) == HEAD
    for text in ("", "1 2", "x y z", f"{HEAD} 1"):
        with pytest.raises(ValueError, match="head"):
            AuditHead.from_text(text)


def test_a_detail_has_an_end() -> None:
    long = msgspec.structs.replace(RECORD, detail="x" * 2 * MOST_DETAIL)
    assert len(CHAIN.link(AuditHead(), long).record.detail) == MOST_DETAIL


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (AuditFilter(), True),
        (AuditFilter(since=NOW), True),
        (AuditFilter(since=Instant(NOW + 1)), False),
        (AuditFilter(account=RECORD.account, actor="AKIA", action="Destination"), True),
        (AuditFilter(account="000000000000"), False),
        (AuditFilter(actor="cli"), False),
        (AuditFilter(action="Delete"), False),
    ],
)
def test_a_filter_is_about_everything_that_it_names(wanted: AuditFilter, fits: bool) -> None:
    assert wanted.fits(RECORD) is fits


def test_the_key_of_a_chain_does_not_print() -> None:
    show: Callable[[object], str] = repr
    assert "kk" not in show(CHAIN)
