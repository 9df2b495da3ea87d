"""A receiver that refuses, is slow and goes away, behind the `http` action."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import carry, check_arrivals, free_port, made

pytestmark = pytest.mark.integration


class Receiver:
    def __init__(self) -> None:
        self.port = free_port()
        self.arrived: list[tuple[int, int]] = []
        self.status = 200
        self.delay_s = 0.0
        self._runner: web.AppRunner | None = None

    async def handle(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay_s)
        if self.status != 200:
            return web.Response(status=self.status)
        document = msgspec.json.decode(await request.read())
        for one in document if isinstance(document, list) else [document]:
            self.arrived.append((one["device"], one["n"]))
        return web.Response()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/", self.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def restart(self) -> None:
        await self.stop()
        await asyncio.sleep(0.3)
        await self.start()

    async def refuse(self) -> None:
        for self.status in (503, 429):
            await asyncio.sleep(0.3)
        self.status = 200

    async def be_slow(self) -> None:
        self.delay_s = 0.1
        await asyncio.sleep(0.5)
        self.delay_s = 0.0


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.mark.parametrize("more", [{}, {"enableBatching": True}])
async def test_receiver_gets_everything_in_order_through_all_troubles(
    receiver: Receiver, tmp_path: Path, more: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = {"url": f"http://127.0.0.1:{receiver.port}/", **more}
    async with made("http", parameters, tmp_path) as output:
        result = await carry(
            output, each=80, troubles=[receiver.restart, receiver.refuse, receiver.be_slow]
        )
    again = check_arrivals(receiver.arrived, 20, 80)
    assert result.rejected == []
    assert result.unavailable > 0
    with capsys.disabled():
        print(f"\nhttp {more}: {result}, {again} twice")
