"""Waiting for the other actions of a rule; with lanes and outputs in `test_dispatch.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.outputs.actions import ReadyRule
from bittern.outputs.backoff import Backoff
from bittern.outputs.gathering import Failed, Gathering
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Failure, part_of
from bittern.store.rule_records import RuleRecord
from bittern.types import Instant

NO = Failure(reason="rejected", detail="no")
LANES = [f"000000000000/r/{place}/record" for place in range(2)]


class Lane:
    """What is needed of a channel."""

    def __init__(self, lane: str, rule: ReadyRule | None) -> None:
        self.lane = lane
        self.rule = rule
        self.struck: list[int] = []

    def strike(self, rows: list[int]) -> None:
        self.struck += rows


@pytest.fixture
def rule(router: Any) -> ReadyRule:
    record = RuleRecord(
        name="r",
        sql="SELECT *",
        actions=({"record": {"to": "lake"}}, {"record": {"to": "pond"}}),
        error_action={"record": {"to": "errors"}},
        created_at=Instant(0),
    )
    return ReadyRule(record, router.prepare)


@pytest.fixture
def told() -> list[list[Failed]]:
    return []


@pytest.fixture
async def gathering(outbox: Any, clock: Any, told: list[list[Failed]]) -> AsyncIterator[Gathering]:
    times = {"backoff": Backoff(first_s=1), "chance": lambda: 1.0, "sleep": clock.sleep}
    ledger = Ledger(outbox, struck=lambda _: None, interval_s=0, **times)
    gathering = Gathering(outbox, ledger, told.append, capacity=1, **times)
    tasks = [asyncio.create_task(one.run()) for one in (ledger, gathering)]
    yield gathering
    for task in tasks:
        task.cancel()


def failed(outbox: Any, lane: Lane, delivery: Any) -> Failed:
    """With its row."""
    part = part_of(delivery, lane.lane, "")
    outbox.in_lanes.setdefault(lane.lane, {})[part.sequence] = part.with_envelope()
    return Failed(lane, part, NO)  # type: ignore[arg-type]


async def test_what_else_the_rule_owes_of_the_message_is_waited_for(
    gathering: Gathering, outbox: Any, rule: ReadyRule, told: Any, make_delivery: Any, settled: Any
) -> None:
    lake, pond = (Lane(lane, rule) for lane in LANES)
    failed(outbox, pond, make_delivery(1))
    first = failed(outbox, lake, make_delivery(1))
    gathering.add(first)
    await settled()
    assert (told, lake.struck) == ([], [])
    outbox.in_lanes[pond.lane].clear()
    outbox.owe(make_delivery(1))
    gathering.settled([1])
    await settled()
    assert told == []
    outbox.rows.clear()
    gathering.settled([1])
    await settled()
    assert told == [[first]]
    assert lake.struck == [1]
    assert len(gathering) == 0


async def test_what_arrived_after_all_is_not_told(
    gathering: Gathering, outbox: Any, rule: ReadyRule, told: Any, make_delivery: Any, settled: Any
) -> None:
    lake = Lane(LANES[0], rule)
    one = failed(outbox, lake, make_delivery(1))
    outbox.in_lanes[lake.lane].clear()
    gathering.add(one)
    await settled()
    assert told == []
    assert len(gathering) == 0


async def test_a_removed_rule_is_waited_for_no_longer(
    gathering: Gathering, outbox: Any, rule: ReadyRule, told: Any, make_delivery: Any, settled: Any
) -> None:
    lake, pond = (Lane(lane, rule) for lane in LANES)
    failed(outbox, pond, make_delivery(1))
    gathering.add(failed(outbox, lake, make_delivery(1)))
    await settled()
    lake.rule = None
    gathering.settled([1])
    await settled()
    assert [[one.channel for one in group] for group in told] == [[lake]]


async def test_a_store_that_cannot_be_read_is_asked_again(
    gathering: Gathering,
    outbox: Any,
    rule: ReadyRule,
    told: Any,
    clock: Any,
    make_delivery: Any,
    settled: Any,
) -> None:
    owed = outbox.owed

    async def away(*_: object) -> list[Any]:
        raise StoreUnavailable("locked")

    outbox.owed = away
    gathering.add(failed(outbox, Lane(LANES[0], rule), make_delivery(1)))
    await settled()
    outbox.owed = owed
    clock.advance(1)
    await settled()
    assert len(told) == 1


def test_only_rules_with_an_error_action_and_several_actions_are_concerned(
    router: Any, outbox: Any, rule: ReadyRule, make_delivery: Any
) -> None:
    gathering = Gathering(
        outbox,
        None,  # type: ignore[arg-type]
        list.clear,
        capacity=1,
        backoff=Backoff(),
        chance=lambda: 1.0,
        sleep=asyncio.sleep,
    )

    def concerns(**changes: Any) -> bool:
        changed = ReadyRule(msgspec.structs.replace(rule.record, **changes), router.prepare)
        return gathering.concerns(failed(outbox, Lane(LANES[0], changed), make_delivery(1)))

    assert concerns()
    assert not concerns(error_action=None)
    assert not concerns(actions=rule.record.actions[:1])
    assert not gathering.concerns(failed(outbox, Lane(LANES[0], None), make_delivery(1)))


async def test_memory_is_bounded(
    gathering: Gathering, outbox: Any, rule: ReadyRule, make_delivery: Any, settled: Any
) -> None:
    failed(outbox, Lane(LANES[1], rule), make_delivery(1))
    gathering.add(failed(outbox, Lane(LANES[0], rule), make_delivery(1)))
    await settled()
    assert len(gathering) == 1
    assert gathering.has_room(1)
    assert not gathering.has_room(2)
