from __future__ import annotations

import pytest

from bittern.store.forgetting import forget
from bittern.store.notes import Note
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("rest", "kinds"),
    [
        ("WirelessDevice/1", {"tags", "events", "position", "logs"}),
        ("WirelessGateway/1", {"tags", "events", "position", "logs"}),
        ("FuotaTask/1", {"tags", "logs"}),
        ("Destination/plant", {"tags"}),
    ],
)
async def test_what_is_said_of_a_resource_goes_with_it(rest: str, kinds: set[str]) -> None:
    store = MemoryStore()
    for kind in kinds:
        for name in (rest, f"{rest}0"):
            note = Note(account=ACCOUNT, kind=kind, name=name, at=Instant(0), body="{}")
            await store.put_notes(note)
    await forget(store, ACCOUNT, rest)
    for kind in kinds:
        assert await store.note(ACCOUNT, kind, rest) is None
        assert await store.note(ACCOUNT, kind, f"{rest}0") is not None
