"""Data keys as they are stored: wrapped, with a state.

opening   it opens what it has sealed. A new key begins so, until whoever serves has taken it in;
          an old one goes on so while anything is sealed under it
active    one of them: it seals
retired   nothing was found that is sealed under it. It still opens, for a while, lest a program
          that was slow to hear of it has sealed something meanwhile; then it is removed
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from bittern.errors import Conflict
from bittern.types import Instant

State = Literal["active", "opening", "retired"]
MOST_KEYS = 255


class DataKey(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `sequence` is given by the table: a later key has a greater one."""

    id: int
    provider: str
    wrapped: bytes
    created_at: Instant
    state: State
    earlier: bool = False
    """It sealed under the names that places had in an earlier version."""
    sequence: int = 0

    def __repr__(self) -> str:
        return f"DataKey(id={self.id}, provider={self.provider!r}, state={self.state!r})"


class DataKeyTable(Protocol):
    """Where they are kept. Every change is one transaction, told to the change feed; each may
    raise `StoreUnavailable`. It is synchronous: call it in a thread."""

    def all(self) -> list[DataKey]:
        """In the order of their sequences."""
        ...

    def begin(self, keys: Sequence[DataKey]) -> bool:
        """The first keys. False: there were some, and nothing is changed."""
        ...

    def add(self, key: DataKey) -> None:
        """Raises `Conflict` where its id is taken."""
        ...

    def activate(self, key_id: int) -> None:
        """It seals from now on; the one that did goes on opening."""
        ...

    def set_state(self, key_id: int, before: State, after: State) -> bool:
        """False: it is not (any more) what it was."""
        ...

    def remove(self, key_id: int) -> bool:
        """Only a retired one."""
        ...

    def rewrap(self, before: Sequence[DataKey], after: Sequence[DataKey]) -> None:
        """All at once. Raises `Conflict` where they are no longer `before`."""
        ...


def active_of(keys: Sequence[DataKey]) -> DataKey:
    """The one that seals."""
    return next(key for key in reversed(keys) if key.state == "active")


def coming_of(keys: Sequence[DataKey]) -> DataKey | None:
    """The one that is to seal next, and does not yet."""
    newest = keys[-1]
    return newest if newest.state == "opening" else None


def leaving(keys: Sequence[DataKey]) -> list[DataKey]:
    """Those under which nothing shall be sealed any more."""
    active = active_of(keys).sequence
    return [key for key in keys if key.sequence < active]


def free_id(keys: Sequence[DataKey]) -> int:
    """The next after the newest, or the first that was given back. Raises `Conflict` if none is."""
    taken = {key.id for key in keys}
    newest = keys[-1].id if keys else 0
    for step in range(1, MOST_KEYS + 1):
        key_id = (newest + step - 1) % MOST_KEYS + 1
        if key_id not in taken:
            return key_id
    raise Conflict("data key", "1 to 255", "are all in use: let a rotation end first")
