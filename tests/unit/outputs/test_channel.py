"""One lane with a ledger and a store; the whole is in `test_dispatch.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.channel import Channel
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Failure, Part, part_of
from bittern.outputs.port import Message


class Office:
    def __init__(self) -> None:
        self.gone: list[int] = []
        self.failures: list[tuple[int, str, bool]] = []
        self.struck_off: list[int] = []

    def released(self, sequences: Sequence[int]) -> None:
        self.gone += sequences

    def anchored(self, sequences: Sequence[int]) -> None:
        self.gone += sequences

    def struck(self, sequences: Sequence[int]) -> None:
        self.struck_off += sequences

    def failed(self, channel: Channel, part: Part, failure: Failure, direct: bool) -> None:
        self.failures.append((part.sequence, failure.detail, direct))
        if not direct:
            channel.strike([part.sequence])

    def start(self, name: str, work: Callable[[], Any]) -> object:
        return asyncio.ensure_future(work())


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def channel(output: Any, outbox: Any, clock: Any, office: Office) -> AsyncIterator[Channel]:
    bounds = DispatchSettings(page=2, lane_capacity=4, backoff=Backoff(first_s=1))
    ledger = Ledger(
        outbox,
        struck=lambda _: None,
        interval_s=0,
        backoff=Backoff(),
        chance=lambda: 1.0,
        sleep=clock.sleep,
    )
    task = asyncio.create_task(ledger.run())
    channel = Channel(
        "lane",
        output,
        message_of=lambda one: Message("t", one.document, one.message_id),
        topic_of=lambda one: "t",
        owes_nothing=True,
        store=outbox,
        ledger=ledger,
        office=office,
        bounds=bounds,
        now=clock.now,
        chance=lambda: 1.0,
        sleep=clock.sleep,
    )
    yield channel
    await channel.carrier.stop()
    await channel.close()
    task.cancel()


async def test_a_share_in_memory_is_released_when_it_has_arrived(
    channel: Channel, output: Any, outbox: Any, office: Office, make_delivery: Any, settled: Any
) -> None:
    channel.add(make_delivery(1), limit=5)
    await settled()
    assert (output.documents, office.gone) == ([1], [1])
    assert outbox.in_lanes == {}
    assert channel.statistics().delivered == 1


async def test_beyond_its_limit_shares_get_rows_and_arrive_in_order(
    channel: Channel, output: Any, outbox: Any, office: Office, make_delivery: Any, settled: Any
) -> None:
    output.gate.clear()
    for n in range(1, 11):
        channel.add(make_delivery(n), limit=2)
    await settled()
    assert office.gone == list(range(1, 11))
    assert list(outbox.in_lanes["lane"]) == list(range(1, 11))
    assert channel.statistics().in_memory == 4
    output.gate.set()
    for _ in range(8):
        await settled()
    assert output.documents == list(range(1, 11))
    assert outbox.in_lanes["lane"] == {}
    channel.add(make_delivery(11), limit=2)
    await settled()
    assert office.gone[-1] == 11
    assert outbox.in_lanes["lane"] == {}


async def test_anchored_shares_are_struck_off_as_rows(
    channel: Channel,
    output: Any,
    outbox: Any,
    office: Office,
    clock: Any,
    make_delivery: Any,
    settled: Any,
) -> None:
    output.error = DeliveryUnavailable("refused")
    for n in (1, 2):
        channel.add(make_delivery(n, device=n), limit=5)
    await settled()
    assert not channel.statistics().available
    assert channel.statistics().last_failure == "refused"
    channel.anchor()
    assert office.gone == [1, 2]
    await settled()
    assert list(outbox.in_lanes["lane"]) == [1, 2]
    output.error = None
    clock.advance(5)
    channel.carrier.wake()
    await settled()
    assert outbox.in_lanes["lane"] == {}


async def test_failed_shares_and_failed_rows_are_told_apart(
    channel: Channel, output: Any, outbox: Any, office: Office, make_delivery: Any, settled: Any
) -> None:
    for n in (b"1", b"2"):
        output.failures[n] = DeliveryRejected("no")
    channel.add(make_delivery(1), limit=5)
    channel.owe(part_of(make_delivery(2), "lane", "t"))
    await settled(60)
    assert office.failures == [(1, "no", True), (2, "no", False)]
    assert outbox.in_lanes["lane"] == {}
    assert channel.statistics().failed == 2


async def test_a_store_that_cannot_be_read_is_asked_again(
    channel: Channel, output: Any, outbox: Any, clock: Any, make_delivery: Any, settled: Any
) -> None:
    outbox.in_lanes["lane"] = {1: part_of(make_delivery(1), "lane", "t").with_envelope()}
    outbox.fail_next = 1
    channel.look_again()
    await settled()
    clock.advance(2)
    await settled()
    assert output.documents == [1]
