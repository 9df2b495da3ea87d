"""Notes: small documents beside the records, which the API keeps.

Tags, settings of events and logs, certificates before they are a gateway's, and what was answered
to requests that may be repeated. They are sealed: an answer or an order may hold what a payload
holds. The network reads those of events alone, and the change feed tells of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant

NoteKind = Literal[
    "tags",
    "attempt",
    "certificate",
    "events",
    "logs",
    "thing",
    "thing_principal",
    "principal_thing",
    "policy",
    "policy_target",
    "target_policy",
    "resource_request",
    "resource_memory",
    "analyzer",
    "analyzer_gone",
    "position",
    "metrics",
    "summary",
    "join_device",
    "join_state",
    "join_peer",
]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One document by account, kind and name."""

    account: str = DEFAULT_ACCOUNT
    kind: NoteKind
    name: str
    at: Instant
    """When it was written."""
    body: str
    """JSON, as its kind has it."""
    only_if_older_than: Instant | None = None
    """Not kept, but a condition: `Conflict` where there is one of that name since then."""


class NoteExchange(msgspec.Struct, frozen=True, kw_only=True):
    """What a note is to become, provided that it is what it was: compare and set."""

    account: str = DEFAULT_ACCOUNT
    kind: NoteKind
    name: str
    at: Instant
    before: str | None
    """The body that it has; None: there is no such note."""
    after: str | None
    """The body that it gets; None: it is removed."""
