"""Which lines of AWS's log are written."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.network.directory import Directory
from bittern.network.events import FrameRefused, GatewayRefused, JoinReceived, NetworkEvent
from bittern.network.journal import Journal
from bittern.servers import aws_log
from bittern.servers.aws_log import AwsLog
from bittern.store.notes import Note, NoteKind
from bittern.testing.examples import DEV_EUI, GATEWAY, GATEWAY_EUI, NOW, device, register
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, DevEUI, Refusal

STRANGER = DevEUI(EUI64.from_hex("70b3d57eddddddd1"))
DEVICE = f"WirelessDevice/{device().id}"
ERROR = FrameRefused(at=NOW, refusal=Refusal.MIC_MISMATCH, reason="no", dev_eui=DEV_EUI)
INFO = JoinReceived(at=NOW, dev_eui=DEV_EUI, gateway_eui=GATEWAY_EUI)
OF_GATEWAY = GatewayRefused(
    at=NOW, refusal=Refusal.CERTIFICATE_UNKNOWN, reason="no", gateway_eui=GATEWAY_EUI
)


class FlakyStore(MemoryStore):
    away = False

    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]:
        if self.away:
            raise StoreUnavailable("disk full")
        return await super().notes(account, kind, after, limit)


class Site:
    def __init__(self) -> None:
        self.store = FlakyStore()
        self.journal = Journal()
        self.log = AwsLog(self.store, Directory(self.store), self.journal)
        self.lines: list[Any] = []
        self.hearing = contextlib.ExitStack()

    async def turn(self) -> None:
        await self.log.turn(self.hearing, lambda line: self.lines.append(json.loads(line)))

    async def say(self, name: str = "default", **body: Any) -> None:
        text = msgspec.json.encode(body).decode()
        await self.store.put_notes(
            Note(account=device().account, kind="logs", name=name, at=NOW, body=text)
        )
        self.log.changed()
        await self.turn()

    async def told(self, *events: NetworkEvent) -> list[tuple[str, str]]:
        self.lines.clear()
        for event in events:
            self.journal.record(event)
        await self.turn()
        return [(line["event"], line["logLevel"]) for line in self.lines]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await register(site.store)
    await site.store.add_gateway(GATEWAY)
    await site.turn()
    with site.hearing:
        yield site


async def test_errors_alone_are_written_until_somebody_says_otherwise(site: Site) -> None:
    assert await site.told(INFO, ERROR, OF_GATEWAY) == [("Join", "ERROR"), ("Certificate", "ERROR")]
    of_device, of_gateway = site.lines
    assert of_device["wirelessDeviceId"] == device().id
    assert of_gateway["wirelessGatewayId"] == GATEWAY.id
    assert not site.journal._watchers


async def test_uplinks_are_heard_only_while_somebody_wants_them(site: Site) -> None:
    await site.say(DefaultLogLevel="INFO")
    assert site.journal.watched
    assert await site.told(INFO, ERROR) == [("Join", "INFO"), ("Join", "ERROR")]
    await site.say(DefaultLogLevel="DISABLED")
    assert not site.journal._watchers
    assert await site.told(INFO, ERROR, OF_GATEWAY) == []


async def test_a_resource_decides_for_itself(site: Site) -> None:
    await site.say(DefaultLogLevel="DISABLED")
    await site.say(DEVICE, LogLevel="ERROR")
    assert await site.told(INFO, ERROR, OF_GATEWAY) == [("Join", "ERROR")]
    await site.say(DefaultLogLevel="INFO")
    await site.say(DEVICE, LogLevel="DISABLED")
    assert await site.told(INFO, ERROR, OF_GATEWAY) == [("Certificate", "ERROR")]


async def test_what_is_nobodys_is_not_written(site: Site) -> None:
    stranger = msgspec.structs.replace(ERROR, dev_eui=STRANGER)
    gateway = msgspec.structs.replace(OF_GATEWAY, gateway_eui=STRANGER)
    assert await site.told(stranger, gateway) == []


async def test_its_memory_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_log, "KEPT", 2)
    assert len(await site.told(ERROR, ERROR, ERROR)) == 2
    assert site.log.statistics() == {"written": 2, "dropped": 1}


async def test_its_task_survives_a_store_that_is_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause, paused = asyncio.sleep, []

    async def at_once(seconds: float) -> None:
        paused.append(seconds)
        site.store.away = False
        site.log.changed()
        await pause(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    site.hearing.close()
    site.store.away = True
    site.log.changed()
    lines: list[bytes] = []
    running = asyncio.create_task(site.log.run(lines.append))
    for _ in range(20):
        await pause(0)
    site.journal.record(ERROR)
    for _ in range(20):
        await pause(0)
    running.cancel()
    assert (paused, len(lines)) == ([1], 1)


async def test_a_change_is_noticed_while_nothing_else_happens(site: Site) -> None:
    site.hearing.close()
    running = asyncio.create_task(site.log.run(site.lines.append))
    for _ in range(20):
        await asyncio.sleep(0)
    body = '{"DefaultLogLevel":"INFO"}'
    note = Note(account=device().account, kind="logs", name="default", at=NOW, body=body)
    await site.store.put_notes(note)
    site.log.changed()
    for _ in range(20):
        await asyncio.sleep(0)
    assert site.journal.watched
    running.cancel()


async def test_levels_are_looked_at_again_after_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_log, "LOOK_AGAIN_S", 0)
    assert not await site.log._something_to_do()
    site.log.changed()
    assert site.log._arrived.is_set()
