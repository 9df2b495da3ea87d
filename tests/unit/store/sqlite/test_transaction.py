from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import bittern.store.sqlite
from bittern.errors import Conflict, NotFound
from bittern.keys.ring import KeyRing
from bittern.store.sqlite.connections import connect_writer
from bittern.store.sqlite.migrations import known_migrations, migrate
from bittern.store.sqlite.transaction import STATEMENTS, Transaction

DELIVERY = ("id", "account", bytes(8), "plant", 1.0, b"sealed")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect_writer(tmp_path / "db", 1)
    migrate(connection, known_migrations())
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


@pytest.fixture
def transaction(connection: sqlite3.Connection) -> Transaction:
    return Transaction(connection, 3, KeyRing({1: bytes(32)}))


def head(connection: sqlite3.Connection) -> tuple[int, int]:
    found: tuple[int, int] = connection.execute(STATEMENTS["outbox_head"]).fetchone()
    return found


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_fits_the_schema(connection: sqlite3.Connection, name: str) -> None:
    statement = STATEMENTS[name]
    numbered = set(re.findall(r"\?\d+", statement))
    parameters = [None] * (len(numbered) or statement.count("?"))
    connection.execute(f"EXPLAIN {statement}", parameters)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_used(name: str) -> None:
    folder = Path(bittern.store.sqlite.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    assert re.search(rf'"{name}"', source)


@pytest.mark.parametrize(
    "name",
    ["advance_session", "sessions_at", "sessions_of", "queued", "owed", "device", "devices",
     "gateway", "certificate", "certificates_of", "destination", "changes", "delete_delivered",
     "destination_in_use", "delete_downlinks", "put_gateway_state", "gateway_state",
     "gateway_states", "firmware", "firmware_in_use", "firmware_task", "firmware_tasks",
     "gateway_id_elsewhere", "device_id_elsewhere"],
)  # fmt: skip
def test_a_frequent_statement_reads_no_whole_table(
    connection: sqlite3.Connection, name: str
) -> None:
    statement = STATEMENTS[name]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
    steps = [step for *_, step in plan]
    assert any(step.startswith("SEARCH") for step in steps)
    assert not any(re.match(r"SCAN (?!json_each)|USE TEMP B-TREE", step) for step in steps)


def test_foreign_certificates_are_listed_by_an_index_of_their_own(
    connection: sqlite3.Connection,
) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS['foreign_certificates']}")
    [step] = [step for *_, step in plan]
    assert step.endswith("USING INDEX gateway_certificate_foreign")


def test_what_is_required_is_told_by_name(transaction: Transaction) -> None:
    row = ("a", "account", "{}")
    with pytest.raises(NotFound, match="profile a"):
        transaction.require_there("device_profile", ("a",), "profile", "a")
    transaction.require_new("device_profile", ("a",), "profile", "a")
    transaction.execute_on("insert_device_profile", row, "profile", "a")
    transaction.require_there("device_profile", ("a",), "profile", "a")
    with pytest.raises(Conflict, match="profile a exists already"):
        transaction.require_new("device_profile", ("a",), "profile", "a")
    with pytest.raises(NotFound, match="profile b"):
        transaction.execute_on("replace_destination", ("b", "b", "{}"), "profile", "b")


def test_deliveries_get_the_sequences_behind_the_last(
    connection: sqlite3.Connection, transaction: Transaction
) -> None:
    assert transaction.owe([DELIVERY, DELIVERY]) == 1
    assert transaction.owe([DELIVERY]) == 3
    transaction.strike_off([1, 99])
    transaction.finish()
    assert head(connection) == (3, 2)


def test_striking_off_the_unknown_counts_nothing(
    connection: sqlite3.Connection, transaction: Transaction
) -> None:
    transaction.strike_off([1, 2])
    transaction.finish()
    assert head(connection) == (0, 0)


def test_an_attempt_that_fails_is_undone_alone(
    connection: sqlite3.Connection, transaction: Transaction
) -> None:
    transaction.owe([DELIVERY])
    with pytest.raises(ZeroDivisionError), transaction.attempt():
        transaction.owe([DELIVERY, DELIVERY])
        transaction.change("device", "lost")
        raise ZeroDivisionError
    with transaction.attempt():
        assert transaction.owe([DELIVERY]) == 2
    transaction.finish()
    assert head(connection) == (2, 2)
    assert connection.execute("SELECT count(*) FROM change").fetchone() == (0,)


def test_only_the_newest_changes_are_kept(
    connection: sqlite3.Connection, transaction: Transaction
) -> None:
    for number in range(5):
        transaction.change("device", number)
    transaction.finish()
    kept = connection.execute(STATEMENTS["changes"], (0,)).fetchall()
    assert kept == [(3, "device", "2"), (4, "device", "3"), (5, "device", "4")]


def test_each_or_none(connection: sqlite3.Connection, transaction: Transaction) -> None:
    connection.execute("INSERT INTO device_profile VALUES ('a', '', ''), ('b', '', '')")
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    STATEMENTS["rename"] = "UPDATE device_profile SET account = ? WHERE id = ?"
    try:
        assert not transaction.execute_each("rename", [("x", "a"), ("x", "c")])
        accounts = connection.execute("SELECT account FROM device_profile").fetchall()
        assert accounts == [("",), ("",)]
        assert connection.in_transaction
        assert transaction.execute_each("rename", [("x", "a"), ("x", "b")])
        accounts = connection.execute("SELECT account FROM device_profile").fetchall()
        assert accounts == [("x",), ("x",)]
    finally:
        del STATEMENTS["rename"]
