"""The queue of downlinks: every engine does the same."""

from __future__ import annotations

import pytest

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.store.ports.sessions import Deliver, DownlinkAttempted, DownlinkDone
from bittern.store.protocol import Store
from bittern.store.records import ParticipatingGateway, ParticipatingGateways
from bittern.testing.examples import (
    DEV_EUI,
    GATEWAY_EUI,
    activated,
    delivery,
    dev_eui,
    downlink,
    join_state,
    next_session,
    register,
    session,
)
from bittern.types import Instant


async def test_downlinks_leave_in_the_order_they_came(store: Store) -> None:
    await register(store, devices=2)
    for number in (3, 1, 2):
        await store.enqueue(downlink(number))
    await store.enqueue(downlink(4, dev_eui=dev_eui(1), payload=b"", confirmed=True))
    assert await store.queued(DEV_EUI) == [downlink(3), downlink(1), downlink(2)]
    assert await store.queued(DEV_EUI, limit=1) == [downlink(3)]
    assert [one.confirmed for one in await store.queued(dev_eui(1))] == [True]


async def test_a_higher_priority_goes_first_and_equal_ones_in_order(store: Store) -> None:
    await register(store)
    for number, priority in enumerate((0, 7, -1, 7, 0)):
        await store.enqueue(downlink(number, priority=priority))
    queued = await store.queued(DEV_EUI)
    assert [one.message_id[:8] for one in queued] == [f"{n:08x}" for n in (1, 3, 0, 4, 2)]
    assert await store.queued(DEV_EUI, limit=1) == [downlink(1, priority=7)]


async def test_a_message_keeps_the_gateways_it_names(store: Store) -> None:
    await register(store)
    chosen = ParticipatingGateways(
        mode="SEQUENTIAL",
        gateways=(ParticipatingGateway(GATEWAY_EUI, 869_525_000),),
        interval_s=1200,
    )
    await store.enqueue(downlink(participating=chosen))
    assert await store.queued(DEV_EUI) == [downlink(participating=chosen)]


async def test_a_message_keeps_its_time(store: Store) -> None:
    await register(store)
    late = downlink(expires_at=Instant(60.0))
    await store.enqueue(late)
    assert await store.queued(DEV_EUI) == [late]


async def test_devices_with_something_in_their_queue_are_known(store: Store) -> None:
    await register(store, devices=3)
    assert await store.waiting() == []
    for number, device_number in enumerate((2, 0, 2)):
        await store.enqueue(downlink(number, dev_eui=dev_eui(device_number)))
    assert await store.waiting() == [dev_eui(0), dev_eui(2)]
    await store.unqueue(dev_eui(2))
    assert await store.waiting() == [dev_eui(0)]


async def test_a_message_is_queued_once(store: Store) -> None:
    await register(store)
    await store.enqueue(downlink())
    with pytest.raises(Conflict):
        await store.enqueue(downlink(payload=b"other"))
    assert await store.queued(DEV_EUI) == [downlink()]


async def test_nothing_is_queued_for_an_unknown_device(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.enqueue(downlink())


async def test_a_message_is_taken_from_the_queue_of_its_device_only(store: Store) -> None:
    await register(store, devices=2)
    for number in range(3):
        await store.enqueue(downlink(number))
    assert await store.unqueue(dev_eui(1), downlink(0).message_id) == 0
    assert await store.unqueue(DEV_EUI, downlink(1).message_id) == 1
    assert await store.queued(DEV_EUI) == [downlink(0), downlink(2)]
    assert await store.unqueue(DEV_EUI) == 2
    assert await store.unqueue(DEV_EUI) == 0


async def test_a_downlink_is_done_with_the_step_that_sent_it(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1))
    step = next_session(before, nfcnt_down=1)
    done = DownlinkDone(downlink(0).message_id)
    assert await store.advance(before, step, done, Deliver(delivery())) == 1
    assert await store.queued(DEV_EUI) == [downlink(1)]


async def test_a_confirmed_downlink_counts_its_attempts(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink(confirmed=True))
    effect = DownlinkAttempted(downlink().message_id)
    await store.advance(before, next_session(before), effect)
    assert await store.queued(DEV_EUI) == [downlink(confirmed=True, attempts=1)]


async def test_a_stale_step_leaves_the_queue_alone(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink())
    await store.advance(before, next_session(before))
    for effect in (DownlinkDone(downlink().message_id), DownlinkAttempted(downlink().message_id)):
        with pytest.raises(StaleSession):
            await store.advance(before, next_session(before), effect)
    assert await store.queued(DEV_EUI) == [downlink()]


async def test_a_step_does_not_touch_the_queue_of_another_device(store: Store) -> None:
    await register(store, devices=2)
    await store.activate(None, join_state(1), session(1))
    await store.enqueue(downlink())
    before = session(1)
    await store.advance(before, next_session(before), DownlinkDone(downlink().message_id))
    assert await store.queued(DEV_EUI) == [downlink()]
