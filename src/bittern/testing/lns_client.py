"""A gateway's end of the LNS, word by word: what a test says is what goes over the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType

from bittern.config import Lns
from bittern.network.events import GatewayRefused
from bittern.pki.issuing import Issued
from bittern.store.records import Gateway
from bittern.testing.lns_site import LnsSite, client_context
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(1_763_690_000.0)
VERSION: dict[str, object] = {
    "msgtype": "version",
    "station": "2.0.6(linux/std)",
    "protocol": 2,
    "features": "gps",
}


class LnsClient:
    """A registered gateway, and the site that it talks to."""

    def __init__(
        self, site: LnsSite, folder: Path, session: aiohttp.ClientSession, gateway: Gateway
    ) -> None:
        self.site = site
        self.issued = site.add_gateway(gateway)
        self._gateway = gateway
        self._folder = folder
        self._session = session

    async def connect(self, path: str, issued: Issued | None = None) -> ClientWebSocketResponse:
        context = client_context(self.site.authority, issued or self.issued, self._folder)
        return await self._session.ws_connect(self.site.uri + path, ssl=context, autoping=False)

    async def discover(self, router: object, issued: Issued | None = None) -> dict[str, object]:
        """The answer, behind which the server closes."""
        socket = await self.connect("/router-info", issued)
        await socket.send_str(json.dumps({"router": router}))
        answer = json.loads(await socket.receive_str())
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert isinstance(answer, dict)
        return answer

    async def open(self, *features: str) -> ClientWebSocketResponse:
        """A data connection that has its configuration."""
        socket = await self.connect(f"/gateway/{self._gateway.gateway_eui}")
        await socket.send_str(json.dumps(VERSION | {"features": " ".join(features) or "gps"}))
        assert json.loads(await socket.receive_str())["msgtype"] == "router_config"
        return socket

    def refusals(self) -> list[tuple[Refusal, str]]:
        return [
            (event.refusal, event.reason)
            for event in self.site.kept.events
            if isinstance(event, GatewayRefused)
        ]


@asynccontextmanager
async def lns_client(
    folder: Path, settings: Lns | None = None, gateway: Gateway | None = None
) -> AsyncIterator[LnsClient]:
    """With a site of its own, whose time stands still at `NOW`."""
    gateway = gateway or Gateway(id="1", gateway_eui=EUI, created_at=NOW)
    async with (
        LnsSite(folder, settings, now=lambda: NOW) as site,
        aiohttp.ClientSession() as session,
    ):
        yield LnsClient(site, folder, session, gateway)
