"""Silent stations, by the real clock: what is not said in time ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from bittern.config import Lns
from bittern.network.events import GatewayConnected, GatewayDisconnected
from bittern.store.records import Gateway
from bittern.testing.lns_site import LnsSite, client_context
from bittern.types import EUI64, GatewayEUI, Instant

pytestmark = pytest.mark.integration

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


@asynccontextmanager
async def connected(
    folder: Path, settings: Lns, path: str
) -> AsyncIterator[tuple[LnsSite, ClientWebSocketResponse]]:
    """A client that answers no ping by itself."""
    async with LnsSite(folder, settings) as site, aiohttp.ClientSession() as session:
        issued = site.add_gateway(Gateway(id="1", gateway_eui=EUI, created_at=Instant(0)))
        context = client_context(site.authority, issued, folder)
        yield site, await session.ws_connect(site.uri + path, ssl=context, autoping=False)


async def test_discovery_does_not_wait_for_ever_for_the_question(tmp_path: Path) -> None:
    settings = Lns(port=0, handshake_timeout_s=0.5)
    async with connected(tmp_path, settings, "/router-info") as (_, socket):
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)


async def test_a_newcomer_that_never_names_its_version_is_cut(tmp_path: Path) -> None:
    settings = Lns(port=0, handshake_timeout_s=0.5)
    async with connected(tmp_path, settings, f"/gateway/{EUI}") as (site, socket):
        message = await socket.receive(timeout=5)
        assert message.type in (WSMsgType.CLOSED, WSMsgType.CLOSE, WSMsgType.ERROR)
        assert site.server.statistics().connections == 0


async def test_a_station_is_pinged_and_cut_when_it_does_not_answer(tmp_path: Path) -> None:
    settings = Lns(port=0, ping_interval_s=0.2, ping_timeout_s=0.3)
    async with connected(tmp_path, settings, f"/gateway/{EUI}") as (site, socket):
        await socket.send_str('{"msgtype":"version","station":"2.0.6"}')
        assert json.loads(await socket.receive_str())["msgtype"] == "router_config"
        for _ in range(3):
            ping = await socket.receive(timeout=5)
            assert ping.type is WSMsgType.PING
            await socket.pong(ping.data)
        assert len(site.server.connected()) == 1
        round_trip_s = site.server.round_trip_s(EUI)
        assert round_trip_s is not None
        assert 0 < round_trip_s < 0.3
        assert site.server.is_connected(EUI)
        assert (await socket.receive(timeout=5)).type is WSMsgType.PING
        gone = await site.kept.event(GatewayDisconnected)
        assert gone.reason == "no answer to a ping within 0.3 s"
        assert site.server.connected() == []
        assert site.server.round_trip_s(EUI) is None
        assert not site.server.is_connected(EUI)


async def test_a_station_that_does_not_answer_our_close_is_cut(tmp_path: Path) -> None:
    folder = tmp_path
    async with connected(folder, Lns(port=0), f"/gateway/{EUI}") as (site, socket):
        await socket.send_str('{"msgtype":"version","station":"2.0.6"}')
        await site.kept.event(GatewayConnected)
        # Nobody reads from the socket: the close is not answered until the server cuts.
        started = asyncio.get_running_loop().time()
        await site.server.__aexit__()
        assert 1.0 < asyncio.get_running_loop().time() - started < 5.0
