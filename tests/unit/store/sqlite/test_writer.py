from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bittern.errors import Conflict, StaleSession, StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.store import codec
from bittern.store.sqlite import writer as module
from bittern.store.sqlite.connections import connect_writer
from bittern.store.sqlite.migrations import known_migrations, migrate
from bittern.store.sqlite.transaction import STATEMENTS, Transaction
from bittern.store.sqlite.writer import Advance, Strike, Write, Writer
from bittern.testing.examples import (
    DESTINATION,
    DEVICE_PROFILE,
    SERVICE_PROFILE,
    delivery,
    dev_eui,
    device,
    next_session,
    session,
)

DEVICES = 3


@pytest.fixture
def connection(tmp_path: Path, vault: KeyRing) -> Iterator[sqlite3.Connection]:
    """With three devices and their sessions."""
    connection = connect_writer(tmp_path / "db", 0)
    migrate(connection, known_migrations())
    rows = [
        ("insert_destination", codec.destination_to_row(DESTINATION)),
        ("insert_device_profile", codec.device_profile_to_row(DEVICE_PROFILE)),
        ("insert_service_profile", codec.service_profile_to_row(SERVICE_PROFILE)),
    ]
    for number in range(DEVICES):
        rows.append(("insert_device", codec.device_to_row(device(number), vault)))
        rows.append(("insert_session", codec.session_to_row(session(number), vault)))
    for name, row in rows:
        connection.execute(STATEMENTS[name], row)
    yield connection
    connection.close()


@pytest.fixture
def writer(connection: sqlite3.Connection, vault: KeyRing) -> Writer:
    return Writer(connection, 100, vault)


def uplink(vault: KeyRing, number: int, deliveries: int = 1, revision: int = 0) -> Advance:
    before = session(number, revision=revision)
    return Advance(
        before.dev_eui,
        revision,
        codec.session_step(before, next_session(before)),
        (codec.delivery_to_row(delivery(number), vault),) * deliveries,
    )


def revisions(connection: sqlite3.Connection) -> list[int]:
    found = connection.execute("SELECT revision FROM session ORDER BY dev_eui")
    return [revision for (revision,) in found]


def owed(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT message_id FROM outbox ORDER BY sequence")
    return [message_id[:8] for (message_id,) in found]


def test_uplinks_get_sequences_in_the_order_of_their_calls(writer: Writer, vault: KeyRing) -> None:
    calls = [uplink(vault, 2, 2), uplink(vault, 0, 0), uplink(vault, 1)]
    assert writer.commit(calls) == [2, None, 3]


def test_a_stale_uplink_costs_the_others_nothing(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    calls = [uplink(vault, 0), uplink(vault, 1, revision=7), uplink(vault, 2)]
    first, stale, last = writer.commit(calls)
    assert (first, last) == (1, 2)
    assert isinstance(stale, StaleSession)
    assert (stale.dev_eui, stale.revision) == (dev_eui(1), 7)
    assert revisions(connection) == [1, 0, 1]
    assert owed(connection) == ["00000000", "00000002"]


def test_the_same_frame_twice_in_a_group_is_accepted_once(writer: Writer, vault: KeyRing) -> None:
    first, second = writer.commit([uplink(vault, 0), uplink(vault, 0)])
    assert first == 1
    assert isinstance(second, StaleSession)


def test_delivered_messages_are_struck_off_together(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    writer.commit([uplink(vault, 0, 3)])
    assert writer.commit([Strike((1,)), uplink(vault, 1), Strike((3, 8))]) == [None, 4, None]
    assert owed(connection) == ["00000000", "00000001"]
    assert connection.execute("SELECT owed FROM outbox_head").fetchone() == (2,)


def test_a_write_that_is_refused_is_undone_alone(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    def refused(transaction: Transaction) -> None:
        transaction.change("device", "refused")
        raise Conflict("device", "x")

    def mistaken(transaction: Transaction) -> None:
        transaction.execute("insert_change", ("device", None))

    def accepted(transaction: Transaction) -> str:
        transaction.change("device", "accepted")
        return "done"

    calls = [Write(refused), Write(mistaken), uplink(vault, 0), Write(accepted)]
    conflict, integrity, sequence, done = writer.commit(calls)
    assert isinstance(conflict, Conflict)
    assert isinstance(integrity, sqlite3.IntegrityError)
    assert (sequence, done) == (1, "done")
    told = connection.execute("SELECT identity FROM change").fetchall()
    assert told == [("accepted",)]


def broken(transaction: Transaction) -> None:
    transaction.change("device", "lost")
    raise sqlite3.OperationalError("disk I/O error")


def test_an_error_of_the_database_fails_the_whole_group(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        writer.commit([uplink(vault, 0), Write(broken)])
    assert not connection.in_transaction
    assert revisions(connection) == [0, 0, 0]
    assert owed(connection) == []
    assert writer.commit([uplink(vault, 0)]) == [1]


class CommitFails:
    """The connection, until its COMMIT: the disk takes no more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, *parameters: Any) -> Any:
        if statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return self.connection.execute(statement, *parameters)


def test_a_commit_that_fails_leaves_nothing_of_the_group(
    connection: sqlite3.Connection, vault: KeyRing
) -> None:
    failing = Writer(CommitFails(connection), 100, vault)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        failing.commit([uplink(vault, 0), Write(lambda transaction: None)])
    assert not connection.in_transaction
    assert revisions(connection) == [0, 0, 0]
    assert owed(connection) == []
    assert Writer(connection, 100, vault).commit([uplink(vault, 0)]) == [1]


def test_a_full_database_stores_nothing_and_recovers(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        writer.commit([uplink(vault, 0), uplink(vault, 1, 40)])
    assert revisions(connection) == [0, 0, 0]
    assert owed(connection) == []
    connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    assert writer.commit([uplink(vault, 0), uplink(vault, 1, 40)]) == [1, 41]


def test_a_database_that_another_process_holds_is_unavailable(
    tmp_path: Path, writer: Writer, vault: KeyRing
) -> None:
    other = connect_writer(tmp_path / "db", 0)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        writer.commit([uplink(vault, 0)])
    other.close()
    assert writer.commit([uplink(vault, 0)]) == [1]


def test_the_log_is_checkpointed_between_groups(
    tmp_path: Path, writer: Writer, vault: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_AFTER", 3)
    before = (tmp_path / "db").stat().st_mtime_ns, (tmp_path / "db").read_bytes()
    writer.commit([uplink(vault, 0, 0)])
    writer.rest()
    assert ((tmp_path / "db").stat().st_mtime_ns, (tmp_path / "db").read_bytes()) == before
    writer.commit([uplink(vault, 0, revision=1), uplink(vault, 1)])
    writer.rest()
    assert (tmp_path / "db").read_bytes() != before[1]


class Failing:
    """A connection whose checkpoints fail."""

    total_changes = 0
    in_transaction = False

    def execute(self, statement: str, *_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")


def test_a_checkpoint_that_fails_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture, vault: KeyRing
) -> None:
    writer = Writer(Failing(), 1, vault)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        writer.commit([Strike((1,))])
    with caplog.at_level(logging.WARNING, "bittern.store"):
        writer.rest()
        writer.rest()
    assert caplog.messages == ["checkpoint failed: database or disk is full"]


def test_what_a_retired_key_has_sealed_is_not_stored(
    connection: sqlite3.Connection, writer: Writer, vault: KeyRing
) -> None:
    """A program that was slow to hear of it: what it writes could not be opened for long."""
    row = (1, "file", b"wrapped", 0.0, "opening", False)
    connection.execute(STATEMENTS["insert_data_key"], row)
    assert writer.commit([uplink(vault, 0)]) == [1]
    connection.execute(STATEMENTS["set_data_key_state"], ("retired", 1, "opening"))
    with pytest.raises(StoreUnavailable, match="data key 1 was retired"):
        writer.commit([uplink(vault, 1)])
