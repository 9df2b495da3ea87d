"""What it does as a store is in `tests/unit/store/ports`."""

from __future__ import annotations

from bittern.testing.examples import DEV_EUI, device, register, session
from bittern.testing.memory_store import MemoryStore


async def test_it_can_be_used_without_being_opened() -> None:
    store = MemoryStore()
    await register(store)
    assert await store.device(DEV_EUI) == device()


async def test_two_stores_share_nothing() -> None:
    one, other = MemoryStore(), MemoryStore()
    await register(one)
    assert await other.devices() == []
    assert await other.last_change() == 0


async def test_it_is_closed_without_losing_anything() -> None:
    store = MemoryStore()
    await store.open()
    await register(store, devices=0)
    await store.add_device(device(), session())
    await store.close()
    assert await store.sessions_of(DEV_EUI) == [session()]
