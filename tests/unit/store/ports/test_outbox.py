"""What is owed, in the outbox and in lanes: every engine does the same."""

from __future__ import annotations

from bittern.store.ports.sessions import Deliver
from bittern.store.protocol import Store
from bittern.store.rule_records import DeadLetterFilter
from bittern.testing.examples import (
    DESTINATION,
    DEV_EUI,
    activated,
    dead_letter,
    delivery,
    next_session,
)


async def test_what_is_owed_comes_in_order_of_its_sequence(store: Store) -> None:
    before = await activated(store)
    for number in range(1, 5):
        after = next_session(before)
        assert await store.advance(before, after, Deliver(delivery(number))) == number
        before = after
    owed = [delivery(number, sequence=number) for number in range(1, 5)]
    assert await store.owed(0, 10) == owed
    assert await store.owed(1, 2) == owed[1:3]
    assert await store.owed(4, 2) == []
    assert await store.owed_count() == 4


async def test_one_step_may_owe_two_messages(store: Store) -> None:
    before = await activated(store)
    effects = Deliver(delivery(1)), Deliver(delivery(2))
    assert await store.advance(before, next_session(before), *effects) == 2
    assert [one.sequence for one in await store.owed(0, 10)] == [1, 2]


async def test_what_was_delivered_is_no_longer_owed(store: Store) -> None:
    before = await activated(store)
    effects = [Deliver(delivery(number)) for number in range(4)]
    await store.advance(before, next_session(before), *effects)
    await store.delivered([3, 1, 77])
    await store.delivered([])
    assert [one.sequence for one in await store.owed(0, 10)] == [2, 4]
    assert await store.owed_count() == 2


async def test_a_sequence_is_never_given_again(store: Store) -> None:
    before = await activated(store)
    after = next_session(before)
    assert await store.advance(before, after, Deliver(delivery())) == 1
    await store.delivered([1])
    assert await store.advance(after, next_session(after), Deliver(delivery())) == 2


async def test_what_a_removed_device_sent_is_still_owed(store: Store) -> None:
    before = await activated(store)
    await store.advance(before, next_session(before), Deliver(delivery()))
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await store.owed(0, 10) == [delivery(sequence=1)]


async def test_lanes_are_owed_apart_and_in_order(store: Store) -> None:
    owed = [delivery(n, sequence=n, lane=lane) for n in (3, 1, 2) for lane in ("a/1", "b/1")]
    await store.settle(owed=owed)
    assert [one.sequence for one in await store.owed(0, 10, "a/1")] == [1, 2, 3]
    assert await store.owed(1, 1, "b/1") == [delivery(2, sequence=2, lane="b/1")]
    assert await store.owed(0, 10) == []
    assert await store.lanes() == ["a/1", "b/1"]
    assert await store.owed_count() == 6
    await store.settle(delivered_in={"a/1": [1, 2, 3], "b/1": [2, 77]})
    assert await store.lanes() == ["b/1"]
    assert [one.sequence for one in await store.owed(0, 10, "b/1")] == [1, 3]


async def test_what_is_owed_in_a_lane_stays_as_it_is(store: Store) -> None:
    await store.settle(owed=[delivery(1, sequence=1, lane="a", document=b"first")])
    await store.settle(owed=[delivery(1, sequence=1, lane="a", document=b"second")])
    assert [one.document for one in await store.owed(0, 10, "a")] == [b"first"]


async def test_settling_moves_between_outbox_lanes_and_dead_letters(store: Store) -> None:
    first = await activated(store)
    await store.advance(first, next_session(first), Deliver(delivery(1)), Deliver(delivery(2)))
    await store.settle(
        delivered=[1, 2], owed=[delivery(1, sequence=1, lane="a")], letters=[dead_letter(2)]
    )
    assert await store.owed(0, 10) == []
    assert [one.sequence for one in await store.owed(0, 10, "a")] == [1]
    assert await store.dead_letters(DeadLetterFilter()) == [dead_letter(2, sequence=1)]
    assert await store.owed_count() == 1


async def test_a_message_that_no_frame_has_brought_is_owed_and_told(store: Store) -> None:
    before = await activated(store)
    await store.advance(before, next_session(before), Deliver(delivery(1)))
    newest = await store.last_change()
    assert await store.owe(delivery(2)) == 2
    assert await store.owed(1, 10) == [delivery(2, sequence=2)]
    assert await store.owed_count() == 2
    assert [(one.kind, one.identity) for one in await store.changes(newest)] == [("replay", "")]
