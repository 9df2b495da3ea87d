from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.carrier import Carrier
from bittern.outputs.lane import Lane, Outcome
from bittern.outputs.port import Message
from bittern.store.records import Delivery

Make = Callable[..., Delivery]
Settled = Callable[[], Awaitable[None]]


@pytest.fixture
def outcomes() -> list[Outcome]:
    return []


@pytest.fixture
async def carrier(output: Any, clock: Any, outcomes: list[Outcome]) -> Any:
    topics = {"meters": "site/meters"}
    carrier = Carrier(
        output,
        Lane(Backoff(first_s=1.0), lambda: 1.0),
        message_of=lambda delivery: (
            Message(topics[delivery.destination], delivery.document, delivery.message_id)
            if delivery.destination in topics
            else None
        ),
        settled=outcomes.append,
        now=clock.now,
        limit_s=5.0,
    )
    yield carrier
    await carrier.stop()


async def test_messages_of_one_turn_go_out_in_one_batch(
    carrier: Carrier, output: Any, outcomes: list[Outcome], make_delivery: Make, settled: Settled
) -> None:
    for sequence in (1, 2, 3):
        carrier.add(make_delivery(sequence, device=sequence))
    await settled()
    assert [len(batch) for batch in output.batches] == [3]
    assert output.batches[0][0].topic == "site/meters"
    assert [one.sequence for one in outcomes[0].delivered] == [1, 2, 3]


async def test_dead_output_is_tried_again_after_its_delay(
    carrier: Carrier, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    output.error = DeliveryUnavailable("connection refused")
    carrier.add(make_delivery(1))
    await settled()
    carrier.wake()
    await settled()
    assert len(output.batches) == 1
    assert not carrier.available
    output.error = None
    clock.advance(1)
    carrier.wake()
    await settled()
    assert len(output.batches) == 2
    assert carrier.available
    assert carrier.attempts_failed == 1


async def test_dead_output_is_logged_once(
    carrier: Carrier,
    output: Any,
    clock: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    output.error = DeliveryUnavailable("connection refused")
    carrier.add(make_delivery(1))
    for _ in range(3):
        await settled()
        clock.advance(60)
        carrier.wake()
    output.error = None
    clock.advance(60)
    await settled()
    carrier.wake()
    await settled()
    assert len(output.batches) > 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "connection refused" in caplog.text


async def test_error_of_the_output_itself_loses_nothing(
    carrier: Carrier,
    output: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    output.error = ZeroDivisionError("bug")
    carrier.add(make_delivery(1))
    await settled()
    assert carrier.lane.queued == 1
    assert "ZeroDivisionError" in caplog.text


async def test_message_whose_destination_is_gone_is_rejected_and_others_go(
    carrier: Carrier, output: Any, outcomes: list[Outcome], make_delivery: Make, settled: Settled
) -> None:
    output.failures[b"3"] = DeliveryRejected("too large")
    carrier.add(make_delivery(1, device=1, destination="gone"))
    carrier.add(make_delivery(2, device=2))
    carrier.add(make_delivery(3, device=3))
    await settled()
    assert output.documents == [2, 3]
    assert [one.sequence for one in outcomes[0].delivered] == [2]
    assert [(one.sequence, reason) for one, reason, _ in outcomes[0].rejected] == [
        (1, "its destination is gone"),
        (3, "too large"),
    ]


async def test_idle_waits_for_what_is_under_way_and_not_for_a_retry(
    carrier: Carrier, output: Any, make_delivery: Make
) -> None:
    await carrier.idle()
    output.error = DeliveryUnavailable("down")
    carrier.add(make_delivery(1))
    await carrier.idle()
    assert len(output.batches) == 1
    assert carrier.lane.queued == 1


async def test_stop_gives_up_what_is_under_way(
    carrier: Carrier, output: Any, outcomes: list[Outcome], make_delivery: Make, settled: Settled
) -> None:
    output.gate.clear()
    carrier.add(make_delivery(1))
    await settled()
    await carrier.stop()
    assert len(output.batches) == 1
    assert outcomes == []


async def test_an_output_that_puts_every_message_off_by_itself_is_away(
    carrier: Carrier, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    for n in (b"1", b"2"):
        output.failures[n] = DeliveryUnavailable("throttled")
    carrier.add(make_delivery(1))
    await settled()
    assert (carrier.unavailable_since, carrier.last_failure) == (1000.0, "throttled")
    carrier.add(make_delivery(2, device=2))
    carrier.add(make_delivery(3, device=3))
    await settled()
    assert carrier.available
