from __future__ import annotations

import asyncio

import pytest

from bittern.network.join_repeats import KEPT_S, Repeats


class Clock:
    now = 0.0


class Maker:
    def __init__(self) -> None:
        self.made = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.fails = False

    async def make(self) -> int:
        self.made += 1
        await self.go_on.wait()
        if self.fails:
            raise LookupError("no")
        return self.made


@pytest.fixture
def maker() -> Maker:
    return Maker()


async def test_an_answer_is_made_once_for_each_key(maker: Maker) -> None:
    repeats = Repeats[int](lambda: 0.0)
    told = [await repeats.answer(key, maker.make) for key in (b"a", b"a", b"b", b"a")]
    assert told == [1, 1, 2, 1]


async def test_answers_are_forgotten_after_a_while(maker: Maker) -> None:
    clock = Clock()
    repeats = Repeats[int](lambda: clock.now)
    for at, expected in ((0.0, 1), (KEPT_S - 1, 1), (KEPT_S + 1, 2)):
        clock.now = at
        assert await repeats.answer(b"a", maker.make) == expected
    assert len(repeats) == 1


async def test_only_so_many_answers_are_kept(maker: Maker) -> None:
    repeats = Repeats[int](lambda: 0.0, kept=3)
    for number in range(9):
        await repeats.answer(b"%d" % number, maker.make)
    assert len(repeats) == 3


async def test_who_comes_while_it_is_made_waits_for_it(maker: Maker) -> None:
    repeats = Repeats[int](lambda: 0.0)
    maker.go_on.clear()
    both = [asyncio.create_task(repeats.answer(b"a", maker.make)) for _ in range(2)]
    await asyncio.sleep(0)
    maker.go_on.set()
    assert await asyncio.gather(*both) == [1, 1]


async def test_what_was_begun_goes_on_when_who_asked_goes_away(maker: Maker) -> None:
    repeats = Repeats[int](lambda: 0.0)
    maker.go_on.clear()
    asking = asyncio.create_task(repeats.answer(b"a", maker.make))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    maker.go_on.set()
    assert await repeats.answer(b"a", maker.make) == 1


async def test_a_failure_is_not_kept(maker: Maker) -> None:
    repeats = Repeats[int](lambda: 0.0)
    maker.fails = True
    with pytest.raises(LookupError):
        await repeats.answer(b"a", maker.make)
    assert len(repeats) == 0
    maker.fails = False
    assert await repeats.answer(b"a", maker.make) == 2
