"""Whoever changes a database by hand is found out: every sealed value opens as it is, where it is,
and nowhere else; what was changed is named, and the rest goes on."""

from __future__ import annotations

import itertools
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bittern.errors import SealBroken
from bittern.keys.resealing import SealedColumn
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.log import Changes, Retained, SessionLog
from bittern.outputs.broker.sealed import of_message, of_retained
from bittern.outputs.broker.session import Entry
from bittern.store.notes import Note
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.sealed import COLUMNS
from bittern.testing.examples import (
    ACCESS_KEY,
    ACCOUNT,
    DEV_ADDR,
    NOW,
    RULE,
    dead_letter,
    delivery,
    dev_eui,
    device,
    downlink,
    join_state,
    next_session,
    register,
    session,
)

RING = KeyRing({1: bytes(range(32))})
LANE = "000000000000/meters/0/republish"
BROKER = (
    SealedColumn("message", "payload", ("client_id", "number", "topic"), of_message),
    SealedColumn("retained", "payload", ("topic",), of_retained, key="topic"),
)


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """Two rows at least in every table with something sealed."""
    path = tmp_path / "bittern.db"
    store = SqliteStore(path, RING, group_commit_s=0)
    await store.open()
    await register(store)
    await store.add_device(device(1), session(1, generation=0))
    await store.add_account(ACCOUNT)
    for key in ("AKIAEXAMPLE000000001", "AKIAEXAMPLE000000002"):
        await store.add_access_key(msgspec.structs.replace(ACCESS_KEY, id=key))
    for name in ("meters", "pumps"):
        await store.add_rule(msgspec.structs.replace(RULE, name=name))
        await store.put_notes(Note(kind="tags", name=name, at=NOW, body="{}"))
    first = session(pending=True)
    await store.activate(None, join_state(), first)
    await store.advance(first, next_session(first), *(Deliver(delivery(one)) for one in range(4)))
    await store.settle(
        owed=[delivery(one, sequence=one, lane=LANE) for one in (1, 2)],
        letters=[dead_letter(one, owed_as=one) for one in (1, 2)],
    )
    for one in range(2):
        await store.enqueue(downlink(one, dev_eui=dev_eui(0)))
    await store.close()
    yield path


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    path = tmp_path / "mqtt.db"
    with SessionLog(path, RING) as log:
        log.write(
            Changes(
                sessions={"a": ("u", NOW), "b": ("u", NOW)},
                entries=[
                    (client, [Entry(number, b"t", b"on") for number in range(2)])
                    for client in ("a", "b")
                ],
                retained={topic: Retained(topic, b"off", 1, NOW) for topic in ("x", "y")},
            )
        )
    return path


def values(path: Path, column: SealedColumn) -> list[tuple[object, str, bytes]]:
    """Key, place and sealed value of each row."""
    connection = sqlite3.connect(path)
    names = ", ".join((column.key, *column.identity, column.column))
    rows = connection.execute(f"SELECT {names} FROM {column.table}").fetchall()
    connection.close()
    return [(key, column.place(*identity)[0], sealed) for key, *identity, sealed in rows]


def every_value(path: Path, columns: tuple[SealedColumn, ...]) -> list[tuple[str, bytes]]:
    found = [[one[1:] for one in values(path, column)] for column in columns]
    single = [column.table for column, rows in zip(columns, found, strict=True) if len(rows) < 2]
    assert set(single) <= {"audit_chain"}
    return list(itertools.chain.from_iterable(found))


def assert_no_changed_bit_opens(found: list[tuple[str, bytes]]) -> None:
    for place, sealed in found:
        RING.open(sealed, place)
        number, size = int.from_bytes(sealed, "big"), len(sealed)
        for bit in range(8 * size):
            with pytest.raises(SealBroken) as caught:
                RING.open((number ^ 1 << bit).to_bytes(size, "big"), place)
            assert caught.value.where == place


def assert_each_opens_at_its_place_only(found: list[tuple[str, bytes]]) -> None:
    assert len({place for place, _ in found}) == len(found)
    for (place, _), (other, sealed) in itertools.permutations(found, 2):
        with pytest.raises(SealBroken) as caught:
            RING.open(sealed, place)
        assert caught.value.where == place != other


def test_no_changed_bit_of_the_store_is_accepted(path: Path) -> None:
    assert_no_changed_bit_opens(every_value(path, COLUMNS))


def test_no_changed_bit_of_the_brokers_log_is_accepted(log_path: Path) -> None:
    assert_no_changed_bit_opens(every_value(log_path, BROKER))


def test_nothing_opens_in_another_row_or_table(path: Path, log_path: Path) -> None:
    assert_each_opens_at_its_place_only(
        [*every_value(path, COLUMNS), *every_value(log_path, BROKER)]
    )


def swap(path: Path, column: SealedColumn) -> list[str]:
    """The values of two rows; their places."""
    (one, place, first), (other, second_place, second), *_ = values(path, column)
    with sqlite3.connect(path) as connection:
        for key, sealed in ((one, second), (other, first)):
            connection.execute(
                f"UPDATE {column.table} SET {column.column} = ? WHERE {column.key} = ?",
                (sealed, key),
            )
    connection.close()
    return [place, second_place]


async def read_everything(store: SqliteStore) -> list[int]:
    """How many of each there are."""
    return [
        len(one)
        for one in (
            await store.devices(),
            [*await store.sessions_at(DEV_ADDR)],
            await store.access_keys(),
            await store.rules(RULE.account),
            await store.notes("000000000000", "tags"),
            await store.queued(dev_eui(0)),
            await store.owed(0, 2),
            await store.owed(0, 2, LANE),
        )
    ]


READ = [one for one in COLUMNS if one.table not in ("dead_letter", "audit_chain")]


@pytest.mark.parametrize("column", READ, ids=[one.table for one in READ])
async def test_swapped_rows_are_named_and_the_others_served(
    path: Path, column: SealedColumn, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(path, RING, group_commit_s=0)
    await store.open()
    before = await read_everything(store)
    await store.close()
    places = swap(path, column)
    store = SqliteStore(path, RING, group_commit_s=0)
    await store.open()
    with caplog.at_level(logging.ERROR, "bittern.store"):
        after = await read_everything(store)
        await read_everything(store)
    await store.close()
    told = [record.getMessage() for record in caplog.records]
    assert sorted(told) == sorted(
        f"sealed value of {place} does not open: the row is left out; it was changed on the disk,"
        " or moved"
        for place in places
    )
    number = READ.index(column)
    order = ["device", "session", "access_key", "rule", "note", "downlink", "outbox"]
    changed = [at for at in range(len(before)) if before[at] != after[at]]
    if column.table == "outbox":  # two more are owed behind them, and are served
        assert changed == []
    else:
        assert changed == [order.index(column.table) if column.table in order else number]


def test_the_brokers_log_names_what_was_swapped_and_serves_the_rest(
    log_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    places = swap(log_path, BROKER[0]) + swap(log_path, BROKER[1])
    with caplog.at_level(logging.ERROR), SessionLog(log_path, RING) as log:
        sessions, retained = log.load(NOW)
        entries = [entry for client in ("a", "b") for entry in log.page(client, -1, 9)]
    assert len(sessions) == 2
    assert retained == []
    assert len(entries) == 2
    told = [record.getMessage() for record in caplog.records]
    assert all(any(place in one for one in told) for place in places)
