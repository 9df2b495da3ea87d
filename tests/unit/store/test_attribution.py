"""Whose write it is."""

from __future__ import annotations

import asyncio

from bittern.store.attribution import attributed, current
from bittern.store.audit_records import AuditRecord
from bittern.testing.examples import NOW

RECORD = AuditRecord(at=NOW, actor="cli:ada", action="cli:x", outcome="done")


def test_a_record_is_taken_once() -> None:
    assert current() is None
    with attributed(RECORD) as attribution:
        assert current() is attribution
        assert attribution.take() == RECORD
        assert attribution.take() is None
    assert current() is None


def test_a_write_that_came_to_nothing_gives_its_record_back() -> None:
    with attributed(RECORD) as attribution:
        taken = attribution.take()
        assert taken is not None
        attribution.give_back(taken)
        assert attribution.take() == RECORD


async def test_work_that_outlives_its_context_adds_nothing() -> None:
    go_on = asyncio.Event()

    async def later() -> AuditRecord | None:
        await go_on.wait()
        attribution = current()
        assert attribution is not None
        return attribution.take()

    with attributed(RECORD):
        work = asyncio.create_task(later())
        await asyncio.sleep(0)
    go_on.set()
    assert await work is None


async def test_tasks_have_attributions_of_their_own() -> None:
    async def attribute() -> bool:
        with attributed(RECORD) as mine:
            await asyncio.sleep(0)
            return current() is mine

    assert await asyncio.gather(*(attribute() for _ in range(10))) == [True] * 10
    assert current() is None
