from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.dispatch import Dispatcher, DispatchSettings
from bittern.store.records import Delivery

Make = Callable[..., Delivery]
Settled = Callable[[], Awaitable[None]]


@pytest.fixture
def build(outbox: Any, router: Any, clock: Any) -> Callable[..., Dispatcher]:
    def build(**changes: Any) -> Dispatcher:
        fields = {"strike_interval_s": 0.0, "backoff": Backoff(first_s=1.0)} | changes
        return Dispatcher(
            outbox,
            router,
            now=clock.now,
            chance=lambda: 1.0,
            settings=DispatchSettings(**fields),
            sleep=clock.sleep,
        )

    return build


async def test_offered_message_is_published_and_struck_off(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build() as dispatcher:
        await settled()
        outbox.owe(make_delivery(1))
        dispatcher.offer(make_delivery(1))
        await settled()
        assert output.documents == [1]
        assert output.batches[0][0].topic == "site/meters"
        assert outbox.struck == [[1]]
        assert dispatcher.statistics()["in_memory"] == 0


async def test_what_the_store_owes_at_the_start_is_published_first(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    outbox.owe(*(make_delivery(n) for n in range(1, 6)))
    async with build(page=2, capacity=10) as dispatcher:
        outbox.owe(make_delivery(6))
        dispatcher.offer(make_delivery(6))
        await settled()
        await settled()
    assert output.documents == [1, 2, 3, 4, 5, 6]
    assert outbox.rows == {}


async def test_messages_beyond_the_capacity_wait_in_the_store(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(capacity=4, page=2) as dispatcher:
        await settled()
        output.gate.clear()
        for n in range(1, 21):
            outbox.owe(make_delivery(n, device=n % 3))
            dispatcher.offer(make_delivery(n, device=n % 3))
        await settled()
        assert dispatcher.statistics()["in_memory"] == 4
        output.gate.set()
        for _ in range(20):
            await settled()
        assert outbox.rows == {}
        assert not dispatcher.statistics()["reading_back"]
    for device in range(3):
        own = [n for n in output.documents if n % 3 == device]
        assert own == sorted(own)
    assert sorted(output.documents) == list(range(1, 21))


async def test_dead_output_is_tried_for_ever_and_order_holds(
    build: Any, outbox: Any, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build() as dispatcher:
        await settled()
        output.error = DeliveryUnavailable("connection refused")
        for n in (1, 2):
            outbox.owe(make_delivery(n))
            dispatcher.offer(make_delivery(n))
        for _ in range(50):
            await settled()
            clock.advance(60)
            for carrier in dispatcher._carriers.values():
                carrier.wake()
        assert dispatcher.statistics()["outputs_unavailable"] == 1
        assert dispatcher.statistics()["retried"] > 50
        output.batches.clear()
        output.error = None
        await settled()
        clock.advance(60)
        next(iter(dispatcher._carriers.values())).wake()
        await settled()
        assert output.documents == [1, 2]
        assert outbox.rows == {}


async def test_rejected_message_is_logged_kept_and_blocks_nobody(
    build: Any,
    outbox: Any,
    output: Any,
    clock: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with build(set_aside_s=900) as dispatcher:
        await settled()
        output.failures[b"1"] = DeliveryRejected("payload too large")
        for n in (1, 2):
            outbox.owe(make_delivery(n))
            dispatcher.offer(make_delivery(n))
        await settled()
        assert output.documents == [1, 2]
        assert list(outbox.rows) == [1]
        assert dispatcher.statistics()["set_aside"] == 1
        assert dispatcher.statistics()["in_memory"] == 0
        assert "message_id=m1" in caplog.text
        assert "payload too large" in caplog.text
        output.failures.clear()
        clock.advance(900)
        await settled()
        assert output.documents == [1, 2, 1]
        assert outbox.rows == {}
        assert dispatcher.statistics()["set_aside"] == 0


async def test_rejections_without_end_do_not_fill_the_log(
    build: Any,
    outbox: Any,
    output: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with build(rejections_logged=2) as dispatcher:
        await settled()
        for n in range(1, 10):
            output.failures[b"%d" % n] = DeliveryRejected("too large")
            outbox.owe(make_delivery(n))
            dispatcher.offer(make_delivery(n))
        await settled()
        assert dispatcher.statistics()["rejected"] == 9
    assert caplog.text.count("too large") == 2


async def test_unknown_destination_keeps_its_messages_until_it_is_there(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build() as dispatcher:
        await settled()
        for n in (1, 2):
            outbox.owe(make_delivery(n, destination="later"))
            dispatcher.offer(make_delivery(n, destination="later"))
        outbox.owe(make_delivery(3))
        dispatcher.offer(make_delivery(3))
        await settled()
        assert output.documents == [3]
        assert dispatcher.statistics()["set_aside"] == 2
        router.topics["later"] = "site/later"
        dispatcher.destinations_changed()
        await settled()
        assert output.documents == [3, 1, 2]
        assert outbox.rows == {}


async def test_memory_full_of_retries_leaves_the_others_set_aside(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(capacity=2, page=10) as dispatcher:
        await settled()
        for n in range(1, 6):
            outbox.owe(make_delivery(n, device=n, destination="later"))
            dispatcher.offer(make_delivery(n, device=n, destination="later"))
            await settled()
        assert dispatcher.statistics()["set_aside"] == 5
        router.topics["later"] = "site/later"
        for _ in range(4):
            dispatcher.destinations_changed()
            await settled()
        assert sorted(output.documents) == [1, 2, 3, 4, 5]


async def test_changed_topic_is_used_for_the_next_message(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build() as dispatcher:
        await settled()
        dispatcher.offer(make_delivery(1))
        await settled()
        router.topics["meters"] = "other"
        dispatcher.destinations_changed()
        await settled()
        dispatcher.offer(make_delivery(2))
        await settled()
    assert [batch[0].topic for batch in output.batches] == ["site/meters", "other"]


async def test_destination_is_looked_up_once_for_many_messages_and_again_with_age(
    build: Any, router: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(route_age_s=10) as dispatcher:
        await settled()
        for n in range(1, 50):
            dispatcher.offer(make_delivery(n))
        await settled()
        assert router.lookups == 1
        clock.advance(11)
        dispatcher.offer(make_delivery(50))
        await settled()
        assert router.lookups == 2


async def test_store_that_cannot_be_read_is_asked_again(
    build: Any,
    outbox: Any,
    output: Any,
    router: Any,
    clock: Any,
    make_delivery: Make,
    settled: Settled,
) -> None:
    outbox.owe(make_delivery(1))
    outbox.fail_next = 1
    router.fail_next = 1
    async with build():
        for _ in range(4):
            await settled()
            clock.advance(2)
        await settled()
        assert output.documents == [1]


async def test_delivered_message_that_could_not_be_struck_off_is_not_sent_again(
    build: Any, outbox: Any, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build() as dispatcher:
        await settled()
        outbox.owe(make_delivery(1))
        outbox.fail_next = 1
        dispatcher.offer(make_delivery(1))
        await settled()
        assert list(outbox.rows) == [1]
        assert dispatcher.statistics()["in_memory"] == 1
        clock.advance(2)
        await settled()
        assert outbox.rows == {}
        assert output.documents == [1]


async def test_slow_output_does_not_hold_the_caller(
    build: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(capacity=10, drain_s=0.01) as dispatcher:
        await settled()
        output.gate.clear()
        for n in range(1, 1001):
            dispatcher.offer(make_delivery(n, device=n))
        await settled()
        assert dispatcher.statistics()["in_memory"] == 10


async def test_stop_lets_what_is_under_way_arrive(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    dispatcher = build()
    async with dispatcher:
        await settled()
        outbox.owe(make_delivery(1))
        dispatcher.offer(make_delivery(1))
    assert output.documents == [1]
    assert outbox.rows == {}
    dispatcher.offer(make_delivery(2))
    await settled()
    assert output.documents == [1]


async def test_stop_does_not_wait_for_a_dead_output(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(drain_s=60) as dispatcher:
        await settled()
        output.error = DeliveryUnavailable("connection refused")
        outbox.owe(make_delivery(1))
        dispatcher.offer(make_delivery(1))
    assert list(outbox.rows) == [1]


async def test_stop_gives_a_slow_output_no_more_than_its_time(
    build: Any,
    outbox: Any,
    output: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with build(drain_s=0.01) as dispatcher:
        await settled()
        output.gate.clear()
        outbox.owe(make_delivery(1))
        dispatcher.offer(make_delivery(1))
    assert list(outbox.rows) == [1]
    assert "left_in_store=1" in caplog.text


async def test_redelivery_after_a_crash_is_in_order(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
) -> None:
    """Killed between delivery and striking off: all owed go out again, none before its elder."""
    outbox.owe(*(make_delivery(n, device=n % 2) for n in range(1, 9)))
    async with build():
        await settled()
    for device in range(2):
        own = [n for n in output.documents if n % 2 == device]
        assert own == [n for n in range(1, 9) if n % 2 == device]
