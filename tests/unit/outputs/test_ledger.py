from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bittern.outputs.backoff import Backoff
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import part_of


@pytest.fixture
def struck() -> list[list[int]]:
    return []


@pytest.fixture
async def ledger(outbox: Any, clock: Any, struck: list[list[int]]) -> AsyncIterator[Ledger]:
    ledger = Ledger(
        outbox,
        struck=struck.append,
        interval_s=0,
        backoff=Backoff(first_s=1),
        chance=lambda: 1.0,
        sleep=clock.sleep,
    )
    task = asyncio.create_task(ledger.run())
    yield ledger
    task.cancel()


async def test_what_comes_together_is_written_together(
    ledger: Ledger, outbox: Any, struck: list[list[int]], make_delivery: Any
) -> None:
    outbox.owe(make_delivery(1), make_delivery(2))
    told: list[str] = []
    ledger.owe(part_of(make_delivery(1), "a", "").with_envelope())
    ledger.then(lambda: told.append(f"{list(outbox.in_lanes['a'])}"))
    ledger.delivered([1, 2])
    await ledger.until_written()
    assert outbox.rows == {}
    assert struck == [[1, 2]]
    assert told == ["[1]"]
    ledger.delivered_in("a", [1])
    await ledger.until_written()
    assert outbox.in_lanes["a"] == {}


async def test_what_the_store_did_not_take_is_written_again_in_order(
    ledger: Ledger, outbox: Any, clock: Any, struck: list[list[int]], settled: Any
) -> None:
    outbox.fail_next = 2
    ledger.delivered([1])
    await settled()
    ledger.delivered([2])
    assert struck == []
    for _ in range(3):
        clock.advance(4)
        await settled()
    assert struck == [[1], [2]]
    assert ledger.idle


async def test_nothing_is_written_where_there_is_nothing(ledger: Ledger, outbox: Any) -> None:
    told: list[int] = []
    ledger.then(lambda: told.append(1))
    await ledger.until_written()
    assert told == [1]
    assert outbox.struck == []


async def test_a_fault_of_its_own_is_loud_and_the_page_is_written_later(
    ledger: Ledger,
    outbox: Any,
    clock: Any,
    struck: list[list[int]],
    settled: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivered = outbox.delivered

    async def broken(_: list[int]) -> None:
        raise KeyError("no such key")

    outbox.delivered = broken
    ledger.delivered([1])
    await settled()
    assert ledger.fault == "what was delivered is not written down: KeyError('no such key')"
    assert caplog.records[0].exc_info
    outbox.delivered = delivered
    clock.advance(1)
    await ledger.until_written()
    assert ledger.fault == ""
    assert struck == [[1]]


async def test_who_fails_to_take_note_keeps_nobody_else_from_it(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise KeyError("unknown")

    told: list[int] = []
    ledger.then(broken)
    ledger.then(lambda: told.append(1))
    await ledger.until_written()
    assert told == [1]
    ledger.then(lambda: told.append(2))
    await ledger.until_written()
    assert told == [1, 2]
    assert "KeyError" in ledger.fault
    assert "restarted" in caplog.text
