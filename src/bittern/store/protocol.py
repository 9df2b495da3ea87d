"""A store: all its ports together."""

from __future__ import annotations

from typing import Protocol

from bittern.store.ports.accounts import Accounts
from bittern.store.ports.audit import AuditLog
from bittern.store.ports.changes import ChangeFeed
from bittern.store.ports.codecs import CodecStore
from bittern.store.ports.dead_letters import DeadLetters
from bittern.store.ports.downlinks import DownlinkQueue
from bittern.store.ports.fleet import Fleet
from bittern.store.ports.fuota import FuotaTasks
from bittern.store.ports.groups import Groups
from bittern.store.ports.notes import NoteStore
from bittern.store.ports.outbox import OutboxStore
from bittern.store.ports.registry import Registry
from bittern.store.ports.rules import Rules
from bittern.store.ports.sessions import SessionStore


class Store(
    SessionStore,
    OutboxStore,
    DeadLetters,
    DownlinkQueue,
    Registry,
    Rules,
    CodecStore,
    Accounts,
    AuditLog,
    NoteStore,
    Fleet,
    Groups,
    FuotaTasks,
    ChangeFeed,
    Protocol,
):
    """One engine offers all ports."""

    async def open(self) -> None:
        """Make or migrate the schema. Raises `SchemaTooNew`."""
        ...

    async def close(self) -> None:
        """After everything that is under way has been committed."""
        ...
