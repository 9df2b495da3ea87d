"""Executes groups of calls, each group in one transaction, on one connection.

The two calls of every uplink, `Advance` and `Strike`, go first, each kind as one batch. The others
follow in the order of their arrival, each undone alone when it fails.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from bittern.errors import StaleSession, StoreUnavailable
from bittern.keys.ring import Vault
from bittern.store.codec import Row
from bittern.store.sqlite.transaction import Transaction
from bittern.types import DevEUI

CHECKPOINT_AFTER = 10_000
"""Rows written between two checkpoints: a log of about 20 MiB. Twice that leaves the processor's
cache; half of it copies most pages twice as often."""

logger = logging.getLogger("bittern.store")

T = TypeVar("T")


class Advance(msgspec.Struct, frozen=True, gc=False):
    """Move a session on and owe what came of it. Outcome: the sequence of the last delivery."""

    dev_eui: DevEUI
    revision: int
    """That was read."""
    step: Row
    deliveries: tuple[Row, ...] = ()


class Strike(msgspec.Struct, frozen=True, gc=False):
    """Strike delivered messages off."""

    sequences: tuple[int, ...]


class Write(msgspec.Struct, frozen=True):
    """Anything else. Outcome: what `work` returns or raises."""

    work: Callable[[Transaction], Any]


Call = Advance | Strike | Write


class Writer:
    """Used by one thread."""

    def __init__(self, connection: sqlite3.Connection, changes_kept: int, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self._changes_kept = changes_kept
        self._checkpointed_at = connection.total_changes
        self._checkpoint_due = False

    def commit(self, calls: list[Call]) -> list[Any]:
        """One outcome for each call. Raises `StoreUnavailable` when nothing was stored."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(self._connection, self._changes_kept, self._vault)
            _check_key(transaction)
            outcomes = _outcomes(transaction, calls)
            transaction.finish()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._checkpoint_due = True  # it may make room
            raise StoreUnavailable(str(error)) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return outcomes

    def rest(self) -> None:
        """Between groups: copy the log into the database, so that neither grows without end."""
        written = self._connection.total_changes
        if not self._checkpoint_due and written - self._checkpointed_at < CHECKPOINT_AFTER:
            return
        self._checkpointed_at, self._checkpoint_due = written, False
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            logger.warning("checkpoint failed: %s", error)


def _check_key(transaction: Transaction) -> None:
    """This process may have been slow to hear that its data key was retired: what it has sealed
    could not be opened for long. Raises `StoreUnavailable`."""
    key_id = transaction.vault.sealing_id
    if not transaction.exists("data_key_may_seal", (key_id,)):
        raise StoreUnavailable(f"data key {key_id} was retired; start again to have the new one")


def _outcomes(transaction: Transaction, calls: list[Call]) -> list[Any]:
    outcomes: list[Any] = [None] * len(calls)
    advances: dict[int, Advance] = {}
    writes: dict[int, Write] = {}
    strikes: list[int] = []
    for place, call in enumerate(calls):
        match call:
            case Advance():
                advances[place] = call
            case Strike():
                strikes += call.sequences
            case Write():
                writes[place] = call
    if advances:
        for place, outcome in zip(
            advances, _advance(transaction, list(advances.values())), strict=True
        ):
            outcomes[place] = outcome
    if strikes:
        transaction.strike_off(strikes)
    for place, write in writes.items():
        outcomes[place] = _attempt(transaction, write)
    return outcomes


def _advance(
    transaction: Transaction, advances: list[Advance]
) -> Iterator[int | StaleSession | None]:
    stale = _stale(transaction, advances)
    moved = [advance for place, advance in enumerate(advances) if place not in stale]
    rows = [row for advance in moved for row in advance.deliveries]
    sequence = transaction.owe(rows) - 1 if rows else 0
    for place, advance in enumerate(advances):
        if place in stale:
            yield StaleSession(advance.dev_eui, advance.revision)
        else:
            sequence += len(advance.deliveries)
            yield sequence if advance.deliveries else None


def _stale(transaction: Transaction, advances: list[Advance]) -> set[int]:
    """Places of the calls that came too late: nearly always none, so all are tried at once."""
    if transaction.execute_each("advance_session", [advance.step for advance in advances]):
        return set()
    return {
        place
        for place, advance in enumerate(advances)
        if not transaction.execute("advance_session", advance.step)
    }


def _attempt(transaction: Transaction, write: Write) -> Any:
    try:
        with transaction.attempt():
            return write.work(transaction)
    except sqlite3.IntegrityError as error:
        return error
    except sqlite3.Error:
        raise
    except Exception as error:  # of this caller alone; the others' calls stand
        return error
