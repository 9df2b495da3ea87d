"""What of the session port is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bittern.store.ports.sessions import Deliver, DownlinkDone
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    DEV_EUI,
    delivery,
    downlink,
    join_state,
    next_session,
    register,
    session,
)


async def test_keys_are_sealed_at_activation_and_never_again(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    await register(sqlite)
    steps = [session(pending=True)]
    await sqlite.activate(None, join_state(), steps[0])
    connection = sqlite3.connect(tmp_path / "bittern.db")
    sealed = connection.execute("SELECT keys FROM session").fetchone()
    for change in ({"pending": False}, {}, {"nfcnt_down": 1}):
        steps.append(next_session(steps[-1], **change))
        await sqlite.advance(steps[-2], steps[-1])
    assert connection.execute("SELECT keys FROM session").fetchone() == sealed
    assert await sqlite.sessions_of(DEV_EUI) == [steps[-1]]
    connection.close()


async def test_a_step_with_a_queue_owes_its_messages_in_order(sqlite: SqliteStore) -> None:
    """This kind of step takes the slower way; a message of the faster goes in between."""
    await register(sqlite)
    await sqlite.activate(None, join_state(), session())
    await sqlite.enqueue(downlink())
    first = next_session(session())
    done = DownlinkDone(downlink().message_id)
    two = [Deliver(delivery(1)), done, Deliver(delivery(2))]
    assert await sqlite.advance(session(), first, *two) == 2
    assert await sqlite.advance(first, next_session(first), Deliver(delivery(3))) == 3
    assert [one.message_id[:8] for one in await sqlite.owed(0, 9)] == [
        "00000001",
        "00000002",
        "00000003",
    ]
