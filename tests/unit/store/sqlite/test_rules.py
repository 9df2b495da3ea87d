"""What of rules and dead letters is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bittern.store.rule_records import DeadLetterFilter
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import dead_letter, delivery


async def test_the_number_of_a_dead_letter_is_never_given_again(sqlite: SqliteStore) -> None:
    await sqlite.settle(letters=[dead_letter(1)])
    await sqlite.drop_dead_letters([1])
    await sqlite.settle(letters=[dead_letter(2)])
    assert [one.sequence for one in await sqlite.dead_letters(DeadLetterFilter())] == [2]


async def test_free_pages_are_not_counted_as_used(sqlite: SqliteStore) -> None:
    before = (await sqlite.delivery_usage()).bytes_used
    await sqlite.settle(letters=[dead_letter(n, document=bytes(4000)) for n in range(1, 101)])
    full = (await sqlite.delivery_usage()).bytes_used
    assert full > before + 400_000
    await sqlite.drop_dead_letters(range(1, 101))
    assert (await sqlite.delivery_usage()).bytes_used < before + 40_000


async def test_lanes_are_read_by_their_index(sqlite: SqliteStore, tmp_path: Path) -> None:
    await sqlite.settle(owed=[delivery(1, sequence=1, lane="a")])
    connection = sqlite3.connect(tmp_path / "bittern.db")
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT document FROM lane_message"
        " WHERE lane = 'a' AND sequence > 0 ORDER BY sequence LIMIT 5"
    ).fetchall()
    connection.close()
    assert "USING INDEX lane_message_order" in plan[0][3]
    assert len(plan) == 1
