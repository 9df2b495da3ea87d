"""The session port on SQLite."""

from __future__ import annotations

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.mac.session import JoinState, Session
from bittern.store.codec import (
    Row,
    delivery_to_row,
    join_state_from_row,
    join_state_to_row,
    session_from_row,
    session_step,
    session_to_row,
)
from bittern.store.ports.sessions import (
    Deliver,
    DownlinkAttempted,
    DownlinkDone,
    Effect,
    is_successor,
)
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction
from bittern.store.sqlite.writer import Advance
from bittern.types import DevAddr, DevEUI


class SqliteSessions:
    """Reads run on the event loop: they are look-ups by key."""

    _database: Database

    async def sessions_at(self, dev_addr: DevAddr) -> list[Session]:
        return self._sessions("sessions_at", dev_addr)

    async def sessions_of(self, dev_eui: DevEUI) -> list[Session]:
        return self._sessions("sessions_of", dev_eui)

    def _sessions(self, name: str, key: bytes) -> list[Session]:
        vault = self._database.vault
        rows = self._database.read(name, (bytes(key),))
        return list(self._database.opened(rows, lambda row: session_from_row(row, vault)))

    async def advance(self, before: Session, after: Session, *effects: Effect) -> int | None:
        assert is_successor(before, after)
        vault = self._database.vault
        advance = Advance(
            before.dev_eui,
            before.revision,
            session_step(before, after),
            tuple(
                [delivery_to_row(one.delivery, vault) for one in effects if type(one) is Deliver]
            ),
        )
        sequence: int | None
        if len(advance.deliveries) == len(effects) and before.pending == after.pending:
            sequence = await self._database.submit(advance)
        else:
            sequence = await self._database.write(
                lambda transaction: _advance(transaction, before, after, advance, effects)
            )
        return sequence

    async def join_state(self, dev_eui: DevEUI) -> JoinState | None:
        return self._database.read_one("join_state", (bytes(dev_eui),), join_state_from_row)

    async def activate(self, before: JoinState | None, after: JoinState, session: Session) -> None:
        assert session.dev_eui == after.dev_eui
        row = session_to_row(session, self._database.vault)
        await self._database.write(
            lambda transaction: _activate(transaction, before, after, session, row)
        )


def _advance(
    transaction: Transaction,
    before: Session,
    after: Session,
    advance: Advance,
    effects: tuple[Effect, ...],
) -> int | None:
    """The rarer kind: a first use of a session, or with something done to the queue."""
    if not transaction.execute("advance_session", advance.step):
        raise StaleSession(before.dev_eui, before.revision)
    dev_eui = bytes(before.dev_eui)
    if before.pending and not after.pending:
        transaction.execute("delete_other_sessions", (dev_eui, before.generation))
        transaction.change("session", before.dev_eui)
    for effect in effects:
        match effect:
            case DownlinkDone(message_id):
                touched = transaction.execute("delete_downlink", (dev_eui, message_id))
            case DownlinkAttempted(message_id):
                touched = transaction.execute("count_attempt", (dev_eui, message_id))
            case Deliver():
                continue
        if touched:
            transaction.change("downlink", before.dev_eui)
    if not advance.deliveries:
        return None
    return transaction.owe(list(advance.deliveries)) + len(advance.deliveries) - 1


def _activate(
    transaction: Transaction,
    before: JoinState | None,
    after: JoinState,
    session: Session,
    row: Row,
) -> None:
    dev_eui = bytes(session.dev_eui)
    if not transaction.exists("device_exists", (dev_eui,)):
        raise NotFound("device", str(session.dev_eui))
    if not _store_join_state(transaction, before, after):
        raise StaleSession(after.dev_eui, before.revision if before else 0)
    if session.pending:
        transaction.execute("delete_pending_sessions", (dev_eui,))
    else:
        transaction.execute("delete_other_sessions", (dev_eui, session.generation))
    if transaction.exists("session_exists", (dev_eui, session.generation)):
        raise Conflict("session", f"{session.dev_eui}/{session.generation}")
    transaction.execute("insert_session", row)
    transaction.change("session", session.dev_eui)


def _store_join_state(transaction: Transaction, before: JoinState | None, after: JoinState) -> bool:
    dev_eui, revision, state = join_state_to_row(after)
    if before is None:
        return transaction.execute("insert_join_state", (dev_eui, revision, state)) == 1
    step = (revision, state, dev_eui, before.revision)
    return transaction.execute("advance_join_state", step) == 1
