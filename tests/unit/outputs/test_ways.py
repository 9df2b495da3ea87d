from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bittern.outputs.backoff import Backoff
from bittern.outputs.ways import Ways


@pytest.fixture
def again() -> list[Any]:
    return []


@pytest.fixture
def ways(router: Any, clock: Any, again: list[Any]) -> Ways:
    return Ways(
        router,
        again=again.append,
        start=lambda name, work: asyncio.ensure_future(work()),  # type: ignore[arg-type]
        age_s=10,
        now=clock.now,
        backoff=Backoff(first_s=1),
        chance=lambda: 1.0,
        sleep=clock.sleep,
    )


async def test_messages_wait_until_their_way_is_known(
    ways: Ways, again: list[Any], make_delivery: Any
) -> None:
    first, second = make_delivery(1), make_delivery(2)
    assert ways.route(first) is None
    assert ways.route(second) is None
    await ways.until_known()
    assert again == [first, second]
    route = ways.route(first)
    assert route is not None
    assert (route.topic, ways.topic(first)) == ("site/meters", "site/meters")


async def test_a_registry_that_is_away_is_asked_again(
    ways: Ways, again: list[Any], router: Any, clock: Any, make_delivery: Any, settled: Any
) -> None:
    router.fail_next = 2
    assert ways.route(make_delivery(1)) is None
    for _ in range(3):
        await settled()
        clock.advance(2)
    await settled()
    assert len(again) == 1
    assert router.lookups == 3


async def test_the_last_topic_serves_what_was_queued_for_one(
    ways: Ways, router: Any, make_delivery: Any
) -> None:
    ways.route(make_delivery(1))
    await ways.until_known()
    router.topics.clear()
    ways.look_up_again()
    await ways.until_known()
    route = ways.route(make_delivery(1))
    assert route is not None
    assert route.refused is not None
    assert ways.topic(make_delivery(1)) == "site/meters"
