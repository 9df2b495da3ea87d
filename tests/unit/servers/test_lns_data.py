"""Data connections over real TLS, by a client that speaks as a station does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSMsgType

from bittern.config import Lns
from bittern.lorawan.radio import Transmission, Window
from bittern.network.events import GatewayConnected, GatewayDisconnected
from bittern.store.records import Change, Gateway
from bittern.testing.lns_client import EUI, NOW, VERSION, LnsClient, lns_client
from bittern.types import EUI64, DevEUI, GatewayEUI, Refusal

OTHER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
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


class Terminal:
    """The administrator's end of a remote shell."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self._more = asyncio.Event()

    def opened(self, session: int) -> None:
        self._hear(session)

    def output(self, data: bytes) -> None:
        self._hear(data)

    def ended(self, reason: str) -> None:
        self._hear(reason)

    def _hear(self, what: object) -> None:
        self.heard.append(what)
        self._more.set()

    async def until(self, heard: list[object]) -> None:
        async with asyncio.timeout(10):
            while self.heard != heard:
                self._more.clear()
                await self._more.wait()


async def open_shell(station: LnsClient, terminal: Terminal) -> None:
    await station.site.kept.event(GatewayConnected)
    remote = station.site.server.remote(EUI)
    assert remote is not None
    assert remote.open_shell("ann", "xterm", terminal) == 0


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[LnsClient]:
    settings = Lns(port=0, max_message_bytes=2048, malformed_per_minute=3)
    async with lns_client(tmp_path, settings) as station:
        yield station


# Opening a data connection


async def test_version_is_answered_with_the_configuration(station: LnsClient) -> None:
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


async def test_the_certificate_is_checked_again_on_the_data_connection(station: LnsClient) -> None:
    other = station.site.add_gateway(Gateway(id="2", gateway_eui=OTHER, created_at=NOW))
    socket = await station.connect(f"/gateway/{EUI}", other)
    await socket.send_str(json.dumps(VERSION))
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert message.extra == f"certificate is of gateway {OTHER}, not {EUI}"
    assert [refusal for refusal, _ in station.refusals()] == [
        Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY
    ]


async def test_an_old_station_is_told_and_closed(station: LnsClient) -> None:
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
    station: LnsClient,
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


async def test_an_uplink_arrives_exactly_as_it_was_on_air(station: LnsClient) -> None:
    socket = await station.open()
    await socket.send_str(UPDF)
    [(phy_payload, reception)] = await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert phy_payload == PHY_PAYLOAD
    assert reception.gateway_eui == EUI
    assert reception.xtime == 69805796384966656
    assert reception.received_at == NOW


async def test_a_downlink_goes_out_and_its_report_comes_back(station: LnsClient) -> None:
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


async def test_nothing_is_transmitted_by_a_gateway_that_is_not_there(station: LnsClient) -> None:
    assert not station.site.server.transmit(EUI, TRANSMISSION)
    socket = await station.connect(f"/gateway/{EUI}")
    assert not station.site.server.transmit(EUI, TRANSMISSION)
    await socket.close()


async def test_a_gateway_that_does_not_read_takes_no_further_downlinks(station: LnsClient) -> None:
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


async def test_malformed_messages_are_told_and_then_too_many(station: LnsClient) -> None:
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


async def test_an_unknown_msgtype_is_told_once_and_counted_always(station: LnsClient) -> None:
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


async def test_an_oversized_message_ends_the_connection(station: LnsClient) -> None:
    socket = await station.open()
    await socket.send_str('{"msgtype":"alarm","text":"' + "a" * 2048 + '"}')
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)
    await station.site.kept.event(GatewayDisconnected)
    assert station.refusals() == [(Refusal.OVERSIZED_MESSAGE, "a message of more than 2048 bytes")]


async def test_a_binary_message_ends_the_connection(station: LnsClient) -> None:
    socket = await station.open()
    await socket.send_bytes(b"\x00terminal")
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert station.refusals()[0][0] is Refusal.MALFORMED_MESSAGE


async def test_a_shell_talks_in_binary_messages(station: LnsClient) -> None:
    socket = await station.open("rmtsh")
    terminal = Terminal()
    await open_shell(station, terminal)
    assert json.loads(await socket.receive_str())["start"] == 0
    await socket.send_str('{"msgtype":"rmtsh","rmtsh":[{"started":true},{"started":false}]}')
    await socket.send_bytes(b"\x00$ ")
    await terminal.until([0, b"$ "])
    await socket.close()
    await terminal.until([0, b"$ ", "the gateway's connection has ended"])
    assert station.refusals() == []


async def test_a_shell_that_nobody_opened_is_stopped_and_the_connection_stays(
    station: LnsClient,
) -> None:
    socket = await station.open("rmtsh")
    await socket.send_bytes(b"\x01boo")
    assert json.loads(await socket.receive_str()) == {"msgtype": "rmtsh", "stop": 1}
    await socket.send_str(UPDF)
    await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert station.refusals() == [
        (
            Refusal.MALFORMED_MESSAGE,
            "output of remote shell 1, which nobody has opened",
        )
    ]


async def test_a_binary_message_of_no_shell_ends_the_connection(station: LnsClient) -> None:
    socket = await station.open("rmtsh")
    await socket.send_bytes(b"\x07")
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)


async def test_shells_end_when_they_are_no_longer_allowed(station: LnsClient) -> None:
    gateways = station.site.directory.gateways
    gateways[EUI] = msgspec.structs.replace(gateways[EUI], remote_shell=True)
    socket = await station.open("rmtsh")
    terminal = Terminal()
    await open_shell(station, terminal)
    gateways[EUI] = msgspec.structs.replace(gateways[EUI], remote_shell=False)
    station.site.server.follow([Change(1, "gateway", str(EUI))])
    await terminal.until(["remote shells are no longer allowed for this gateway"])
    assert json.loads(await socket.receive_str())["start"] == 0
    assert json.loads(await socket.receive_str()) == {"msgtype": "rmtsh", "stop": 0}


async def test_a_fault_of_ours_costs_one_message_and_not_the_connection(
    station: LnsClient, caplog: pytest.LogCaptureFixture
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
    station: LnsClient, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await station.open()
    with caplog.at_level(logging.INFO, "bittern.servers.lns"):
        await socket.send_str('{"msgtype":"event","evcat":"gps","evmsg":{"evtype":"nofix"}}')
        await socket.send_str('{"msgtype":"alarm","text":"hot\\n"}')
        await socket.send_str(UPDF)
        await station.site.kept.wait_for(lambda: station.site.kept.uplinks)
    assert f"gateway={EUI} event=gps" in caplog.text
    assert f"gateway={EUI} alarm='hot\\n'" in caplog.text
