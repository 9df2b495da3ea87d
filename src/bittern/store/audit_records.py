"""The audit log: who changed what, in entries that are chained by a keyed hash.

An entry's hash is HMAC-SHA-256 over its canonical encoding, in which the hash of the entry before
it stands. The key is sealed beside the log: who can edit the database, and has no data key, can
neither change an entry nor make one. What the chain cannot show by itself, that its end is missing,
its head shows, which is kept elsewhere too (`AuditHead`).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from bittern.types import Instant

Outcome = Literal["done", "denied", "failed"]
"""`denied`: it was not allowed; `failed`: it was, and did not succeed."""

NO_HASH = bytes(32)
"""Before the first entry."""
MOST_DETAIL = 4096
"""Characters of an entry's detail; more of them are cut."""
ENCODING = 1
"""Of entries: the first thing that is hashed."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded. Nothing of it is secret."""

    at: Instant
    account: str = ""
    """12 digits; empty: of the whole installation."""
    actor: str
    """An ARN, ``cli:NAME`` of a user of this machine, or a part of the server itself."""
    action: str
    """``iotwireless:CreateWirelessDevice``, ``cli:gateway add``, ``sign-in:api``."""
    resource: str = ""
    """An ARN or a name."""
    outcome: Outcome
    detail: str = ""
    """JSON: address, request id, parameters that are no secret."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One link."""

    sequence: int
    record: AuditRecord
    previous: bytes
    hash: bytes


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry, or where a chain begins whose older entries were removed."""

    sequence: int = 0
    hash: bytes = NO_HASH
    mac: bytes = b""
    """By which it proves to be of this log."""

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash.hex()} {self.mac.hex()}"

    @classmethod
    def from_text(cls, text: str) -> AuditHead:
        """Raises `ValueError`."""
        try:
            sequence, digest, mac = text.split()
            return cls(sequence=int(sequence), hash=bytes.fromhex(digest), mac=bytes.fromhex(mac))
        except ValueError:
            raise ValueError("not the head of an audit log") from None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All of it has to fit; None: whatever it is."""

    since: Instant | None = None
    account: str | None = None
    actor: str | None = None
    action: str | None = None
    """Of actor and action a part is enough."""

    def fits(self, record: AuditRecord) -> bool:
        return (
            (self.since is None or record.at >= self.since)
            and (self.account is None or record.account == self.account)
            and (self.actor is None or self.actor in record.actor)
            and (self.action is None or self.action in record.action)
        )


class AuditVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a chain when it was recomputed."""

    entries: int
    anchor: AuditHead
    """Where it begins: what is older was removed when it was old enough."""
    head: AuditHead
    """The last entry that is as it was written."""
    fault: str = ""
    """What is wrong behind it. Empty: nothing."""


class AuditChain:
    """The key of a log, in use."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "AuditChain(…)"

    def link(self, head: AuditHead, record: AuditRecord) -> AuditEntry:
        """The entry behind `head`."""
        if len(record.detail) > MOST_DETAIL:
            record = msgspec.structs.replace(record, detail=record.detail[:MOST_DETAIL])
        sequence = head.sequence + 1
        digest = self._digest("entry", _encoded(sequence, record, head.hash))
        return AuditEntry(sequence=sequence, record=record, previous=head.hash, hash=digest)

    def links(self, head: AuditHead, records: Iterable[AuditRecord]) -> Iterator[AuditEntry]:
        for record in records:
            entry = self.link(head, record)
            head = AuditHead(sequence=entry.sequence, hash=entry.hash)
            yield entry

    def head(self, sequence: int, digest: bytes, purpose: str = "head") -> AuditHead:
        """With its proof. `purpose`: ``head``, or ``anchor`` of a chain that was shortened."""
        mac = self._digest(purpose, _encoder.encode([sequence, digest]))
        return AuditHead(sequence=sequence, hash=digest, mac=mac)

    def is_genuine(self, head: AuditHead, purpose: str = "head") -> bool:
        made = self.head(head.sequence, head.hash, purpose)
        return hmac.compare_digest(made.mac, head.mac)

    def flaw(self, before: AuditHead, entry: AuditEntry) -> str:
        """What is wrong with the entry that should be behind `before`; empty: nothing."""
        expected = before.sequence + 1
        if entry.sequence > expected:
            gone = f"{expected}" if entry.sequence == expected + 1 else f"{expected} and more"
            return f"entry {gone} is missing"
        if entry.previous != before.hash:
            return f"entry {entry.sequence} does not follow the one before it"
        digest = self._digest("entry", _encoded(entry.sequence, entry.record, entry.previous))
        if not hmac.compare_digest(digest, entry.hash):
            return f"entry {entry.sequence} was changed"
        return ""

    def _digest(self, purpose: str, text: bytes) -> bytes:
        return hmac.digest(self._key, purpose.encode() + b"\0" + text, "sha256")


class Verification:
    """Walks along a chain; `add` each entry, then ask for the `verdict`."""

    def __init__(self, chain: AuditChain, anchor: AuditHead, known: AuditHead | None) -> None:
        """`known` is a head that the log had at some time, as it was kept elsewhere."""
        self._chain = chain
        self._anchor = self._head = anchor
        self._known = known
        self._entries = 0
        self._fault = ""
        if anchor.sequence and not chain.is_genuine(anchor, "anchor"):
            self._fault = "the place where the log begins was changed"
        elif known is not None and known.mac and not chain.is_genuine(known):
            self._fault = "the head that was kept apart was changed"

    def add(self, entry: AuditEntry) -> None:
        if self._fault:
            return
        self._fault = self._chain.flaw(self._head, entry)
        if not self._fault:
            self._head = AuditHead(sequence=entry.sequence, hash=entry.hash)
            self._entries += 1
            self._compare()

    def verdict(self, written: AuditHead) -> AuditVerdict:
        """`written` is the head that the log itself says that it has."""
        fault = self._fault or self._truncated(written) or self._unmet()
        head = self._chain.head(self._head.sequence, self._head.hash)
        return AuditVerdict(entries=self._entries, anchor=self._anchor, head=head, fault=fault)

    def _compare(self) -> None:
        known, head = self._known, self._head
        if known is None or known.sequence != head.sequence or known.hash == head.hash:
            return
        self._fault = f"entry {known.sequence} is another than the one that was kept apart"

    def _truncated(self, written: AuditHead) -> str:
        if written.sequence and not self._chain.is_genuine(written):
            return "the head of the log was changed"
        if written.sequence > self._head.sequence:
            return f"entries {self._head.sequence + 1} to {written.sequence} are missing at the end"
        if written.sequence < self._head.sequence:
            return "the head of the log was set back"
        return ""

    def _unmet(self) -> str:
        known = self._known
        if known is not None and known.sequence > self._head.sequence:
            return f"entries {self._head.sequence + 1} to {known.sequence} are missing at the end"
        return ""


_encoder = msgspec.json.Encoder()


def _encoded(sequence: int, record: AuditRecord, previous: bytes) -> bytes:
    """An array in JSON, in which no two entries look the same."""
    fields = msgspec.structs.astuple(record)
    return _encoder.encode([ENCODING, sequence, *fields, previous])
