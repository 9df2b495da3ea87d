from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bittern.errors import Conflict, StoreUnavailable
from bittern.store.group_commit import GroupCommit


class Engine:
    """Remembers its groups; doubles numbers, refuses text, and can be held or broken."""

    def __init__(self) -> None:
        self.groups: list[list[object]] = []
        self.broken: Exception | None = None
        self.may_commit = threading.Event()
        self.may_commit.set()
        self.rests = 0

    def commit(self, calls: list[Any]) -> list[Any]:
        self.may_commit.wait()
        self.groups.append(calls)
        if self.broken is not None:
            raise self.broken
        return [2 * call if isinstance(call, int) else Conflict("call", call) for call in calls]

    def rest(self) -> None:
        self.rests += 1


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def group(engine: Engine) -> AsyncIterator[GroupCommit[Any]]:
    group = make(engine)
    group.open()
    yield group
    engine.may_commit.set()
    await group.close()


def make(engine: Engine, window_s: float = 0, most_waiting: int = 100) -> GroupCommit[Any]:
    return GroupCommit(
        engine.commit, window_s=window_s, most_waiting=most_waiting, rest=engine.rest
    )


async def test_each_caller_has_its_own_outcome(engine: Engine, group: GroupCommit[Any]) -> None:
    calls = [group.submit(1), group.submit("x"), group.submit(3)]
    one, refused, three = await asyncio.gather(*calls, return_exceptions=True)
    assert (one, three) == (2, 6)
    assert isinstance(refused, Conflict)
    assert engine.groups == [[1, "x", 3]]


async def test_calls_during_a_commit_are_the_next_group(
    engine: Engine, group: GroupCommit[Any]
) -> None:
    engine.may_commit.clear()
    first = group.submit(1)
    while group.statistics().waiting:
        await asyncio.sleep(0)
    later = [group.submit(2)]
    await asyncio.sleep(0)
    later.append(group.submit(3))
    engine.may_commit.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert engine.groups == [[1], [2, 3]]


async def test_calls_within_the_window_are_one_group(engine: Engine) -> None:
    group = make(engine, window_s=0.02)
    group.open()
    first = group.submit(1)
    await asyncio.sleep(0)
    assert await asyncio.gather(first, group.submit(2)) == [2, 4]
    assert engine.groups == [[1, 2]]
    await group.close()


async def test_a_group_that_formed_during_a_commit_still_has_its_window(engine: Engine) -> None:
    group = make(engine, window_s=0.02)
    group.open()
    engine.may_commit.clear()
    first = group.submit(1)
    while group.statistics().waiting:
        await asyncio.sleep(0.001)
    second = group.submit(2)
    engine.may_commit.set()
    await first
    assert await asyncio.gather(second, group.submit(3)) == [4, 6]
    assert engine.groups == [[1], [2, 3]]
    await group.close()


async def test_when_a_commit_fails_every_caller_of_it_hears_so(
    engine: Engine, group: GroupCommit[Any]
) -> None:
    engine.broken = StoreUnavailable("disk full")
    outcomes = await asyncio.gather(group.submit(1), group.submit(2), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == 2 * ["store unavailable: disk full"]
    assert outcomes[0] is not outcomes[1]
    engine.broken = None
    assert await group.submit(3) == 6


async def test_a_mistake_in_the_engine_does_not_end_the_thread(
    engine: Engine, group: GroupCommit[Any], caplog: pytest.LogCaptureFixture
) -> None:
    engine.broken = ZeroDivisionError()
    with (
        caplog.at_level(logging.ERROR, "bittern.store"),
        pytest.raises(StoreUnavailable, match="ZeroDivisionError in the writer"),
    ):
        await group.submit(1)
    assert "store writer failed" in caplog.text
    engine.broken = None
    assert await group.submit(3) == 6


async def test_a_caller_that_gives_up_disturbs_nobody(
    engine: Engine, group: GroupCommit[Any]
) -> None:
    impatient, patient = group.submit(1), group.submit(2)
    impatient.cancel()
    assert await patient == 4
    assert engine.groups == [[1, 2]]


async def test_too_many_calls_are_refused(engine: Engine) -> None:
    group = make(engine, most_waiting=2)
    group.open()
    engine.may_commit.clear()
    accepted = [group.submit(1), group.submit(2)]
    with pytest.raises(StoreUnavailable, match="2 writes wait already"):
        group.submit(3)
    engine.may_commit.set()
    assert await asyncio.gather(*accepted) == [2, 4]
    await group.close()


async def test_closing_waits_for_what_is_under_way(engine: Engine) -> None:
    group = make(engine)
    others = set(threading.enumerate())
    group.open()
    calls = [group.submit(1), group.submit(2)]
    await group.close()
    assert [call.result() for call in calls] == [2, 4]
    with pytest.raises(StoreUnavailable, match="closed"):
        group.submit(3)
    await group.close()
    left = set(threading.enumerate()) - others
    assert not any(thread.name == "store-writer" for thread in left)


async def test_nothing_can_be_called_before_it_is_open(engine: Engine) -> None:
    with pytest.raises(StoreUnavailable, match="closed"):
        make(engine).submit(1)


async def test_the_thread_keeps_house_after_each_group(
    engine: Engine, group: GroupCommit[Any]
) -> None:
    await group.submit(1)
    await group.submit(2)
    await group.close()
    assert engine.rests == 2


async def test_statistics_count_groups_and_calls(engine: Engine, group: GroupCommit[Any]) -> None:
    calls = [group.submit(1), group.submit(2)]
    assert group.statistics().waiting == 2
    await asyncio.gather(*calls)
    assert group.statistics() == (1, 2, 0)
