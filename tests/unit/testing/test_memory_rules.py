"""That it does what the engines do is told by the suite of the ports, which runs over it."""

from __future__ import annotations

from bittern.store.rule_records import DeadLetter
from bittern.testing.examples import dead_letter
from bittern.testing.memory_store import MemoryStore


async def test_anything_like_a_dead_letter_becomes_one() -> None:
    class Like:
        def __getattr__(self, name: str) -> object:
            return getattr(dead_letter(), name)

    store = MemoryStore()
    await store.settle(letters=[Like()])  # type: ignore[list-item]
    [kept] = store._letters.values()
    assert type(kept) is DeadLetter
    assert kept == dead_letter(sequence=1)
