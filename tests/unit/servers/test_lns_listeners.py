"""Discovery and data connections over real TLS, by a client that speaks as a station does."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from bittern.config import Lns
from bittern.errors import StoreUnavailable
from bittern.lorawan.radio import Transmission, Window
from bittern.network.events import GatewayConnected, GatewayDisconnected, GatewayRefused
from bittern.pki.issuing import Issued
from bittern.store.records import Gateway
from bittern.testing.lns_site import LnsSite, client_context
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant, Refusal

NOW = Instant(1_763_690_000.0)
EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
OTHER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
VERSION = {"msgtype": "version", "station": "2.0.6(linux/std)", "protocol": 2, "features": "gps"}
UPDF = (
    '{"msgtype":"updf","MHdr":64,"DevAddr":637606874,"FCtrl":128,"FCnt":2,"FOpts":"","FPort":1,'
    '"FRMPayload":"954378762B11FF0D","MIC":-491713056,"RefTime":0.0,"DR":5,"Freq":868100000,'
    '"upinfo":{"rctx":3,"xtime":69805796384966656,"gpstime":0,"fts":-1,"rssi":-35,"snr":9.25}}'
)
PHY_PAYLOAD = bytes.fromhex("40da1b01268002000195437876" + "2b11ff0de00db1e2")
TRANSMISSION = Transmission(
    downlink_id=7,
    dev_eui=DevEUI(EUI64(bytes(8))),
    device_class="A",
    phy_payload=b"\x60",
    rx_delay_s=1,
    rx1=Window(5, 868_100_000),
    xtime=69805796384966656,
    rctx=3,
)


class Station:
    """A gateway's end, and the site that it talks to."""

    def __init__(self, site: LnsSite, folder: Path, session: aiohttp.ClientSession) -> None:
        self.site = site
        self.issued = site.add_gateway(Gateway(id="1", gateway_eui=EUI, created_at=NOW))
        self._folder = folder
        self._session = session

    async def connect(self, path: str, issued: Issued | None = None) -> ClientWebSocketResponse:
        context = client_context(self.site.authority, issued or self.issued, self._folder)
        return await self._session.ws_connect(self.site.uri + path, ssl=context, autoping=False)

    async def discover(self, router: object, issued: Issued | None = None) -> dict[str, object]:
        socket = await self.connect("/router-info", issued)
        await socket.send_str(json.dumps({"router": router}))
        answer = json.loads(await socket.receive_str())
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert isinstance(answer, dict)
        return answer

    async def open(self) -> ClientWebSocketResponse:
        """A data connection that has its configuration."""
        socket = await self.connect(f"/gateway/{EUI}")
        await socket.send_str(json.dumps(VERSION))
        assert json.loads(await socket.receive_str())["msgtype"] == "router_config"
        return socket

    def refusals(self) -> list[tuple[Refusal, str]]:
        return [
            (event.refusal, event.reason)
            for event in self.site.kept.events
            if isinstance(event, GatewayRefused)
        ]


@asynccontextmanager
async def running(folder: Path, settings: Lns) -> AsyncIterator[Station]:
    async with (
        LnsSite(folder, settings, now=lambda: NOW) as site,
        aiohttp.ClientSession() as session,
    ):
        yield Station(site, folder, session)


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    settings = Lns(port=0, max_message_bytes=2048, malformed_per_minute=3)
    async with running(tmp_path, settings) as station:
        yield station


# Discovery


async def test_discovery_names_the_data_connection_under_the_name_asked_for(
    station: Station,
) -> None:
    assert await station.discover("16:c001:ff00:1") == {
        "router": "16:c001:ff00:1",
        "muxs": "::0",
        "uri": f"{station.site.uri}/gateway/{EUI}",
    }
    assert station.refusals() == []
    assert station.site.server.statistics().discoveries == 1


async def test_a_configured_uri_is_told_instead(tmp_path: Path) -> None:
    async with running(tmp_path, Lns(port=0, uri="wss://lns.example:443")) as station:
        answer = await station.discover("16:c001:ff00:1")
        assert answer["uri"] == f"wss://lns.example:443/gateway/{EUI}"


async def test_a_uri_too_long_for_a_station_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, Lns(port=0, uri=f"wss://{'a' * 100}:443")) as station:
        answer = await station.discover("16:c001:ff00:1")
        assert "127 characters" in str(answer["error"])
        assert station.refusals()[0][0] is Refusal.GATEWAY_MISCONFIGURED


async def test_discovery_tells_whose_certificate_it_is(station: Station) -> None:
    other = station.site.add_gateway(Gateway(id="2", gateway_eui=OTHER, created_at=NOW))
    reason = f"certificate is of gateway {OTHER}, not {EUI}"
    assert await station.discover("16:c001:ff00:1", other) == {
        "router": "16:c001:ff00:1",
        "error": reason,
    }
    [event] = station.site.kept.events
    assert isinstance(event, GatewayRefused)
    assert event.refusal is Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY
    assert event.reason == reason
    assert event.gateway_eui == EUI
    assert event.peer.startswith("127.0.0.1:")


async def test_discovery_tells_that_the_eui_is_none(station: Station) -> None:
    answer = await station.discover("nonsense")
    assert "not an EUI-64" in str(answer["error"])
    assert station.refusals()[0][0] is Refusal.MALFORMED_GATEWAY_EUI


async def test_discovery_answers_when_the_store_is_away(station: Station) -> None:
    station.site.directory.failure = StoreUnavailable("disk full")
    answer = await station.discover("16:c001:ff00:1")
    assert answer["error"] == "store unavailable: disk full"


async def test_discovery_answers_even_when_the_server_fails(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    station.site.directory.failure = RuntimeError("a fault")  # type: ignore[assignment]
    answer = await station.discover("16:c001:ff00:1")
    assert answer["error"] == "the server cannot answer now"
    assert "lns-discovery" in caplog.text


# Opening a data connection


async def test_version_is_answered_with_the_configuration(station: Station) -> None:
    socket = await station.connect(f"/gateway/{EUI}")
    await socket.send_str(json.dumps(VERSION))
    answer = json.loads(await socket.receive_str())
    assert answer["msgtype"] == "router_config"
    assert answer["region"] == "EU868"
    event = await station.site.kept.event(GatewayConnected)
    assert (event.gateway_eui, event.station) == (EUI, "2.0.6(linux/std)")
    [gateway] = station.site.server.connected()
    assert gateway.features == ("gps",)
    assert gateway.peer == event.peer
    await socket.close()
    gone = await station.site.kept.event(GatewayDisconnected)
    assert (gone.gateway_eui, gone.reason) == (EUI, "closed by the gateway")
    assert station.site.server.connected() == []


async def test_the_certificate_is_checked_again_on_the_data_connection(station: Station) -> None:
    other = station.site.add_gateway(Gateway(id="2", gateway_eui=OTHER, created_at=NOW))
    socket = await station.connect(f"/gateway/{EUI}", other)
    await socket.send_str(json.dumps(VERSION))
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert message.extra == f"certificate is of gateway {OTHER}, not {EUI}"
    assert [refusal for refusal, _ in station.refusals()] == [
        Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY
    ]


async def test_an_old_station_is_told_and_closed(station: Station) -> None:
    socket = await station.connect(f"/gateway/{EUI}")
    await socket.send_str(json.dumps(VERSION | {"station": "2.0.3(linux/std)"}))
    assert json.loads(await socket.receive_str()) == {
        "msgtype": "error",
        "error": "station 2.0.3 is older than 2.0.4",
    }
    assert (await socket.receive()).type is WSMsgType.CLOSE
    assert station.refusals() == [(Refusal.STATION_TOO_OLD, "station 2.0.3 is older than 2.0.4")]
    assert station.site.server.connected() == []


async def test_a_newer_connection_of_the_same_gateway_replaces_the_older(
    station: Station,
) -> None:
    older = await station.open()
    newer = await station.open()
    message = await older.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
    assert message.extra == "replaced by a newer connection of the same gateway"
    await station.site.kept.event(GatewayConnected, 2)
    kinds = [type(event) for event in station.site.kept.events]
    assert kinds == [GatewayConnected, GatewayDisconnected, GatewayConnected]
    await newer.send_str(UPDF)
    await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert len(station.site.server.connected()) == 1


# Messages


async def test_an_uplink_arrives_exactly_as_it_was_on_air(station: Station) -> None:
    socket = await station.open()
    await socket.send_str(UPDF)
    [(phy_payload, reception)] = await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert phy_payload == PHY_PAYLOAD
    assert reception.gateway_eui == EUI
    assert reception.xtime == 69805796384966656
    assert reception.received_at == NOW


async def test_a_downlink_goes_out_and_its_report_comes_back(station: Station) -> None:
    socket = await station.open()
    assert station.site.server.transmit(EUI, TRANSMISSION)
    message = json.loads(await socket.receive_str())
    assert (message["msgtype"], message["diid"], message["pdu"]) == ("dnmsg", 7, "60")
    await socket.send_str(
        '{"msgtype":"dntxed","seqno":7,"diid":7,"DR":5,"Freq":868100000,'
        '"DevEui":"00-00-00-00-00-00-00-00","rctx":0,"xtime":69805796385966656}'
    )
    [report] = await station.site.kept.wait_for(lambda: station.site.kept.reports)
    assert (report.downlink_id, report.xtime) == (7, 69805796385966656)


async def test_nothing_is_transmitted_by_a_gateway_that_is_not_there(station: Station) -> None:
    assert not station.site.server.transmit(EUI, TRANSMISSION)
    socket = await station.connect(f"/gateway/{EUI}")
    assert not station.site.server.transmit(EUI, TRANSMISSION)
    await socket.close()


async def test_a_gateway_that_does_not_read_takes_no_further_downlinks(station: Station) -> None:
    socket = await station.open()
    taken = 0
    while station.site.server.transmit(EUI, TRANSMISSION):
        taken += 1
        assert taken < 1_000_000
    assert station.site.server.connected()
    # It reads again, and is sent to again.
    for _ in range(taken):
        await socket.receive_str()
    await station.site.kept.wait_for(lambda: True)
    assert station.site.server.transmit(EUI, TRANSMISSION)


async def test_malformed_messages_are_told_and_then_too_many(station: Station) -> None:
    socket = await station.open()
    for text in ("x", "{}", '{"msgtype":"updf"}'):
        await socket.send_str(text)
    await socket.send_str(UPDF)
    await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert [refusal for refusal, _ in station.refusals()] == [Refusal.MALFORMED_MESSAGE] * 3
    await socket.send_str("x")
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert message.extra.startswith("more than 3 malformed messages within a minute")
    assert station.refusals()[-1][0] is Refusal.TOO_MANY_MALFORMED


async def test_an_unknown_msgtype_is_told_once_and_counted_always(station: Station) -> None:
    socket = await station.open()
    for msgtype in ("weather", "weather", "tide", "weather"):
        await socket.send_str(json.dumps({"msgtype": msgtype}))
    await socket.send_str(UPDF)
    await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert [reason for _, reason in station.refusals()] == [
        "msgtype 'weather' is none of the protocol's",
        "msgtype 'tide' is none of the protocol's",
    ]
    assert station.site.server.statistics().refusals == {Refusal.UNKNOWN_MSGTYPE: 4}


async def test_an_oversized_message_ends_the_connection(station: Station) -> None:
    socket = await station.open()
    await socket.send_str('{"msgtype":"alarm","text":"' + "a" * 2048 + '"}')
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)
    await station.site.kept.event(GatewayDisconnected)
    assert station.refusals() == [(Refusal.OVERSIZED_MESSAGE, "a message of more than 2048 bytes")]


async def test_a_binary_message_ends_the_connection(station: Station) -> None:
    socket = await station.open()
    await socket.send_bytes(b"\x00terminal")
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert station.refusals()[0][0] is Refusal.MALFORMED_MESSAGE


async def test_a_fault_of_ours_costs_one_message_and_not_the_connection(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await station.open()
    kept = station.site.kept.uplinks
    station.site.kept.uplinks = None  # type: ignore[assignment]
    await socket.send_str(UPDF)
    await socket.ping(b"1")
    assert (await socket.receive()).type is WSMsgType.PONG
    assert f"gateway={EUI} message not handled" in caplog.text
    station.site.kept.uplinks = kept
    await socket.send_str(UPDF)
    await station.site.kept.wait_for(lambda: station.site.kept.uplinks)


async def test_events_and_alarms_are_logged(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await station.open()
    with caplog.at_level(logging.INFO, "bittern.servers.lns"):
        await socket.send_str('{"msgtype":"event","evcat":"gps","evmsg":{"evtype":"nofix"}}')
        await socket.send_str('{"msgtype":"alarm","text":"hot\\n"}')
        await socket.send_str(UPDF)
        await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert f"gateway={EUI} event=gps" in caplog.text
    assert f"gateway={EUI} alarm='hot\\n'" in caplog.text
