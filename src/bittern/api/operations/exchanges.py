"""Documents that change by compare and set, and links between two things.

What is read is changed only if it is still what it was; otherwise the change is worked out anew.
A link is two notes, one under either end, so that the list of either is read page by page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from bittern.api.errors import ApiError
from bittern.api.front import Call
from bittern.api.operations.services import Services
from bittern.errors import Conflict
from bittern.store.notes import NoteExchange, NoteKind

TRIES = 8
_BETWEEN = " "
"""No name and no ARN has one; it sorts before whatever they have."""

T = TypeVar("T", bound=msgspec.Struct)

Work = Callable[[], Awaitable[list[NoteExchange]]]
"""Reads, and says what is to change."""


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """As it was read: `body` is what it is compared by, however it is written today."""

    value: T
    body: str


async def read(
    services: Services, call: Call, kind: NoteKind, name: str, form: type[T]
) -> Document[T] | None:
    note = await services.store.note(call.account, kind, name)
    return None if note is None else Document(msgspec.json.decode(note.body, type=form), note.body)


async def change(services: Services, work: Work) -> None:
    """What `work` says, all or nothing. It is asked again while others are quicker."""
    for _ in range(TRIES):
        exchanges = await work()
        if not exchanges:
            return
        try:
            await services.store.exchange_notes(*exchanges)
        except Conflict:
            continue
        return
    raise ApiError("ThrottlingException", "others change the same; try again")


def exchange(
    call: Call,
    kind: NoteKind,
    name: str,
    before: Document[T] | None,
    after: T | None,
) -> NoteExchange:
    """None: there is no such document, or there is to be none."""
    return NoteExchange(
        account=call.account,
        kind=kind,
        name=name,
        at=call.now,
        before=None if before is None else before.body,
        after=None if after is None else msgspec.json.encode(after).decode(),
    )


def unchanged(call: Call, kind: NoteKind, name: str, body: str) -> NoteExchange:
    """A condition: it still is what it was."""
    return NoteExchange(
        account=call.account, kind=kind, name=name, at=call.now, before=body, after=body
    )


class Links:
    """Of one kind between one end and the other; each has a word about it, or none."""

    def __init__(self, forth: NoteKind, back: NoteKind) -> None:
        self.forth = forth
        self.back = back

    async def between(self, services: Services, call: Call, one: str, other: str) -> str | None:
        """The word. None: there is no link."""
        note = await services.store.note(call.account, self.forth, one + _BETWEEN + other)
        return None if note is None else note.body

    def exchanges(
        self, call: Call, ends: tuple[str, str], before: str | None, after: str | None
    ) -> list[NoteExchange]:
        """None: no link."""
        one, other = ends
        names: tuple[tuple[NoteKind, str], ...] = (
            (self.forth, one + _BETWEEN + other),
            (self.back, other + _BETWEEN + one),
        )
        return [
            NoteExchange(
                account=call.account, kind=kind, name=name, at=call.now, before=before, after=after
            )
            for kind, name in names
        ]

    async def of(
        self, services: Services, call: Call, one: str, after: str | None, limit: int
    ) -> list[tuple[str, str]]:
        """What `one` is linked to behind `after`, in order, each with the word."""
        return await _page(services, call, self.forth, one, after=after, limit=limit)

    async def to(
        self, services: Services, call: Call, other: str, after: str | None, limit: int
    ) -> list[tuple[str, str]]:
        """What is linked to `other`."""
        return await _page(services, call, self.back, other, after=after, limit=limit)


async def _page(
    services: Services, call: Call, kind: NoteKind, end: str, *, after: str | None, limit: int
) -> list[tuple[str, str]]:
    prefix = end + _BETWEEN
    notes = await services.store.notes(call.account, kind, prefix + (after or ""), limit)
    return [
        (note.name.removeprefix(prefix), note.body)
        for note in notes
        if note.name.startswith(prefix)
    ]
