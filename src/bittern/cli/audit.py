"""`bittern audit`: who changed what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.errors import BitternError
from bittern.store.audit_head import kept_head
from bittern.store.audit_records import AuditEntry, AuditFilter, AuditHead, AuditVerdict
from bittern.store.ports.audit import AuditLog
from bittern.types import Instant

app = noun("Who changed what: a log that is only added to, and that shows when it was changed.")

PAGE = 1000
_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class AuditChanged(BitternError):
    """The audit log is not as it was written."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return f"the audit log was changed: {self.fault}"


Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Not older: 2026-11-21, 2026-11-21T08:00, or 90m, 12h, 7d."),
]
OfAccount = Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Of this account alone.")]
Actor = Annotated[str | None, typer.Option(metavar="TEXT", help="By whoever has this in the name.")]
Action = Annotated[str | None, typer.Option(metavar="TEXT", help="What has this in its name.")]


@app.command("list")
def list_(
    *,
    since: Since = None,
    account: OfAccount = None,
    actor: Actor = None,
    action: Action = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="The newest so many.")] = 100,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List entries, the oldest first."""
    workspace = Workspace.of(data_dir, config)
    wanted = _wanted(workspace, since, account, actor, action)

    async def work() -> list[AuditEntry]:
        found: list[AuditEntry] = []
        async with workspace.store() as store:
            async for entry in _entries(store, wanted):
                found.append(entry)
                del found[:-limit]
        return found

    entries = run(work())
    if as_json:
        output.print_json([_document(entry) for entry in entries])
        return
    output.table(
        ["ENTRY", "TIME", "ACCOUNT", "ACTOR", "ACTION", "RESOURCE", "OUTCOME", "DETAIL"],
        [_row(entry) for entry in entries],
        empty="no entries",
    )


@app.command("export")
def export(
    *,
    since: Since = None,
    account: OfAccount = None,
    actor: Actor = None,
    action: Action = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Print every entry as a line of JSON, with its hash and the hash of the one before it."""
    workspace = Workspace.of(data_dir, config)
    wanted = _wanted(workspace, since, account, actor, action)

    async def work() -> None:
        async with workspace.store() as store:
            async for entry in _entries(store, wanted):
                typer.echo(msgspec.json.encode(_document(entry)))

    run(work())


@app.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="[N:]HASH",
            help="A hash that the log had at its end, as it was noted elsewhere; N is its entry.",
        ),
    ] = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Recompute the chain of hashes, and compare its end with the head that is kept apart.

    Exit code 1: something was changed, removed or put in, and what. It prints the head: note it
    where nobody who works on this machine can change it, and give it back by --head later.
    """
    workspace = Workspace.of(data_dir, config)
    noted = None if head is None else _noted(head)

    async def work() -> AuditVerdict:
        async with workspace.store() as store:
            verdict = await store.verify_audit(kept_head(workspace.layout.audit_head))
            if noted is None or verdict.fault:
                return verdict
            return msgspec.structs.replace(verdict, fault=await _unmet(store, noted))

    verdict = run(work())
    if as_json:
        output.print_json(_verdict_document(verdict))
    else:
        output.properties(_verdict_properties(verdict))
    if verdict.fault:
        raise AuditChanged(verdict.fault)


def _wanted(
    workspace: Workspace,
    since: str | None,
    account: str | None,
    actor: str | None,
    action: str | None,
) -> AuditFilter:
    at = None if since is None else _moment(since, workspace.now())
    return AuditFilter(since=at, account=account, actor=actor, action=action)


def _moment(text: str, now: Instant) -> Instant:
    if match := _AGO.fullmatch(text):
        return Instant(now - int(match[1]) * _UNITS[match[2]])
    try:
        return Instant(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a time nor a duration like 12h", param_hint="--since"
        ) from None


async def _entries(log: AuditLog, wanted: AuditFilter) -> AsyncIterator[AuditEntry]:
    after = 0
    while page := await log.audit_entries(wanted, after, PAGE):
        for entry in page:
            yield entry
        after = page[-1].sequence


def _noted(text: str) -> AuditHead:
    """Without a number it is looked for in the whole log."""
    number, _, digest = text.rpartition(":")
    try:
        made = AuditHead(sequence=int(number or 0), hash=bytes.fromhex(digest))
    except ValueError:
        made = AuditHead()
    if len(made.hash) != len(AuditHead().hash) or made == AuditHead():
        raise typer.BadParameter("64 hexadecimal digits", param_hint="--head")
    return made


async def _unmet(log: AuditLog, noted: AuditHead) -> str:
    """Why the log, whose chain holds, never had this end; empty: it had."""
    async for entry in _entries(log, AuditFilter()):
        if entry.hash == noted.hash and noted.sequence in (0, entry.sequence):
            return ""
    return (
        "it has no entry with the hash that was noted elsewhere: its end was cut off, or the entry"
        " is older than entries are kept"
    )


def _document(entry: AuditEntry) -> dict[str, object]:
    record = msgspec.structs.asdict(entry.record)
    detail = record.pop("detail")
    return {
        "sequence": entry.sequence,
        **record,
        "time": output.utc(entry.record.at),
        "detail": _read(detail),
        "previous": entry.previous.hex(),
        "hash": entry.hash.hex(),
    }


def _read(detail: str) -> object:
    """As it was written; one that was cut stays text."""
    try:
        return msgspec.json.decode(detail) if detail else {}
    except msgspec.DecodeError:
        return detail


def _row(entry: AuditEntry) -> list[str]:
    record = entry.record
    return [
        str(entry.sequence),
        output.local_time(record.at),
        record.account or "-",
        record.actor or "-",
        record.action,
        record.resource or "-",
        record.outcome,
        record.detail,
    ]


def _verdict_document(verdict: AuditVerdict) -> dict[str, object]:
    return {
        "intact": not verdict.fault,
        "fault": verdict.fault or None,
        "entries": verdict.entries,
        "first": verdict.anchor.sequence + 1,
        "last": verdict.head.sequence,
        "head": verdict.head.hash.hex(),
    }


def _verdict_properties(verdict: AuditVerdict) -> dict[str, str]:
    return {
        "Verdict": "changed" if verdict.fault else "intact",
        "Entries": str(verdict.entries),
        "First": str(verdict.anchor.sequence + 1),
        "Last": str(verdict.head.sequence),
        "Head": f"{verdict.head.sequence}:{verdict.head.hash.hex()}",
    }
