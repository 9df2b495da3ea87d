"""Work beside the connections: finished or cancelled, and never silently broken."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bittern.errors import StoreUnavailable
from bittern.servers.background import Background, task


async def test_short_work_in_the_background_is_finished_at_the_end() -> None:
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    async with Background() as background:
        background.start(work(), "work")
    assert done.is_set()


async def test_repeated_work_goes_on_after_a_fault_and_ends_with_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = 0
    often = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            often.set()
        raise StoreUnavailable("disk full")

    with caplog.at_level(logging.ERROR):
        async with Background() as background:
            background.repeat(work, 0.0, "renew")
            await often.wait()
    assert "disk full" in caplog.text
    assert "renew" in caplog.text


async def test_repeated_work_may_be_a_plain_function(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0
    often = asyncio.Event()

    def work() -> bool:
        nonlocal runs
        runs += 1
        if runs == 3:
            often.set()
        if runs == 1:
            raise StoreUnavailable("disk full")
        return True

    with caplog.at_level(logging.ERROR):
        async with Background() as background:
            background.repeat(work, 0.0, "follow")
            await often.wait()
    assert [record.getMessage() for record in caplog.records] == [
        "task='follow' reason='store unavailable: disk full'"
    ]


async def test_a_task_is_cancelled_when_its_context_ends() -> None:
    cancelled = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with task(forever(), "forever"):
        await asyncio.sleep(0)
    assert cancelled.is_set()
