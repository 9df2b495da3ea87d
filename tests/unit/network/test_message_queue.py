from __future__ import annotations

import pytest

from bittern.network.events import DownlinkDiscarded
from bittern.network.journal import Journal
from bittern.network.message_queue import ATTEMPTS, MessageQueue
from bittern.store.records import LONGEST_PAYLOAD
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant


class Shelf:
    """A queue over a store, at a time that tests set."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.journal = Journal()
        self.time = Instant(100.0)
        self.queue = MessageQueue(store=self.store, journal=self.journal, now=lambda: self.time)

    async def put(self, number: int = 0, **different: object) -> None:
        last = await self.store.last_change()
        await self.store.enqueue(examples.downlink(number, **different))
        self.queue.follow(await self.store.changes(last))

    async def first(self) -> tuple[str | None, bool]:
        message, more = await self.queue.first(examples.DEV_EUI)
        return message and message.message_id, more


@pytest.fixture
async def shelf() -> Shelf:
    made = Shelf()
    await examples.register(made.store)
    return made


def id_of(number: int) -> str:
    return examples.downlink(number).message_id


async def test_the_first_is_given_and_whether_there_is_more(shelf):
    assert await shelf.first() == (None, False)
    await shelf.put(0)
    assert await shelf.first() == (id_of(0), False)
    await shelf.put(1)
    assert await shelf.first() == (id_of(0), True)


async def test_a_higher_priority_is_first(shelf):
    await shelf.put(0)
    await shelf.put(1, priority=1)
    assert await shelf.first() == (id_of(1), True)


async def test_what_is_under_way_is_not_sent_again_and_nothing_overtakes_it(shelf):
    await shelf.put(0)
    await shelf.put(1)
    shelf.queue.under_way(id_of(0), Instant(105.0))
    assert await shelf.first() == (None, True)
    shelf.time = Instant(105.0)
    assert await shelf.first() == (id_of(0), True)


async def test_what_has_come_back_may_go_again(shelf):
    await shelf.put(0)
    shelf.queue.under_way(id_of(0), Instant(105.0))
    shelf.queue.returned(id_of(0))
    assert await shelf.first() == (id_of(0), False)


async def test_what_is_done_makes_room_for_the_next(shelf):
    await shelf.put(0)
    await shelf.put(1)
    shelf.queue.under_way(id_of(0), Instant(105.0))
    await shelf.queue.done(examples.DEV_EUI, id_of(0))
    assert await shelf.first() == (id_of(1), False)


async def test_a_message_tried_often_enough_is_discarded_and_told(shelf):
    told: list[object] = []
    await shelf.put(0, attempts=ATTEMPTS)
    await shelf.put(1)
    with shelf.journal.watching(told.append):
        assert await shelf.first() == (id_of(1), False)
    [discarded] = told
    assert isinstance(discarded, DownlinkDiscarded)
    assert (discarded.message_id, discarded.attempts) == (id_of(0), ATTEMPTS)


async def test_a_message_that_no_frame_carries_does_not_hold_up_the_others(shelf):
    told: list[object] = []
    await shelf.put(0, payload=bytes(LONGEST_PAYLOAD + 1))
    await shelf.put(1, payload=bytes(LONGEST_PAYLOAD))
    with shelf.journal.watching(told.append):
        assert await shelf.first() == (id_of(1), False)
    [discarded] = told
    assert isinstance(discarded, DownlinkDiscarded)
    assert (discarded.message_id, discarded.size) == (id_of(0), LONGEST_PAYLOAD + 1)


async def test_a_message_that_comes_too_late_is_not_sent(shelf):
    told: list[object] = []
    await shelf.put(0, expires_at=Instant(110.0))
    await shelf.put(1)
    shelf.time = Instant(109.9)
    assert await shelf.first() == (id_of(0), True)
    shelf.queue.under_way(id_of(0), Instant(112.0))
    shelf.time = Instant(110.0)
    assert await shelf.first() == (None, True)
    shelf.time = Instant(112.0)
    with shelf.journal.watching(told.append):
        assert await shelf.first() == (id_of(1), False)
    [discarded] = told
    assert isinstance(discarded, DownlinkDiscarded)
    assert (discarded.message_id, discarded.expired) == (id_of(0), True)


async def test_the_last_attempt_is_not_discarded_while_it_is_under_way(shelf):
    await shelf.put(0, attempts=ATTEMPTS)
    shelf.queue.under_way(id_of(0), Instant(105.0))
    assert await shelf.first() == (None, False)
    assert shelf.journal.events["downlink_discarded"] == 0


async def test_an_idle_device_costs_no_read(shelf, monkeypatch):
    assert not shelf.queue.is_idle(examples.dev_eui(1))
    assert await shelf.first() == (None, False)
    assert shelf.queue.is_idle(examples.DEV_EUI)
    reads: list[object] = []
    monkeypatch.setattr(shelf.store, "queued", lambda *_, **__: reads.append(1))
    assert await shelf.first() == (None, False)
    assert reads == []


async def test_a_message_queued_while_the_queue_is_read_is_not_overlooked(shelf, monkeypatch):
    queued = shelf.store.queued

    async def slowly(*args: object, **named: object) -> object:
        found = await queued(*args, **named)
        await shelf.put(0)
        return found

    monkeypatch.setattr(shelf.store, "queued", slowly)
    assert await shelf.first() == (None, False)
    monkeypatch.undo()
    assert await shelf.first() == (id_of(0), False)


async def test_devices_with_messages_are_known_after_a_restart(shelf):
    assert await shelf.queue.waiting() == []
    await shelf.put(0)
    assert await shelf.queue.waiting() == [examples.DEV_EUI]
