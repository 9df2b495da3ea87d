"""Notes, and what came with them: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict
from bittern.store.notes import Note, NoteExchange
from bittern.store.protocol import Store
from bittern.testing.examples import (
    DESTINATION,
    DEVICE_PROFILE,
    FIRMWARE,
    GATEWAY,
    NOW,
    SERVICE_PROFILE,
    device,
    register,
)
from bittern.types import Instant

NOTE = Note(kind="tags", name="Destination/plant", at=NOW, body='{"a":"b"}')


def later(seconds: float) -> Instant:
    return Instant(NOW + seconds)


async def test_a_note_is_kept_by_account_kind_and_name(store: Store) -> None:
    await store.put_notes(NOTE)
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE
    assert await store.note("111122223333", "tags", NOTE.name) is None
    assert await store.note(NOTE.account, "logs", NOTE.name) is None


async def test_a_later_note_takes_the_place_of_an_earlier_one(store: Store) -> None:
    await store.put_notes(NOTE)
    after = msgspec.structs.replace(NOTE, body="{}", at=later(1))
    await store.put_notes(after)
    assert await store.note(NOTE.account, "tags", NOTE.name) == after


async def test_a_note_that_is_too_new_is_not_replaced_and_nothing_else_is_kept(
    store: Store,
) -> None:
    await store.put_notes(NOTE)
    other = msgspec.structs.replace(NOTE, name="other")
    refused = msgspec.structs.replace(NOTE, body="{}", only_if_older_than=NOW)
    with pytest.raises(Conflict):
        await store.put_notes(other, refused)
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE
    assert await store.note(NOTE.account, "tags", "other") is None
    old_enough = msgspec.structs.replace(refused, only_if_older_than=later(1))
    await store.put_notes(old_enough)
    found = await store.note(NOTE.account, "tags", NOTE.name)
    assert found == msgspec.structs.replace(NOTE, body="{}")


async def test_notes_are_listed_page_by_page_in_order_of_name(store: Store) -> None:
    made = [msgspec.structs.replace(NOTE, name=name) for name in "cab"]
    await store.put_notes(*made, msgspec.structs.replace(NOTE, kind="logs", name="aa"))
    assert [one.name for one in await store.notes(NOTE.account, "tags", limit=2)] == ["a", "b"]
    assert [one.name for one in await store.notes(NOTE.account, "tags", after="b")] == ["c"]


async def test_a_note_is_removed_once(store: Store) -> None:
    await store.put_notes(NOTE)
    assert await store.remove_note(NOTE.account, "tags", NOTE.name)
    assert not await store.remove_note(NOTE.account, "tags", NOTE.name)


async def test_old_notes_of_one_kind_are_trimmed(store: Store) -> None:
    old = [msgspec.structs.replace(NOTE, kind=kind) for kind in ("tags", "attempt")]
    new = msgspec.structs.replace(NOTE, kind="attempt", name="new", at=later(9))
    await store.put_notes(*old, new)
    assert await store.trim_notes("attempt", later(5)) == 1
    assert await store.notes(NOTE.account, "attempt") == [new]
    assert await store.notes(NOTE.account, "tags") == [old[0]]


async def test_what_is_refused_for_its_note_is_not_added(store: Store) -> None:
    await register(store, devices=0)
    await store.put_notes(NOTE)
    notes = [msgspec.structs.replace(NOTE, only_if_older_than=NOW)]
    other = msgspec.structs.replace
    with pytest.raises(Conflict):
        await store.add_device(device(), notes=notes)
    with pytest.raises(Conflict):
        await store.add_device_profile(other(DEVICE_PROFILE, id="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_service_profile(other(SERVICE_PROFILE, id="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_destination(other(DESTINATION, name="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_firmware(other(FIRMWARE, id="other"), notes=notes)
    assert await store.devices() == []
    assert await store.device_profile("other") is None
    assert await store.service_profile("other") is None
    assert await store.destination(DESTINATION.account, "other") is None
    assert await store.firmware("other") is None


async def test_a_note_is_not_kept_with_what_is_refused(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict):
        await store.add_device(device(), notes=[NOTE])
    assert await store.note(NOTE.account, "tags", NOTE.name) is None


async def test_a_note_is_kept_with_what_is_added(store: Store) -> None:
    await store.add_gateway(GATEWAY, notes=[NOTE])
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE


def exchange(before: str | None, after: str | None, name: str = "pump") -> NoteExchange:
    return NoteExchange(kind="thing", name=name, at=NOW, before=before, after=after)


async def test_a_note_is_exchanged_if_it_is_what_it_was(store: Store) -> None:
    async def body() -> str | None:
        note = await store.note(NOTE.account, "thing", "pump")
        return note and note.body

    await store.exchange_notes(exchange(None, "1"))
    assert await body() == "1"
    await store.exchange_notes(exchange("1", "2"))
    assert await body() == "2"
    for stale in (exchange(None, "3"), exchange("1", "3"), exchange("1", None)):
        with pytest.raises(Conflict):
            await store.exchange_notes(stale)
    assert await body() == "2"
    await store.exchange_notes(exchange("2", None))
    assert await body() is None
    with pytest.raises(Conflict):
        await store.exchange_notes(exchange("2", "3"))


async def test_exchanges_happen_together_or_not_at_all(store: Store) -> None:
    await store.exchange_notes(exchange(None, "1"))
    with pytest.raises(Conflict):
        await store.exchange_notes(exchange(None, "new", "valve"), exchange("other", "2"))
    assert await store.note(NOTE.account, "thing", "valve") is None
    await store.exchange_notes(exchange(None, "new", "valve"), exchange("1", "1"))
    with pytest.raises(Conflict):
        await store.exchange_notes(exchange("new", None, "valve"), exchange("2", "2"))
    assert await store.note(NOTE.account, "thing", "valve") is not None


async def test_a_note_that_is_only_looked_at_keeps_its_time(store: Store) -> None:
    await store.exchange_notes(exchange(None, "1"))
    looked = msgspec.structs.replace(exchange("1", "1"), at=later(5))
    await store.exchange_notes(looked)
    found = await store.note(NOTE.account, "thing", "pump")
    assert found is not None
    assert found.at == NOW
