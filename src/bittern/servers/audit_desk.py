"""Keeps the audit log of a running server: who changes what, who is refused, and its head.

A change is an entry each, always. What comes to nothing may be a flood, and a disk has an end: of
what one caller is refused there are `REFUSALS` entries at once and one each second in the long run;
sign-ins that fail, and refusals beyond that, are counted by who and where from, and told every
`TELL_S` in at most `MOST_TOLD` entries for each kind and one more for all others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from bittern.config.peers import place_of
from bittern.errors import BitternError
from bittern.network.allowance import Allowance, Buckets
from bittern.network.events import GatewayRefused, NetworkEvent
from bittern.store.audit_head import keep_head
from bittern.store.audit_records import AuditRecord, Outcome
from bittern.store.ports.audit import AuditLog
from bittern.types import Instant, looks_like_a_key

logger = logging.getLogger("bittern.audit")

REFUSALS = Allowance(burst=100, per_second=1)
"""Entries of what one caller is refused."""
TELL_S = 300.0
"""How often what was counted is told."""
MOST_TOLD = 10
"""Entries of each kind at a time."""
HEAD_S = 5.0
"""How often the head is kept apart: so much of a cut end is not found out by it."""
LOG_S = 3600.0
"""How often the head is told to the log of the server, from where it may go to another machine."""
MOST_NAME = 64

Kind = Literal["sign-in:api", "sign-in:mqtt", "sign-in:gateway", "refused:api"]
_Key = tuple[str, str, str]
_OTHERS: _Key = ("(others)", "", "")


class _Count(msgspec.Struct):
    times: int
    first: Instant
    last: Instant
    account: str


class AuditDesk:
    """A `Recorder`. `keep_up` and `shorten` are to be called every now and then."""

    def __init__(
        self, log: AuditLog, *, now: Callable[[], Instant], head_file: Path, keep_s: float
    ) -> None:
        """Entries are kept for `keep_s`; the head of the log in `head_file`."""
        self._log = log
        self._now = now
        self._head_file = head_file
        self._keep_s = keep_s
        self._refusals = Buckets[str](REFUSALS)
        self._counts: dict[Kind, dict[_Key, _Count]] = {}
        self._told_at = self._logged_at = now()
        self._logged = ""
        self._flaw = ""
        self._sequence = 0
        self._gathered = 0
        self._removed = 0

    def statistics(self) -> Mapping[str, float]:
        return {
            "entries": self._sequence,
            "refusals_gathered": self._gathered,
            "removed": self._removed,
            "head_lost": bool(self._flaw),
        }

    async def record(self, record: AuditRecord) -> None:
        """Raises `StoreError`, and the record is in the server's log."""
        try:
            await self._log.add_audit(record)
        except BitternError:
            logger.error("entry=%r could not be kept", msgspec.json.encode(record).decode())
            raise

    async def record_refused(self, record: AuditRecord) -> None:
        now = self._now()
        if self._refusals.take(record.actor, now):
            await self.record(record)
        else:
            self._count("refused:api", (record.actor, "", record.outcome), now, record.account)

    def sign_in_failed(self, kind: Kind, who: str, address: str, why: str) -> None:
        """`who` is said to ask, from `address`."""
        self._count(kind, (_name(who), place_of(address), why), self._now())

    def heard(self, event: NetworkEvent) -> None:
        """Of the journal: gateways that were refused."""
        if isinstance(event, GatewayRefused):
            who = str(event.gateway_eui) if event.gateway_eui is not None else ""
            host = event.peer.rpartition(":")[0].strip("[]")
            self.sign_in_failed("sign-in:gateway", who, host, str(event.refusal))

    async def keep_up(self) -> None:
        now = self._now()
        if now - self._told_at >= TELL_S:
            await self._tell(now)
        await self._keep_head()
        if now - self._logged_at >= LOG_S:
            await self._log_head(now)

    async def shorten(self) -> None:
        """Remove what is older than entries are kept."""
        now = self._now()
        before = Instant(now - self._keep_s)
        record = _own(now, "audit:retention", "done", {"older_than": before})
        self._removed += await self._log.trim_audit(before, record)

    async def begin(self) -> None:
        await self.record(_own(self._now(), "server:start", "done", {}))

    async def finish(self) -> None:
        """What was counted since, and that the server ends here in order."""
        now = self._now()
        await self._tell(now)
        await self.record(_own(now, "server:stop", "done", {}))
        await self._keep_head()
        await self._log_head(now)

    def _count(self, kind: Kind, key: _Key, now: Instant, account: str = "") -> None:
        self._gathered += 1
        counts = self._counts.setdefault(kind, {})
        if key not in counts and len(counts) >= MOST_TOLD:
            key, account = _OTHERS, ""
        count = counts.setdefault(key, _Count(0, now, now, account))
        count.times += 1
        count.last = now

    async def _tell(self, now: Instant) -> None:
        """What cannot be kept now is kept the next time."""
        records = [
            _gathered(kind, key, count)
            for kind, counts in self._counts.items()
            for key, count in counts.items()
        ]
        self._told_at = now
        if records:
            counted, self._counts = self._counts, {}
            try:
                await self._log.add_audit(*records)
            except BitternError:
                self._counts = counted
                raise

    async def _keep_head(self) -> None:
        flaw = await keep_head(self._log, self._head_file)
        if flaw and flaw != self._flaw:
            logger.error("reason=%r: `bittern audit verify` tells more", flaw)
        self._flaw = flaw
        self._sequence = (await self._log.audit_head()).sequence

    async def _log_head(self, now: Instant) -> None:
        head = await self._log.audit_head()
        self._logged_at = now
        if head.hash.hex() != self._logged:
            self._logged = head.hash.hex()
            logger.info("audit entries=%d head=%s", head.sequence, self._logged)


def _gathered(kind: Kind, key: _Key, count: _Count) -> AuditRecord:
    who, where, why = key
    detail = {
        "times": count.times,
        "first": count.first,
        "last": count.last,
        "address": where,
        "reason": why,
    }
    outcome: Outcome = "failed" if why == "failed" else "denied"
    return AuditRecord(
        at=count.last,
        account=count.account,
        actor=who,
        action=kind,
        outcome=outcome,
        detail=_json({name: value for name, value in detail.items() if value != ""}),
    )


def _own(now: Instant, action: str, outcome: Outcome, detail: Mapping[str, object]) -> AuditRecord:
    """What the server does by itself."""
    return AuditRecord(at=now, actor="server", action=action, outcome=outcome, detail=_json(detail))


def _json(detail: Mapping[str, object]) -> str:
    return msgspec.json.encode(detail).decode() if detail else ""


def _name(who: str) -> str:
    """Of a stranger; a key that was typed into the wrong field is not kept."""
    return "(hidden)" if looks_like_a_key(who) else who[:MOST_NAME]
