"""What a rotation still has to do. Pure; `resealing` does it.

A rotation has no state of its own that a crash could lose: how far it is, is what is found sealed
under each key. A key under which nothing is found is retired, and removed when nothing has been
found for `GRACE_S` more: a program that was slow to hear of the new key may have sealed something
meanwhile. Then the key goes back to opening, and what it has sealed is sealed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bittern.keys.data_keys import DataKey, State, active_of, leaving
from bittern.types import Instant

GRACE_S = 60.0
IN_THE_CLEAR = 0
"""Counts as a key: what an earlier version has not sealed."""

Counts = Mapping[int, int]
"""Values by the id of the data key that they are sealed under."""


class Move(msgspec.Struct, frozen=True):
    """A key goes from one state to another; None: it is removed."""

    key_id: int
    before: State
    after: State | None


class Progress(msgspec.Struct, frozen=True):
    """Of sealing everything under the active key."""

    done: int
    left: int

    @property
    def share(self) -> float:
        """0 to 1."""
        whole = self.done + self.left
        return self.done / whole if whole else 1.0


def together(counts: Iterable[Counts]) -> dict[int, int]:
    whole: dict[int, int] = {}
    for one in counts:
        for key_id, number in one.items():
            whole[key_id] = whole.get(key_id, 0) + number
    return whole


def progress(keys: Sequence[DataKey], counts: Counts) -> Progress:
    active = active_of(keys).id
    done = counts.get(active, 0)
    return Progress(done, sum(counts.values()) - done)


def moves(
    keys: Sequence[DataKey],
    counts: Counts,
    retired_at: Mapping[int, Instant],
    now: Instant,
    grace_s: float = GRACE_S,
) -> list[Move]:
    """`retired_at`: since when each retired key is known to be."""
    over = {key_id for key_id, since in retired_at.items() if now - since >= grace_s}
    found = (_move(key, counts.get(key.id, 0), key.id in over) for key in leaving(keys))
    return [move for move in found if move is not None]


def _move(key: DataKey, values: int, is_over: bool) -> Move | None:
    if key.state == "opening" and not values:
        return Move(key.id, "opening", "retired")
    if key.state == "retired" and values:
        return Move(key.id, "retired", "opening")
    if key.state == "retired" and is_over:
        return Move(key.id, "retired", None)
    return None
