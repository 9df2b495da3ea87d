"""What is told of changes: every engine does the same."""

from __future__ import annotations

import pytest

from bittern.errors import ChangesTrimmed, Conflict, NotFound
from bittern.store.ports.sessions import Deliver, DownlinkAttempted, DownlinkDone
from bittern.store.protocol import Store
from bittern.store.records import Change
from bittern.testing.examples import (
    CERTIFICATE,
    DESTINATION,
    DEV_EUI,
    DEVICE_PROFILE,
    GATEWAY,
    GATEWAY_EUI,
    SERVICE_PROFILE,
    activated,
    delivery,
    dev_eui,
    device,
    downlink,
    join_state,
    news,
    next_session,
    register,
    session,
)


async def test_every_change_of_the_registry_is_told(store: Store) -> None:
    assert await store.last_change() == 0
    assert await store.changes(0) == []
    await register(store)
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.set_certificate_active(CERTIFICATE.fingerprint, False)
    assert await store.changes(0) == [
        Change(1, "destination", "000000000000/plant"),
        Change(2, "profile", DEVICE_PROFILE.id),
        Change(3, "profile", SERVICE_PROFILE.id),
        Change(4, "device", str(DEV_EUI)),
        Change(5, "gateway", str(GATEWAY_EUI)),
        Change(6, "certificate", CERTIFICATE.fingerprint),
        Change(7, "certificate", CERTIFICATE.fingerprint),
    ]
    assert await store.last_change() == 7
    await store.remove_gateway(GATEWAY_EUI)
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await news(store, 7) == [
        ("gateway", str(GATEWAY_EUI)),
        ("device", str(DEV_EUI)),
        ("session", str(DEV_EUI)),
        ("destination", "000000000000/plant"),
    ]


async def test_every_change_of_a_queue_is_told(store: Store) -> None:
    before = await activated(store)
    since = await store.last_change()
    told = [("downlink", str(DEV_EUI))]
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1))
    assert await news(store, since) == 2 * told
    since += 2
    after = next_session(before)
    await store.advance(before, after, DownlinkAttempted(downlink(0).message_id))
    assert await news(store, since) == told
    await store.advance(after, next_session(after), DownlinkDone(downlink(0).message_id))
    await store.unqueue(DEV_EUI)
    await store.unqueue(DEV_EUI)
    assert await news(store, since) == 3 * told


async def test_activations_are_told_and_uplinks_are_not(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    before = session(pending=True)
    await store.activate(None, join_state(), before)
    after = next_session(before, pending=False)
    await store.advance(before, after)
    assert await news(store, since) == 2 * [("session", str(DEV_EUI))]
    await store.advance(after, next_session(after), Deliver(delivery()))
    assert len(await news(store, since)) == 2


async def test_what_failed_is_not_told(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    with pytest.raises(Conflict):
        await store.add_device(device())
    with pytest.raises(NotFound):
        await store.enqueue(downlink(dev_eui=dev_eui(1)))
    assert await store.changes(since) == []


async def test_old_changes_are_trimmed_and_their_loss_is_told(store: Store) -> None:
    await register(store, devices=60)
    newest = await store.last_change()
    assert newest == 63
    assert len(await store.changes(newest - 50)) == 50
    with pytest.raises(ChangesTrimmed):
        await store.changes(newest - 51)
    with pytest.raises(ChangesTrimmed):
        await store.changes(0)
    assert await store.changes(newest) == []
