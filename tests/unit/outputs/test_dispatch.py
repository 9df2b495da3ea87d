from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.dispatch import Dispatcher, DispatchSettings
from bittern.outputs.parts import opened, part_of
from bittern.store.records import Delivery
from bittern.types import Instant

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


async def test_dead_output_is_tried_again_and_again_and_order_holds(
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
            for channel in dispatcher._channels:
                channel.carrier.wake()
        assert dispatcher.statistics()["outputs_unavailable"] == 1
        assert dispatcher.statistics()["retried"] > 50
        output.batches.clear()
        output.error = None
        await settled()
        clock.advance(60)
        next(iter(dispatcher._channels)).carrier.wake()
        await settled()
        assert output.documents == [1, 2]
        assert outbox.rows == {}


async def test_rejected_message_is_logged_buried_and_blocks_nobody(
    build: Any,
    outbox: Any,
    output: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with build() as dispatcher:
        await settled()
        output.failures[b"1"] = DeliveryRejected("payload too large")
        for n in (1, 2):
            outbox.owe(make_delivery(n))
            dispatcher.offer(make_delivery(n))
        await settled()
        assert output.documents == [1, 2]
        assert outbox.rows == {}
        assert dispatcher.statistics()["dead_letters"] == 1
        assert dispatcher.statistics()["in_memory"] == 0
    [letter] = outbox.letters
    assert (letter.owed_as, letter.lane, letter.reason) == (1, "mqtt", "rejected")
    assert (letter.detail, letter.attempts, letter.failed_at) == ("payload too large", 1, 1000.0)
    assert opened(letter.document).document == b"1"
    assert opened(letter.document).topic == "site/meters"
    assert "message_id=m1" in caplog.text
    assert "payload too large" in caplog.text


async def test_rejections_without_end_do_not_fill_the_log(
    build: Any,
    outbox: Any,
    output: Any,
    make_delivery: Make,
    settled: Settled,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with build(failures_logged=2) as dispatcher:
        await settled()
        for n in range(1, 10):
            output.failures[b"%d" % n] = DeliveryRejected("too large")
            outbox.owe(make_delivery(n))
            dispatcher.offer(make_delivery(n))
        await settled()
        assert dispatcher.statistics()["failed"] == 9
    assert caplog.text.count("too large") == 2


async def test_messages_of_an_unknown_destination_are_buried_as_they_were_owed(
    build: Any, outbox: Any, output: Any, make_delivery: Make, settled: Settled
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
    assert outbox.rows == {}
    assert [(one.owed_as, one.lane, one.document) for one in outbox.letters] == [
        (1, "", b"1"),
        (2, "", b"2"),
    ]
    assert {one.reason for one in outbox.letters} == {"destination_not_found"}


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


# Rules

ALL = "SELECT VALUE * FROM '#'"


async def offer(dispatcher: Dispatcher, outbox: Any, *deliveries: Delivery) -> None:
    for one in deliveries:
        outbox.owe(one)
        dispatcher.offer(one)


async def test_a_destination_that_names_a_rule_goes_to_its_actions(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("odd", "SELECT VALUE * WHERE mod(*, 2) = 1", "lake", "pond")
    router.by_rule["meters"] = "odd"
    router.topics.clear()
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, *(make_delivery(n) for n in range(1, 6)))
        await settled()
        assert router.outputs["lake"].documents == [1, 3, 5]
        assert router.outputs["pond"].documents == [1, 3, 5]
        assert router.outputs["lake"].batches[0][0].message_id == "m1"
        assert outbox.rows == outbox.in_lanes == {}
        assert outbox.letters == []
        assert sorted(dispatcher.lanes()) == [
            "000000000000/odd/0/record",
            "000000000000/odd/1/record",
        ]
    assert output.batches == []
    assert not router.outputs["lake"].is_open


async def test_a_published_message_is_seen_by_rules_whose_from_matches(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("site", "SELECT topic(2) AS kind FROM 'site/+'", "lake")
    router.add_rule("other", "SELECT * FROM 'house/+'", "pond")
    router.add_rule("off", "SELECT * FROM 'site/+'", "pond", enabled=False)
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        await settled()
    assert output.documents == [1]
    assert router.outputs["lake"].batches[0][0].payload == b'{"kind":"meters"}'
    assert "pond" not in router.outputs
    assert outbox.rows == {}


async def test_templates_are_filled_in_from_the_original_message(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    action = {"record": {"to": "lake", "key": "${id}/${@day}", "plain": "same"}}
    router.add_rule("r", "SET @day = 'monday' SELECT 7 AS n", actions=(action,))
    router.by_rule["meters"] = "r"
    router.topics.clear()
    message = msgspec.structs.replace(make_delivery(1), document=b'{"id": "a"}')
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, message)
        await settled()
    [[published]] = router.outputs["lake"].batches
    assert published.payload == b'{"n":7}'
    assert published.parameters == {"key": "a/monday", "plain": "same"}


@pytest.mark.parametrize("reason", ["rule_not_found", "rule_disabled", "rule_unusable"])
async def test_without_a_rule_that_works_messages_are_buried(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled, reason: str
) -> None:
    if reason == "rule_disabled":
        router.add_rule("r", ALL, "lake", enabled=False)
    elif reason == "rule_unusable":
        router.add_rule("r", "SELECT FROM", "lake")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        await settled()
    [letter] = outbox.letters
    assert (letter.reason, letter.lane, letter.document) == (reason, "", b"1")
    assert outbox.rows == {}


async def test_a_dead_action_delays_only_itself_and_gets_rows_of_its_own(
    build: Any, outbox: Any, router: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", ALL, "lake", "pond")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lane = "000000000000/r/1/record"
    async with build(capacity=64, page=8, lane_capacity=8) as dispatcher:
        await settled()
        pond = router.outputs["pond"] = type(router.broker)("pond")
        pond.error = DeliveryUnavailable("connection refused")
        for n in range(1, 301):
            await offer(dispatcher, outbox, make_delivery(n, device=n % 3))
            if n % 10 == 0:
                clock.advance(1)
                await settled()
        await settled()
        assert len(router.outputs["lake"].documents) == 300
        assert outbox.rows == {}
        assert len(outbox.in_lanes[lane]) == 300
        assert dispatcher.statistics()["in_memory"] == 0
        assert dispatcher.lanes()[lane].in_memory < 300
        pond.batches.clear()
        pond.error = None
        for _ in range(200):
            clock.advance(60)
            next(one for one in dispatcher._channels if one.lane == lane).carrier.wake()
            await settled()
        assert outbox.in_lanes[lane] == {}
    for device in range(3):
        own = [n for n in pond.documents if n % 3 == device]
        assert own == sorted(own)
    assert sorted(pond.documents) == list(range(1, 301))


async def test_rows_of_a_lane_are_delivered_after_a_restart_before_newer_messages(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", ALL, "lake")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lane = "000000000000/r/0/record"
    rows = [part_of(make_delivery(n), lane, "").with_envelope() for n in (1, 2)]
    outbox.in_lanes[lane] = {one.sequence: one for one in rows}
    outbox.owe(make_delivery(3))
    async with build() as dispatcher:
        await offer(dispatcher, outbox, make_delivery(4))
        await settled()
    assert router.outputs["lake"].documents == [1, 2, 3, 4]
    assert outbox.in_lanes[lane] == outbox.rows == {}


async def test_a_rejected_message_goes_to_the_error_action(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    errors = {"record": {"to": "errors", "key": "${*}"}}
    router.add_rule("r", ALL, "lake", "pond", error_action=errors)
    router.by_rule["meters"] = "r"
    router.topics.clear()
    for name in ("lake", "pond"):
        router.outputs[name] = type(router.broker)(name)
        router.outputs[name].failures[b"1"] = DeliveryRejected(f"not into the {name}")
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1), make_delivery(2))
        await settled()
        assert dispatcher.statistics()["error_actions"] == 1
    assert router.outputs["lake"].documents == [1, 2]
    [[told]] = router.outputs["errors"].batches
    assert told.parameters == {"key": "1"}
    document = msgspec.json.decode(told.payload)
    assert document.pop("cloudwatchTraceId") == "m1"
    assert document == {
        "ruleName": "r",
        "topic": "$aws/rules/r",
        "clientId": "",
        "base64OriginalPayload": "MQ==",
        "failures": [
            {
                "failedAction": "RecordAction",
                "failedResource": "",
                "errorMessage": f"not into the {name}",
            }
            for name in ("lake", "pond")
        ],
    }
    assert outbox.letters == []
    assert outbox.rows == {}
    assert not any(outbox.in_lanes.values())


@pytest.mark.parametrize("away_fails", [True, False])
async def test_an_action_with_rows_of_its_own_does_not_have_the_error_action_told_twice(
    build: Any,
    outbox: Any,
    router: Any,
    clock: Any,
    make_delivery: Make,
    settled: Settled,
    away_fails: bool,
) -> None:
    router.add_rule("r", ALL, "lake", "pond", error_action={"record": {"to": "errors"}})
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lake, pond = (
        router.outputs.setdefault(one, type(router.broker)(one)) for one in ("lake", "pond")
    )
    lane = "000000000000/r/1/record"
    lake.failures[b"1"] = DeliveryRejected("not into the lake")
    lake.gate.clear()
    pond.error = DeliveryUnavailable("connection refused")
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        for _ in range(15):
            clock.advance(1)
            await settled()
        assert list(outbox.in_lanes[lane]) == [1]
        lake.gate.set()
        await settled()
        assert outbox.rows == {}
        # One is known to have failed, which the store still owes; the other may yet arrive.
        assert list(outbox.in_lanes["000000000000/r/0/record"]) == [1]
        assert dispatcher.statistics()["error_actions"] == 0
        pond.error = None
        if away_fails:
            pond.failures[b"1"] = DeliveryRejected("not into the pond")
        for _ in range(5):
            clock.advance(60)
            next(one for one in dispatcher._channels if one.lane == lane).carrier.wake()
            await settled()
        assert dispatcher.statistics()["error_actions"] == 1
    [[told]] = router.outputs["errors"].batches
    failures = [one["errorMessage"] for one in msgspec.json.decode(told.payload)["failures"]]
    assert failures == ["not into the lake"] + ["not into the pond"] * away_fails
    assert outbox.letters == []
    assert not any(outbox.in_lanes.values())


@pytest.mark.parametrize("with_row", [0, 1])
async def test_failures_that_were_waited_for_at_a_crash_are_told_once_after_the_restart(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled, with_row: int
) -> None:
    router.add_rule("r", ALL, "lake", "pond", error_action={"record": {"to": "errors"}})
    router.by_rule["meters"] = "r"
    router.topics.clear()
    for name in ("lake", "pond"):
        router.outputs[name] = type(router.broker)(name)
        router.outputs[name].failures[b"1"] = DeliveryRejected(f"not into the {name}")
    lane = f"000000000000/r/{with_row}/record"
    outbox.in_lanes[lane] = {1: part_of(make_delivery(1), lane, "").with_envelope()}
    # The crash came between the row of one share and the end of the other.
    outbox.owe(make_delivery(1))
    async with build() as dispatcher:
        for _ in range(5):
            await settled()
        assert dispatcher.statistics()["error_actions"] == 1
    [[told]] = router.outputs["errors"].batches
    failures = [one["errorMessage"] for one in msgspec.json.decode(told.payload)["failures"]]
    assert failures == ["not into the lake", "not into the pond"]
    assert not any(outbox.in_lanes.values())


async def test_a_fault_of_its_own_is_told_and_nothing_ends_by_it(
    build: Any, outbox: Any, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    struck = outbox.delivered

    async def broken(sequences: Sequence[int]) -> None:
        raise ZeroDivisionError

    async with build() as dispatcher:
        await settled()
        outbox.delivered = broken
        await offer(dispatcher, outbox, make_delivery(1))
        await settled()
        assert not dispatcher.health().working
        assert "ZeroDivisionError()" in dispatcher.health().detail
        outbox.delivered = struck
        clock.advance(1)
        await settled()
        assert dispatcher.health().working
        assert outbox.rows == {}
    assert output.documents == [1]


async def test_reading_back_begins_again_after_a_fault(
    build: Any, outbox: Any, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    owed = outbox.owed
    outbox.owe(make_delivery(1))

    async def broken(*_: object) -> list[Any]:
        raise ZeroDivisionError

    outbox.owed = broken
    async with build() as dispatcher:
        await settled()
        assert dispatcher.health().detail == "read back owed messages: ZeroDivisionError()"
        outbox.owed = owed
        clock.advance(1)
        await settled()
        assert output.documents == [1]
        assert not dispatcher.health().working
        clock.advance(301)
        assert dispatcher.health().working


async def test_where_the_error_action_fails_too_the_first_actions_are_buried(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", ALL, "lake", error_action={"record": {"to": "errors"}})
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lake = router.outputs["lake"] = type(router.broker)("lake")
    lake.failures[b"1"] = DeliveryRejected("no such lake")
    errors = router.outputs["errors"] = type(router.broker)("errors")
    errors.publish = _rejecting
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        await settled()
    [letter] = outbox.letters
    assert (letter.lane, letter.rule) == ("000000000000/r/0/record", "r")
    assert letter.detail == "no such lake; error action: nor this"
    assert letter.action == "1 record"
    assert opened(letter.document).document == b"1"
    assert not any(outbox.in_lanes.values())


async def _rejecting(messages: Sequence[Any]) -> dict[int, DeliveryRejected]:
    return {place: DeliveryRejected("nor this") for place in range(len(messages))}


async def test_a_message_that_a_rule_cannot_evaluate_is_given_up(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", "SELECT aws_lambda('arn', *) AS x", "lake")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        await settled(100)
    [letter] = outbox.letters
    assert (letter.reason, letter.rule, letter.lane) == ("evaluation", "r", "")
    assert "aws_lambda" in letter.detail
    assert outbox.rows == {}


async def test_what_failed_for_too_long_is_given_up(
    build: Any, outbox: Any, output: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    async with build(give_up_s=3600) as dispatcher:
        await settled()
        output.error = DeliveryUnavailable("connection refused")
        old = msgspec.structs.replace(make_delivery(1), created_at=Instant(clock.at))
        new = msgspec.structs.replace(make_delivery(2), created_at=Instant(clock.at + 3600))
        await offer(dispatcher, outbox, old, new)
        await settled()
        clock.advance(3601)
        next(iter(dispatcher._channels)).carrier.wake()
        await settled()
        assert list(outbox.rows) == [2]
    [letter] = outbox.letters
    assert (letter.owed_as, letter.reason, letter.attempts) == (1, "gave_up", 2)


async def test_a_removed_rule_buries_what_its_actions_are_owed(
    build: Any, outbox: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", ALL, "lake")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lake = router.outputs["lake"] = type(router.broker)("lake")
    lake.gate.clear()
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1), make_delivery(2, device=2))
        await settled()
        await offer(dispatcher, outbox, make_delivery(3))
        router.records.clear()
        dispatcher.rules_changed()
        await settled()
        lake.gate.set()
        await settled()
        assert not lake.is_open
        await offer(dispatcher, outbox, make_delivery(4))
        await settled()
    assert lake.documents == [1, 2]
    assert [(one.owed_as, one.reason) for one in outbox.letters] == [
        (3, "rule_not_found"),
        (4, "rule_not_found"),
    ]
    assert outbox.rows == {}


async def test_a_changed_action_is_used_for_what_it_is_owed_already(
    build: Any, outbox: Any, router: Any, clock: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", ALL, "lake")
    router.by_rule["meters"] = "r"
    router.topics.clear()
    lake = router.outputs["lake"] = type(router.broker)("lake")
    lake.error = DeliveryUnavailable("gone dry")
    async with build() as dispatcher:
        await settled()
        await offer(dispatcher, outbox, make_delivery(1))
        await settled()
        router.add_rule("r", ALL, "pond")
        dispatcher.rules_changed()
        await settled()
        clock.advance(60)
        next(iter(dispatcher._channels)).carrier.wake()
        await settled()
    assert router.outputs["pond"].documents == [1]
    assert outbox.rows == {}


async def test_replayed_messages_are_found(
    build: Any, outbox: Any, output: Any, router: Any, make_delivery: Make, settled: Settled
) -> None:
    router.add_rule("r", "SELECT VALUE *", "lake")
    lane = "000000000000/r/0/record"
    async with build() as dispatcher:
        await settled()
        outbox.owe(make_delivery(5))
        outbox.in_lanes[lane] = {6: part_of(make_delivery(6), lane, "").with_envelope()}
        dispatcher.replayed("")
        dispatcher.replayed(lane)
        await settled()
        outbox.in_lanes[lane][8] = part_of(make_delivery(8), lane, "").with_envelope()
        dispatcher.replayed(lane)
        await settled()
    assert output.documents == [5]
    assert router.outputs["lake"].documents == [6, 8]
