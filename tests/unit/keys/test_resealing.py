from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bittern.errors import StoreUnavailable
from bittern.keys.keychain import open_keychain
from bittern.keys.local import LocalProvider
from bittern.keys.resealing import Resealing, SealedColumn, SealedTables
from bittern.keys.ring import KeyRing
from bittern.store.sqlite.data_keys import SqliteDataKeys
from bittern.types import Instant

OLD, NEW = {1: b"o" * 32}, {1: b"o" * 32, 2: b"n" * 32}
COLUMNS = (
    SealedColumn("thing", "secret", ("id",), lambda one: (f"thing.secret:{one}", f"old:{one}")),
    SealedColumn("word", "said", ("who",), lambda who: (f"word.said:{who}", None), key="who"),
)
ROWS = 25


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path, ring = tmp_path / "db", KeyRing(OLD)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER, secret BLOB)")
        connection.execute("CREATE TABLE word (who TEXT PRIMARY KEY, said BLOB) WITHOUT ROWID")
        for one in range(ROWS):
            sealed = ring.seal(b"secret %d" % one, f"thing.secret:{one}")
            connection.execute("INSERT INTO thing VALUES (?, ?)", (one, sealed))
        sealed = ring.seal(b"hello", "word.said:a")
        connection.execute("INSERT INTO word VALUES ('a', ?), ('b', 'in the clear')", (sealed,))
        connection.execute("INSERT INTO thing VALUES (99, NULL)")
    connection.close()
    yield path


def tables(path: Path) -> SealedTables:
    return SealedTables(lambda: sqlite3.connect(path, isolation_level=None), COLUMNS)


def test_values_are_counted_by_their_key(path: Path) -> None:
    assert tables(path).count() == {1: ROWS + 1, 0: 1}


def test_everything_is_sealed_anew_in_small_steps(path: Path) -> None:
    sealed, ring = tables(path), KeyRing(NEW)
    steps = []
    while looked_at := sealed.reseal(ring, 10):
        steps.append(looked_at)
    assert steps == [10, 10, 5, 2]
    assert sealed.count() == {2: ROWS + 2}
    newest = KeyRing({2: b"n" * 32})
    connection = sqlite3.connect(path)
    for one, secret in connection.execute("SELECT id, secret FROM thing WHERE id < 99"):
        assert newest.open(secret, f"thing.secret:{one}") == b"secret %d" % one
    said = dict(connection.execute("SELECT who, said FROM word").fetchall())
    assert newest.open(said["b"], "word.said:b") == b"in the clear"
    connection.close()


def test_a_rotation_that_was_cut_short_goes_on(path: Path) -> None:
    ring = KeyRing(NEW)
    tables(path).reseal(ring, 10)
    again = tables(path)
    assert again.count() == {2: 10, 1: ROWS - 9, 0: 1}
    while again.reseal(ring, 10):
        pass
    assert again.count() == {2: ROWS + 2}


def test_what_does_not_open_is_told_and_left(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE thing SET secret = (SELECT secret FROM thing WHERE id = 4) WHERE id = 3"
        )
    connection.close()
    sealed, ring = tables(path), KeyRing(NEW)
    with caplog.at_level(logging.ERROR, "bittern.keys"):
        while sealed.reseal(ring, 10):
            pass
    assert [record.getMessage() for record in caplog.records] == [
        "sealed value of thing.secret:3 does not open: left as it is; it was changed on the disk,"
        " or moved"
    ]
    assert sealed.count() == {2: ROWS + 1, 1: 1}


def test_names_of_an_earlier_version_become_those_of_today(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        sealed = KeyRing(OLD).seal(b"x", "old:3")
        connection.execute("UPDATE thing SET secret = ? WHERE id = 3", (sealed,))
    connection.close()
    ring, found = KeyRing(NEW, earlier=frozenset({1})), tables(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM thing WHERE id <> 3")
    connection.execute("DELETE FROM word")
    connection.commit()
    while found.reseal(ring, 10):
        pass
    (anew,) = connection.execute("SELECT secret FROM thing").fetchone()
    assert KeyRing({2: b"n" * 32}).open(anew, "thing.secret:3") == b"x"
    connection.close()


def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        tables(tmp_path / "empty").count()


async def test_a_key_is_retired_and_removed_when_everything_has_left_it(
    path: Path, tmp_path: Path
) -> None:
    _seal_as_formerly(path)
    clock = Instant(1000.0)
    provider = LocalProvider("file", "file x", b"k" * 32, "")
    with SqliteDataKeys(tmp_path / "bittern.db") as table:
        keychain = await open_keychain(table, provider, {1: b"o" * 32}, clock)
        resealing = Resealing(keychain, [tables(path)], lambda: clock)
        told: list[int] = []
        await resealing.run(told=told.append)
        assert sum(told) == ROWS + 2
        await resealing.settle()
        assert [(key.id, key.state) for key in table.all()] == [(1, "retired"), (2, "active")]
        await resealing.settle()
        assert keychain.ring.ids == {1, 2}
        clock = Instant(clock + 61)
        await resealing.settle()
        assert keychain.ring.ids == {2}
        assert [key.id for key in table.all()] == [2]


def _seal_as_formerly(path: Path) -> None:
    ring = KeyRing(OLD)
    with sqlite3.connect(path) as connection:
        for one in range(ROWS):
            sealed = ring.seal(b"secret", f"old:{one}")
            connection.execute("UPDATE thing SET secret = ? WHERE id = ?", (sealed, one))
    connection.close()
