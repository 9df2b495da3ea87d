from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from bittern.api.errors import ApiError
from bittern.api.operations import exchanges
from bittern.api.operations.exchanges import TRIES, Links
from bittern.store.notes import Note, NoteExchange
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

NOW = Instant(1.0)
LINKS = Links("thing_principal", "principal_thing")


@dataclass
class Around:
    """What is used of a call, and of services."""

    store: MemoryStore
    account: str = "123456789012"
    now: Instant = NOW


class Count(msgspec.Struct, frozen=True):
    value: int
    later: str = ""


@pytest.fixture
def around() -> Any:
    return Around(MemoryStore())


async def counted(around: Any) -> Count | None:
    found = await exchanges.read(around, around, "thing", "n", Count)
    return None if found is None else found.value


def adding(around: Any, disturbed: int = 0) -> exchanges.Work:
    """Adds one; others add ten between the reading and the writing, so often."""
    times = iter(range(disturbed))

    async def work() -> list[NoteExchange]:
        before = await exchanges.read(around, around, "thing", "n", Count)
        value = before.value.value if before else 0
        if next(times, None) is not None:
            await exchanges.change(around, adding_ten)
        return [exchanges.exchange(around, "thing", "n", before, Count(value + 1))]

    async def adding_ten() -> list[NoteExchange]:
        before = await exchanges.read(around, around, "thing", "n", Count)
        value = before.value.value if before else 0
        return [exchanges.exchange(around, "thing", "n", before, Count(value + 10))]

    return work


async def test_a_change_is_worked_out_anew_while_others_are_quicker(around: Any) -> None:
    await exchanges.change(around, adding(around))
    await exchanges.change(around, adding(around, disturbed=2))
    assert await counted(around) == Count(22)


async def test_whoever_is_never_quick_enough_is_told(around: Any) -> None:
    with pytest.raises(ApiError) as refused:
        await exchanges.change(around, adding(around, disturbed=TRIES))
    assert refused.value.code == "ThrottlingException"


async def test_a_document_of_an_earlier_version_is_exchanged(around: Any) -> None:
    """It is not written today as it was then."""
    note = Note(account=around.account, kind="thing", name="n", at=NOW, body='{"value":1}')
    await around.store.put_notes(note)
    await exchanges.change(around, adding(around))
    assert await counted(around) == Count(2)


async def link(around: Any, one: str, other: str, word: str) -> None:
    before = await LINKS.between(around, around, one, other)
    await around.store.exchange_notes(*LINKS.exchanges(around, (one, other), before, word))


async def test_links_are_listed_from_either_end(around: Any) -> None:
    for one, other in (("a", "x"), ("a", "y"), ("a-b", "x"), ("b", "x")):
        await link(around, one, other, one)

    assert await LINKS.of(around, around, "a", None, 10) == [("x", "a"), ("y", "a")]
    assert await LINKS.of(around, around, "a", "x", 10) == [("y", "a")]
    assert await LINKS.to(around, around, "x", None, 2) == [("a", "a"), ("a-b", "a-b")]
    assert await LINKS.to(around, around, "x", "a-b", 2) == [("b", "b")]
    assert await LINKS.of(around, around, "", None, 10) == []


async def test_a_link_goes_from_both_ends(around: Any) -> None:
    await link(around, "a", "x", "word")
    assert await LINKS.between(around, around, "a", "x") == "word"
    await around.store.exchange_notes(*LINKS.exchanges(around, ("a", "x"), "word", None))
    assert await LINKS.between(around, around, "a", "x") is None
    assert await LINKS.to(around, around, "x", None, 10) == []


async def test_a_condition_changes_nothing(around: Any) -> None:
    await exchanges.change(around, adding(around))
    held = exchanges.unchanged(around, "thing", "n", '{"value":1,"later":""}')
    await around.store.exchange_notes(held)
    assert await counted(around) == Count(1)
