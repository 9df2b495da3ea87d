from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bittern.errors import Conflict, StoreUnavailable
from bittern.keys.data_keys import DataKey
from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.data_keys import SqliteDataKeys
from bittern.types import Instant

KEY = DataKey(id=1, provider="file", wrapped=b"w", created_at=Instant(5.0), state="active")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[SqliteDataKeys]:
    with SqliteDataKeys(tmp_path / "bittern.db") as table:
        yield table


def other(key_id: int = 2) -> DataKey:
    return msgspec.structs.replace(KEY, id=key_id, state="opening", earlier=True)


def states(table: SqliteDataKeys) -> list[tuple[int, str]]:
    return [(key.id, key.state) for key in table.all()]


def test_first_keys_are_first_once(table: SqliteDataKeys) -> None:
    assert table.all() == []
    assert table.begin([KEY])
    assert not table.begin([other()])
    assert table.all() == [msgspec.structs.replace(KEY, sequence=1)]


def test_one_key_is_active(table: SqliteDataKeys) -> None:
    table.begin([KEY])
    table.add(other())
    table.activate(2)
    assert states(table) == [(1, "opening"), (2, "active")]
    assert table.all()[1].earlier


def test_an_id_is_used_once_until_it_is_given_back(table: SqliteDataKeys) -> None:
    table.begin([KEY])
    table.add(other())
    with pytest.raises(Conflict):
        table.add(other())
    table.activate(2)
    assert not table.remove(1)
    assert not table.set_state(1, "active", "retired")
    assert table.set_state(1, "opening", "retired")
    assert table.remove(1)
    table.add(other(1))
    assert [(key.id, key.sequence) for key in table.all()] == [(2, 2), (1, 3)]


def test_keys_are_wrapped_anew_all_at_once(table: SqliteDataKeys) -> None:
    table.begin([KEY, other()])
    before = table.all()
    after = [msgspec.structs.replace(key, provider="p", wrapped=b"v") for key in before]
    table.rewrap(before, after)
    assert table.all() == after
    with pytest.raises(Conflict):
        table.rewrap(before, after)
    assert table.all() == after


async def test_every_change_is_told(table: SqliteDataKeys, tmp_path: Path) -> None:
    table.begin([KEY])
    table.add(other())
    table.activate(2)
    table.set_state(1, "opening", "retired")
    table.remove(1)
    store = SqliteStore(tmp_path / "bittern.db", KeyRing({2: bytes(32)}))
    await store.open()
    told = [(change.kind, change.identity) for change in await store.changes(0)]
    assert told == [("data_key", one) for one in "12211"]
    await store.close()


def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no database, but longer than the header of one" * 9)
    with pytest.raises(StoreUnavailable), SqliteDataKeys(tmp_path / "x"):
        pass
    with pytest.raises(StoreUnavailable, match="closed"):
        SqliteDataKeys(tmp_path / "y").all()
