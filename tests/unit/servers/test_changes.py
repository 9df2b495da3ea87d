"""What any process changes is heard by every follower."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bittern.servers import changes
from bittern.servers.background import task
from bittern.servers.changes import follow_changes
from bittern.store.records import Change
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI


async def never() -> None:
    raise AssertionError("nothing was missed")


async def test_all_is_read_anew_when_more_was_changed_than_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "CHANGE_POLL_S", 0.0)
    store = MemoryStore(changes_kept=2)
    await store.open()
    heard: list[list[Change]] = []
    started_over = asyncio.Event()

    async def start_over() -> None:
        started_over.set()

    async with task(follow_changes(store, (heard.append,), start_over), "follow"):
        await asyncio.sleep(0)
        for number in range(5):
            eui = GatewayEUI(EUI64.from_int(number))
            await store.add_gateway(
                msgspec.structs.replace(examples.GATEWAY, id=str(eui), gateway_eui=eui)
            )
        await started_over.wait()
        await store.add_destination(examples.DESTINATION)
        while not heard:
            await asyncio.sleep(0)
    assert [change.kind for change in heard[0]] == ["destination"]


async def test_every_follower_hears_of_what_another_process_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "CHANGE_POLL_S", 0.0)
    store = MemoryStore()
    await store.open()
    heard: list[list[Change]] = []
    async with task(follow_changes(store, (heard.append, heard.append), never), "follow"):
        await asyncio.sleep(0)
        await store.add_gateway(examples.GATEWAY)
        while len(heard) < 2:
            await asyncio.sleep(0)
    first, second = heard
    assert first == second
    assert [change.kind for change in first] == ["gateway"]
