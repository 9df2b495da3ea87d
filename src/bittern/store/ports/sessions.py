"""Sessions, and what changes together with one."""

from __future__ import annotations

from typing import Protocol

import msgspec

from bittern.mac.session import JoinState, Session
from bittern.store.records import Delivery
from bittern.types import DevAddr, DevEUI


class Deliver(msgspec.Struct, frozen=True, gc=False):
    """Effect: owe this message to its destination."""

    delivery: Delivery


class DownlinkDone(msgspec.Struct, frozen=True):
    """Effect: the queued message was sent (unconfirmed), acknowledged, or given up."""

    message_id: str


class DownlinkAttempted(msgspec.Struct, frozen=True):
    """Effect: the queued confirmed message was sent once more."""

    message_id: str


Effect = Deliver | DownlinkDone | DownlinkAttempted


def is_successor(before: Session, after: Session) -> bool:
    """Whether `after` is what a session may become: what was fixed at its activation stays."""
    return (
        after.revision == before.revision + 1
        and after.dev_eui == before.dev_eui
        and after.generation == before.generation
        and after.dev_addr == before.dev_addr
        and (before.pending or not after.pending)
        and (after.keys is before.keys or after.keys == before.keys)
    )


class SessionStore(Protocol):
    """Sessions and what changes together with them."""

    async def sessions_at(self, dev_addr: DevAddr) -> list[Session]:
        """Every session, pending ones too, that answers to this DevAddr."""
        ...

    async def sessions_of(self, dev_eui: DevEUI) -> list[Session]: ...

    async def advance(self, before: Session, after: Session, *effects: Effect) -> int | None:
        """Replace `before` by `after` and store the effects, all or nothing.

        `after` is the successor of `before` (`is_successor`). When `before` was pending and
        `after` is not, every other session of the device ends. Returns the sequence of the (last)
        delivery, if there is one. Calls that arrive close together share a transaction. Raises
        `StaleSession`.
        """
        ...

    async def join_state(self, dev_eui: DevEUI) -> JoinState | None: ...

    async def activate(self, before: JoinState | None, after: JoinState, session: Session) -> None:
        """Store the join and its session: an earlier pending session of the device gives way.

        If `session` is not pending, every other session ends. Raises `StaleSession` when the join
        state is no longer `before` (None: the device has none yet), `NotFound` when the device is
        no longer registered, `Conflict` when it had a session of that generation.
        """
        ...
