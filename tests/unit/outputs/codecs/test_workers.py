from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from bittern.errors import CodecError
from bittern.outputs.codecs import workers as module
from bittern.outputs.codecs.workers import CodecWorkers

ECHO = "function decodeUplink(i) { return i.fPort; }"
LOOP = "function decodeUplink(i) { if (i.fPort == 9) for (;;); return i.fPort; }"


def port(number: int) -> str:
    return f'{{"fPort":{number}}}'


@pytest.fixture
async def workers() -> AsyncIterator[CodecWorkers]:
    async with CodecWorkers(processes=1, call_s=0.05) as running:
        yield running


def process_id(workers: CodecWorkers) -> int:
    transport = workers._processes[0]._transport
    assert transport is not None
    pid = transport.get_pid()
    assert pid is not None
    return pid


async def test_calls_are_answered_each_its_own(workers: CodecWorkers) -> None:
    answers = await asyncio.gather(
        *(workers.call(ECHO, "decodeUplink", port(number)) for number in range(50))
    )
    assert answers == [str(number).encode() for number in range(50)]
    assert workers.statistics() == {"waiting": 0, "killed": 0}


async def test_a_loop_costs_its_own_call_only(workers: CodecWorkers) -> None:
    asked = [workers.call(LOOP, "decodeUplink", port(number)) for number in (1, 9, 2)]
    first, looped, last = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, last) == (b"1", b"2")
    assert isinstance(looped, CodecError) and looped.kind == "time"


async def test_a_process_that_dies_costs_the_call_it_was_at(workers: CodecWorkers) -> None:
    await workers.call(ECHO, "decodeUplink", port(1))
    before = process_id(workers)
    os.kill(before, signal.SIGSTOP)  # so that it is at none of them yet
    asked = [
        asyncio.create_task(workers.call(ECHO, "decodeUplink", port(number))) for number in range(4)
    ]
    await asyncio.sleep(0)
    os.kill(before, signal.SIGKILL)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[0], CodecError) and answers[0].kind == "crash"
    assert answers[1:] == [b"1", b"2", b"3"]
    assert process_id(workers) != before


async def test_a_process_that_hangs_is_killed(
    workers: CodecWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workers.call(ECHO, "decodeUplink", port(1))
    monkeypatch.setattr(module, "LOAD_S", 0.0)
    os.kill(process_id(workers), signal.SIGSTOP)
    with pytest.raises(CodecError) as caught:
        await workers.call(ECHO, "decodeUplink", port(1))
    assert caught.value.kind == "crash"
    assert workers.statistics()["killed"] == 1
    assert await workers.call(ECHO, "decodeUplink", port(2)) == b"2"


async def test_scripts_that_were_put_away_are_sent_again(workers: CodecWorkers) -> None:
    for number in [*range(40), *range(40)]:
        source = f"{ECHO} // {number}"
        assert await workers.call(source, "decodeUplink", port(number)) == str(number).encode()


async def test_too_many_calls_are_refused_at_once(
    workers: CodecWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    asked = [workers.call(ECHO, "decodeUplink", port(number)) for number in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers[:2] == [b"0", b"1"]
    assert isinstance(answers[2], CodecError) and answers[2].kind == "busy"


async def test_whoever_stops_waiting_takes_nothing_from_others(workers: CodecWorkers) -> None:
    given_up = asyncio.create_task(workers.call(ECHO, "decodeUplink", port(1)))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await workers.call(ECHO, "decodeUplink", port(2)) == b"2"


async def test_the_end_leaves_no_process_and_nobody_waiting() -> None:
    async with CodecWorkers(processes=1) as workers:
        await workers.call(ECHO, "decodeUplink", port(1))
        pid = process_id(workers)
        os.kill(pid, signal.SIGSTOP)
        asked = asyncio.create_task(workers.call(ECHO, "decodeUplink", port(1)))
        await asyncio.sleep(0)
    with pytest.raises(CodecError):
        await asked
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_nothing_is_started_for_nobody() -> None:
    async with CodecWorkers() as workers:
        assert workers._processes[0]._transport is None


async def test_processes_know_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITTERN_MQTT__PASSWORD", "x")
    async with CodecWorkers(processes=1) as workers:
        zone = "function decodeUplink() { return new Date(0).getHours(); }"
        assert await workers.call(zone, "decodeUplink", "{}") == b"0"
        with open(f"/proc/{process_id(workers)}/environ", "rb") as environment:
            assert b"BITTERN" not in environment.read()
