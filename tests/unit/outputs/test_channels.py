"""What lanes have of the memory; opening and following is in `test_dispatch.py`."""

from __future__ import annotations

from typing import Any

from bittern.errors import DeliveryUnavailable
from bittern.outputs.dispatch import Dispatcher, DispatchSettings


async def test_the_less_room_there_is_the_less_a_lane_may_hold(
    outbox: Any, router: Any, clock: Any
) -> None:
    bounds = DispatchSettings(capacity=640)
    dispatcher = Dispatcher(outbox, router, now=clock.now, chance=lambda: 0, settings=bounds)
    channels = dispatcher._channels
    channels.relieve(room=0)
    assert channels.limit == 640  # nobody else is there to be starved
    router.add_rule("r", "SELECT *", "lake")
    limits = []
    for room in (640, 161, 160, 41, 40):
        channels.relieve(room)
        limits.append(channels.limit)
    assert limits == [160, 160, 10, 10, 0]


async def test_what_an_absent_broker_is_owed_moves_into_the_store_where_there_are_rules(
    outbox: Any, router: Any, output: Any, clock: Any, make_delivery: Any, settled: Any
) -> None:
    router.add_rule("r", "SELECT *", "lake")
    bounds = DispatchSettings(strike_interval_s=0, anchor_after_s=5, relieve_s=1)
    dispatcher = Dispatcher(
        outbox,
        router,
        now=clock.now,
        chance=lambda: 1.0,
        settings=bounds,
        sleep=clock.sleep,
    )
    async with dispatcher:
        await settled()
        output.error = DeliveryUnavailable("refused")
        outbox.owe(make_delivery(1))
        dispatcher.offer(make_delivery(1))
        await settled()
        clock.advance(4)
        await settled()
        assert list(outbox.rows) == [1]
        clock.advance(1)
        await settled()
        assert outbox.rows == {}
        assert list(outbox.in_lanes["mqtt"]) == [1]
