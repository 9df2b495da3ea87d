"""What was given up: every engine does the same."""

from __future__ import annotations

from typing import Any

from bittern.store.ports.sessions import Deliver
from bittern.store.protocol import Store
from bittern.store.rule_records import DeadLetterFilter
from bittern.testing.examples import (
    NOW,
    activated,
    dead_letter,
    delivery,
    dev_eui,
    next_session,
)
from bittern.types import Instant


async def test_a_dead_letter_of_a_lane_is_kept_once(store: Store) -> None:
    await store.settle(letters=[dead_letter(1), dead_letter(1)])
    await store.settle(letters=[dead_letter(1), dead_letter(1, lane="other")])
    assert len(await store.dead_letters(DeadLetterFilter())) == 2


async def test_dead_letters_are_found_by_what_they_are(store: Store) -> None:
    await store.settle(
        letters=[
            dead_letter(1),
            dead_letter(2, rule="doors"),
            dead_letter(3, dev_eui=dev_eui(5)),
            dead_letter(4, destination="yard"),
        ]
    )

    async def found(**wanted: Any) -> list[int]:
        return [one.owed_as for one in await store.dead_letters(DeadLetterFilter(**wanted))]

    assert await found() == [1, 2, 3, 4]
    assert await found(rule="doors") == [2]
    assert await found(dev_eui=dev_eui(5)) == [3]
    assert await found(destination="yard", rule="meters") == [4]
    assert await found(message_id=dead_letter(1).message_id) == [1]
    assert await found(account="111111111111") == []
    page = await store.dead_letters(DeadLetterFilter(), after_sequence=1, limit=2)
    assert [one.owed_as for one in page] == [2, 3]
    assert await store.dead_letter(2) == page[0]
    assert await store.dead_letter(9) is None


async def test_replayed_dead_letters_are_owed_again_behind_all_others(store: Store) -> None:
    first = await activated(store)
    await store.advance(first, next_session(first), Deliver(delivery(1)))
    await store.settle(letters=[dead_letter(7), dead_letter(8, lane="", document=b"raw")])
    assert await store.replay_dead_letters([2, 1, 1, 99]) == 2
    assert await store.dead_letters(DeadLetterFilter()) == []
    outbox = await store.owed(0, 10)
    assert [(one.sequence, one.document) for one in outbox[1:]] == [(3, b"raw")]
    [laned] = await store.owed(0, 10, dead_letter().lane)
    assert (laned.sequence, laned.message_id) == (2, dead_letter(7).message_id)
    assert await store.owed_count() == 3
    told = [change.identity for change in await store.changes(0) if change.kind == "replay"]
    assert told == ["", dead_letter().lane]


async def test_dropped_dead_letters_are_gone(store: Store) -> None:
    await store.settle(letters=[dead_letter(1), dead_letter(2)])
    assert await store.drop_dead_letters([1, 9]) == 1
    assert [one.owed_as for one in await store.dead_letters(DeadLetterFilter())] == [2]


async def test_dead_letters_are_trimmed_by_age_and_by_size(store: Store) -> None:
    await store.settle(
        letters=[
            dead_letter(n, failed_at=Instant(NOW + n), document=bytes(100)) for n in range(1, 7)
        ]
    )
    assert await store.trim_dead_letters(Instant(NOW + 3), 10_000) == 2
    assert await store.trim_dead_letters(Instant(0), 250) == 2
    left = await store.dead_letters(DeadLetterFilter())
    assert [one.owed_as for one in left] == [5, 6]
    usage = await store.delivery_usage()
    assert (usage.dead_letters, usage.dead_letter_bytes, usage.owed) == (2, 200, 0)
