from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bittern.errors import SchemaTooNew
from bittern.store.sqlite.connections import connect_writer
from bittern.store.sqlite.migrations import (
    known_migrations,
    migrate,
    schema_version,
    split_statements,
)

STEPS = ["CREATE TABLE a (x); -- one\nINSERT INTO a VALUES (';');\n", "ALTER TABLE a ADD y;\n"]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect_writer(tmp_path / "db", 1)
    yield connection
    connection.close()


def test_an_empty_database_gets_every_step(connection: sqlite3.Connection) -> None:
    migrate(connection, STEPS)
    assert schema_version(connection) == 2
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(";", None)]


def test_a_later_version_gets_only_what_is_missing(connection: sqlite3.Connection) -> None:
    migrate(connection, STEPS[:1])
    connection.execute("INSERT INTO a VALUES ('kept')")
    migrate(connection, STEPS)
    migrate(connection, STEPS)
    assert connection.execute("SELECT x FROM a").fetchall() == [(";",), ("kept",)]


def test_a_newer_schema_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, STEPS)
    with pytest.raises(SchemaTooNew) as caught:
        migrate(connection, STEPS[:1])
    assert (caught.value.found, caught.value.known) == (2, 1)


def test_a_step_that_fails_leaves_nothing(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [STEPS[0] + "CREATE TABLE a (again);"])
    assert schema_version(connection) == 0
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert not connection.in_transaction


def test_of_two_that_migrate_at_once_one_finds_it_done(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """The other process commits between our look at the version and our transaction."""
    other = connect_writer(tmp_path / "db", 1)

    class Late(list[str]):
        def __getitem__(self, number: int) -> str:  # type: ignore[override]
            migrate(other, STEPS)
            return STEPS[number]

    migrate(connection, Late(STEPS))
    other.close()
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(";", None)]


def test_statements_are_split_at_their_ends_only() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\nEND;\n"
    statements = [trigger, "SELECT 1;\n", "SELECT 2 -- the end"]
    assert list(split_statements("".join(statements))) == statements


def test_a_step_may_end_in_a_comment(connection: sqlite3.Connection) -> None:
    migrate(connection, ["CREATE TABLE a (x);\n-- the end\n"])
    assert schema_version(connection) == 1


def test_the_known_migrations_make_todays_schema(connection: sqlite3.Connection) -> None:
    migrate(connection, known_migrations())
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert {"session", "outbox", "device", "change"} <= tables
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
