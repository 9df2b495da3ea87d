"""Every sealed value of the store opens at its place alone, and is sealed anew."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import msgspec

from bittern.keys.ring import KeyRing
from bittern.store.notes import Note
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.migrations import known_migrations, split_statements
from bittern.store.sqlite.sealed import COLUMNS, SealedStore
from bittern.testing.examples import (
    ACCESS_KEY,
    ACCOUNT,
    NOW,
    RULE,
    dead_letter,
    delivery,
    downlink,
    join_state,
    next_session,
    register,
    session,
)

ONE, BOTH = KeyRing({1: b"o" * 32}), KeyRing({1: b"o" * 32, 2: b"n" * 32})
TWO = KeyRing({2: b"n" * 32})
LANE = "000000000000/meters/0/republish"


async def fill(path: Path) -> None:
    """A value at least in every sealed column."""
    store = SqliteStore(path, ONE, group_commit_s=0)
    await store.open()
    await register(store)
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    await store.add_rule(RULE)
    await store.put_notes(Note(kind="tags", name="x", at=NOW, body="{}"))
    first = session(pending=True)
    await store.activate(None, join_state(), first)
    await store.advance(first, next_session(first), Deliver(delivery()), Deliver(delivery(1)))
    await store.settle(owed=[delivery(2, sequence=1, lane=LANE)], letters=[dead_letter()])
    await store.enqueue(downlink())
    await store.close()


def test_every_column_that_the_schema_calls_sealed_is_known() -> None:
    statements = [one for script in known_migrations() for one in split_statements(script)]
    known = {(column.table, column.column) for column in COLUMNS}
    called = {
        (table[1], line.split()[0])
        for statement in statements
        for table in [re.search(r"CREATE TABLE (\w+)", statement)]
        for line in statement.splitlines()
        if table is not None and "-- sealed" in line
    }
    assert len(called) > 7
    assert called <= known
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    for column in COLUMNS:
        names = ", ".join((*column.identity, column.column, column.key))
        connection.execute(f"SELECT {names} FROM {column.table}")
    connection.close()


async def test_everything_is_sealed_anew_and_still_there(tmp_path: Path) -> None:
    path = tmp_path / "bittern.db"
    await fill(path)
    sealed = SealedStore(path)
    count = sealed.count()
    assert set(count) == {1}
    while sealed.reseal(BOTH, 3):
        pass
    assert sealed.count() == {2: count[1]}
    store = SqliteStore(path, TWO, group_commit_s=0)
    await store.open()
    assert await store.access_key(ACCESS_KEY.id) == ACCESS_KEY
    assert await store.rules(RULE.account) == [RULE]
    [queued] = await store.queued(downlink().dev_eui)
    assert queued.payload == downlink().payload
    assert [one.document for one in await store.owed(0, 9, LANE)] == [delivery(2).document]
    await store.close()


async def test_rules_and_notes_of_an_earlier_version_are_sealed(tmp_path: Path) -> None:
    path = tmp_path / "bittern.db"
    await fill(path)
    fields = msgspec.structs.asdict(RULE)
    record = {name: fields[name] for name in fields if name not in ("account", "name")}
    with sqlite3.connect(path) as connection:
        text = msgspec.json.encode(record).decode()
        connection.execute("UPDATE rule SET actions = NULL, record = ?", (text,))
        connection.execute("UPDATE note SET body = '{}'")
    connection.close()
    sealed = SealedStore(path)
    assert sealed.count()[0] == 1
    while sealed.reseal(BOTH, 3):
        pass
    assert set(sealed.count()) == {2}
    store = SqliteStore(path, TWO, group_commit_s=0)
    await store.open()
    assert await store.rules(RULE.account) == [RULE]
    [note] = await store.notes("000000000000", "tags")
    assert note.body == "{}"
    await store.close()
