from __future__ import annotations

import asyncio
import contextlib

import pytest

from bittern.errors import StoreUnavailable
from bittern.network.agenda import Agenda
from bittern.types import Instant


class Clock:
    def __init__(self) -> None:
        self.time = Instant(100.0)

    def __call__(self) -> Instant:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def noting(done: list[str], name: str):
    async def action() -> None:
        done.append(name)

    return action


async def test_things_are_done_in_order_of_their_time(clock):
    agenda, done = Agenda(clock), []
    for name, at in (("later", 102.0), ("sooner", 101.0), ("much later", 110.0)):
        agenda.at(Instant(at), name, noting(done, name))
    assert agenda.next_timer() == 101.0
    clock.time = Instant(103.0)
    await agenda.fire()
    assert done == ["sooner", "later"]
    assert (agenda.next_timer(), len(agenda)) == (110.0, 1)


async def test_what_is_noted_meanwhile_for_now_is_done_too(clock):
    agenda, done = Agenda(clock), []

    async def first() -> None:
        agenda.soon("second", noting(done, "second"))

    agenda.soon("first", first)
    await agenda.fire()
    assert done == ["second"]


async def test_what_is_struck_off_is_not_done(clock):
    agenda, done = Agenda(clock), []
    agenda.soon("struck off", noting(done, "struck off")).cancel()
    agenda.soon("kept", noting(done, "kept"))
    assert len(agenda) == 1
    await agenda.fire()
    assert done == ["kept"]
    assert agenda.next_timer() is None


async def test_a_fault_in_one_is_told_and_does_not_stop_the_others(clock, caplog):
    agenda, done = Agenda(clock), []

    async def broken() -> None:
        raise RuntimeError("ours")

    async def unlucky() -> None:
        raise StoreUnavailable("disk full")

    for name, action in (("broken", broken), ("unlucky", unlucky), ("fine", noting(done, "fine"))):
        agenda.soon(name, action)
    await agenda.fire()
    assert done == ["fine"]
    assert "task='broken' failed" in caplog.text
    assert "disk full" in caplog.text


async def test_its_task_wakes_for_what_is_noted_while_it_sleeps():
    loop = asyncio.get_running_loop()
    agenda, done = Agenda(lambda: Instant(loop.time())), asyncio.Event()

    async def finish() -> None:
        done.set()

    running = asyncio.create_task(agenda.run())
    await asyncio.sleep(0)
    agenda.at(Instant(loop.time() + 3600), "far away", finish)
    await asyncio.sleep(0)
    assert not done.is_set()
    agenda.soon("now", finish)
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_is_under_way_is_finished_when_its_task_ends():
    loop = asyncio.get_running_loop()
    agenda, done = Agenda(lambda: Instant(loop.time())), []
    started, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        started.set()
        await may_end.wait()
        done.append("slow")

    running = asyncio.create_task(agenda.run())
    agenda.soon("slow", slow)
    await asyncio.wait_for(started.wait(), 5)
    running.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert done == ["slow"]
