"""The LNS as a whole: routes, changes of the registry, statistics and the end."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from bittern.network.events import GatewayConnected, GatewayDisconnected, GatewayRefused
from bittern.pki.authority import open_authority
from bittern.pki.issuing import Issued, issue_gateway_certificate
from bittern.store.records import Change, Gateway
from bittern.testing.lns_site import LnsSite, client_context
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

NOW = Instant(1_763_690_000.0)
EUIS = tuple(GatewayEUI(EUI64.from_hex(f"0016c001ff00000{n}")) for n in (1, 2))
UPDF = (
    '{"msgtype":"updf","MHdr":64,"DevAddr":637606874,"FCtrl":128,"FCnt":2,"FOpts":"","FPort":1,'
    '"FRMPayload":"954378762B11FF0D","MIC":-491713056,"RefTime":0.0,"DR":5,"Freq":868100000,'
    '"upinfo":{"rctx":3,"xtime":69805796384966656,"gpstime":0,"fts":-1,"rssi":-35,"snr":9.25}}'
)


class Field:
    """A site with two gateways."""

    def __init__(self, site: LnsSite, folder: Path, session: aiohttp.ClientSession) -> None:
        self.site = site
        self.folder = folder
        self.session = session
        self.issued = {
            eui: site.add_gateway(Gateway(id=str(eui), gateway_eui=eui, created_at=NOW))
            for eui in EUIS
        }

    def context(self, issued: Issued | None) -> ssl.SSLContext:
        return client_context(self.site.authority, issued, self.folder)

    async def connect(self, eui: GatewayEUI) -> ClientWebSocketResponse:
        socket = await self.session.ws_connect(
            f"{self.site.uri}/gateway/{eui}", ssl=self.context(self.issued[eui])
        )
        await socket.send_str('{"msgtype":"version","station":"2.0.6"}')
        assert json.loads(await socket.receive_str())["msgtype"] == "router_config"
        return socket


@pytest.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    async with LnsSite(tmp_path, now=lambda: NOW) as site, aiohttp.ClientSession() as session:
        yield Field(site, tmp_path, session)


@pytest.mark.parametrize("path", ["/", "/gateway/nonsense", "/router-info/more"])
async def test_other_paths_are_not_found(field: Field, path: str) -> None:
    with pytest.raises(WSServerHandshakeError) as caught:
        await field.session.ws_connect(
            field.site.uri + path, ssl=field.context(field.issued[EUIS[0]])
        )
    assert caught.value.status == 404


async def test_no_compression_is_agreed_to(field: Field) -> None:
    """A genuine station offers none; whoever does is served without."""
    socket = await field.session.ws_connect(
        f"{field.site.uri}/gateway/{EUIS[0]}",
        ssl=field.context(field.issued[EUIS[0]]),
        compress=15,
    )
    assert not socket.compress
    await socket.close()


async def test_gateways_do_not_disturb_each_other(field: Field) -> None:
    first, second = [await field.connect(eui) for eui in EUIS]
    for _ in range(61):
        await first.send_str("nonsense")
    assert (await first.receive()).type is WSMsgType.CLOSE
    await second.send_str(UPDF)
    [(_, reception)] = await field.site.kept.wait_for(lambda: field.site.kept.uplinks)
    assert reception.gateway_eui == EUIS[1]


async def test_statistics_count_what_passed(field: Field) -> None:
    socket = await field.connect(EUIS[0])
    for _ in range(3):
        await socket.send_str(UPDF)
    await field.site.kept.wait_for(lambda: len(field.site.kept.uplinks) == 3)
    statistics = field.site.server.statistics()
    assert statistics.connections == 1
    assert statistics.connections_opened == 1
    assert statistics.messages_in == 4
    assert statistics.messages_out == 1
    assert statistics.uplinks == 3
    assert statistics.refusals == {}


async def test_a_removed_gateway_is_disconnected(field: Field) -> None:
    first, second = [await field.connect(eui) for eui in EUIS]
    del field.site.directory.gateways[EUIS[0]]
    field.site.server.follow([Change(1, "gateway", str(EUIS[0]))])
    message = await first.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert message.extra == f"gateway {EUIS[0]} is not registered"
    gone = await field.site.kept.event(GatewayDisconnected)
    assert gone.gateway_eui == EUIS[0]
    await second.send_str(UPDF)
    await field.site.kept.wait_for(lambda: field.site.kept.uplinks)


async def test_a_change_elsewhere_disconnects_nobody(field: Field) -> None:
    socket = await field.connect(EUIS[0])
    fingerprint = field.issued[EUIS[1]].certificate_id
    del field.site.directory.certificates[fingerprint]
    field.site.server.follow(
        [
            Change(1, "device", "00" * 8),
            Change(2, "gateway", str(EUIS[0])),
            Change(3, "certificate", fingerprint),
        ]
    )
    for _ in range(10):
        await asyncio.sleep(0)
    await socket.send_str(UPDF)
    await field.site.kept.wait_for(lambda: field.site.kept.uplinks)
    assert len(field.site.server.connected()) == 1


async def test_a_removed_certificate_disconnects_its_gateway(field: Field) -> None:
    socket = await field.connect(EUIS[0])
    fingerprint = field.issued[EUIS[0]].certificate_id
    del field.site.directory.certificates[fingerprint]
    field.site.server.follow([Change(1, "certificate", fingerprint)])
    assert (await socket.receive()).type is WSMsgType.CLOSE
    refused = await field.site.kept.event(GatewayRefused)
    assert refused.refusal is Refusal.CERTIFICATE_UNKNOWN


async def test_a_certificate_of_another_authority_is_told_though_the_handshake_fails(
    field: Field,
) -> None:
    elsewhere = open_authority(field.folder / "elsewhere", NOW)
    context = field.context(issue_gateway_certificate(elsewhere, EUIS[0], NOW))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await field.session.ws_connect(f"{field.site.uri}/router-info", ssl=context)
    refused = await field.site.kept.event(GatewayRefused)
    assert refused.refusal is Refusal.CERTIFICATE_UNKNOWN
    assert len(field.site.kept.events) == 1
    statistics = field.site.server.statistics()
    assert statistics.failed_handshakes == 2
    assert statistics.refusals == {Refusal.CERTIFICATE_UNKNOWN: 2}


async def test_a_client_without_a_certificate_is_told(field: Field) -> None:
    context = field.context(None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(aiohttp.ClientError):
        await field.session.ws_connect(f"{field.site.uri}/router-info", ssl=context)
    refused = await field.site.kept.event(GatewayRefused)
    assert refused.refusal is Refusal.CERTIFICATE_MISSING


async def test_what_is_no_tls_is_logged_and_harmless(
    field: Field, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bittern.servers.lns"):
        reader, writer = await asyncio.open_connection(*field.site.server.address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
    assert "handshake failed peer=127.0.0.1:" in caplog.text
    assert "reason='TLS failed: http request'" in caplog.text
    await field.connect(EUIS[0])


async def test_the_end_closes_every_connection_in_order(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with LnsSite(tmp_path, now=lambda: NOW) as site:
            field = Field(site, tmp_path, session)
            sockets = [await field.connect(eui) for eui in EUIS]
            closing = [asyncio.ensure_future(socket.receive()) for socket in sockets]
        for message in await asyncio.gather(*closing):
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
            assert message.extra == "the server is shutting down"
        kinds = [type(event) for event in site.kept.events]
        assert kinds == [GatewayConnected] * 2 + [GatewayDisconnected] * 2
        assert site.server.statistics().connections == 0


def test_an_lns_that_is_not_started_has_no_address(tmp_path: Path) -> None:
    site = LnsSite(tmp_path, now=lambda: NOW)
    with pytest.raises(RuntimeError, match="not started"):
        _ = site.server.address
