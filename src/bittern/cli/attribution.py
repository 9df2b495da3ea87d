"""Who calls a verb, and what of it the audit log is told.

A verb that changes the store is recorded with its first change, by `Workspace.store`; one that
changes files besides, by the decorator `recorded`. Of arguments what names or counts is told, by
its type: a key is of a type of its own, and other texts may be anything.
"""

from __future__ import annotations

import functools
import os
import pwd
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec
from typer.main import get_current_context  # type: ignore[attr-defined]

from bittern.errors import BitternError
from bittern.store.audit_records import AuditRecord, Outcome
from bittern.types import EUI64, DevAddr, Instant, NetID, looks_like_a_key

P = ParamSpec("P")
R = TypeVar("R")

HIDDEN = "(hidden)"
MOST_TEXT = 256
_NAMING = re.compile(
    r"(^|_)(id|name|account|destination|rule|codec|profile|region|policy|fingerprint|user|key_id"
    r"|username|publish|subscribe|sequence|certificate|station|model|version)s?$"
)
"""Texts that are told: what a thing is called."""
_NOT_TOLD = frozenset({"data_dir", "config", "as_json"})


def caller() -> str:
    """The user of this machine, and whose session it was before `sudo`."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    before = os.environ.get("SUDO_USER", "")
    return f"cli:{name}" if not before else f"cli:{name} (sudo by {before[:64]})"


def record_of_verb(now: Instant, account: str, outcome: Outcome, why: str = "") -> AuditRecord:
    """Of the verb that is being carried out."""
    context = get_current_context(silent=True)
    path = "" if context is None else context.command_path.partition(" ")[2]
    named, options = ({}, {}) if context is None else _told(context)
    detail: dict[str, object] = {"uid": os.getuid(), "options": options}
    if why:
        detail["error"] = why
    return AuditRecord(
        at=now,
        account=account,
        actor=caller(),
        action=f"cli:{path}" if path else "cli",
        resource=" ".join(str(value) for value in named.values()),
        outcome=outcome,
        detail=msgspec.json.encode(detail).decode(),
    )


def recorded(verb: Callable[P, R]) -> Callable[P, R]:
    """A verb that changes files beside the store: recorded when it has ended."""

    @functools.wraps(verb)
    def recording(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = verb(*args, **kwargs)
        except (BitternError, OSError) as error:
            _record(kwargs, "failed", type(error).__name__)
            raise
        _record(kwargs, "done")
        return result

    return recording


def _record(options: Mapping[str, Any], outcome: Outcome, why: str = "") -> None:
    from bittern.cli.workspace import Workspace, run

    workspace = Workspace.of(options.get("data_dir"), options.get("config"))
    layout = workspace.layout
    if not (layout.data_dir if outcome == "done" else layout.database).exists():
        return  # nothing of an installation was changed, and there is no log yet
    run(workspace.record(record_of_verb(workspace.now(), workspace.account, outcome, why)))


def _told(context: Any) -> tuple[dict[str, object], dict[str, object]]:
    """Arguments, and options that were given."""
    named: dict[str, object] = {}
    options: dict[str, object] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        if value in (None, False, (), []) or name in _NOT_TOLD:
            continue
        shown = _shown(name, value)
        if parameter.param_type_name == "argument" and shown != HIDDEN:
            named[name] = shown
        else:
            options[name] = shown
    return named, options


def _shown(name: str, value: object) -> object:
    match value:
        case bool() | int() | float():
            return value
        case Enum():
            return str(value.value)
        case EUI64() | DevAddr() | NetID():
            return str(value)
        case Path():
            return str(value)[:MOST_TEXT]
        case list() | tuple():
            return [_shown(name, one) for one in value[:20]]
        case str() if _NAMING.search(name) and not looks_like_a_key(value):
            return value[:MOST_TEXT]
        case _:
            return HIDDEN
