"""Discovery over real TLS: where a gateway is sent, or why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.config import Lns
from bittern.errors import StoreUnavailable
from bittern.network.events import GatewayRefused
from bittern.store.records import Gateway
from bittern.testing.lns_client import EUI, NOW, LnsClient, lns_client
from bittern.types import EUI64, GatewayEUI, Refusal

OTHER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[LnsClient]:
    async with lns_client(tmp_path) as station:
        yield station


async def test_discovery_names_the_data_connection_under_the_name_asked_for(
    station: LnsClient,
) -> None:
    assert await station.discover("16:c001:ff00:1") == {
        "router": "16:c001:ff00:1",
        "muxs": "::0",
        "uri": f"{station.site.uri}/gateway/{EUI}",
    }
    assert station.refusals() == []
    assert station.site.server.statistics().discoveries == 1


async def test_a_configured_uri_is_told_instead(tmp_path: Path) -> None:
    async with lns_client(tmp_path, Lns(port=0, uri="wss://lns.example:443")) as station:
        answer = await station.discover("16:c001:ff00:1")
        assert answer["uri"] == f"wss://lns.example:443/gateway/{EUI}"


async def test_a_uri_too_long_for_a_station_is_told(tmp_path: Path) -> None:
    async with lns_client(tmp_path, Lns(port=0, uri=f"wss://{'a' * 100}:443")) as station:
        answer = await station.discover("16:c001:ff00:1")
        assert "127 characters" in str(answer["error"])
        assert station.refusals()[0][0] is Refusal.GATEWAY_MISCONFIGURED


async def test_discovery_tells_whose_certificate_it_is(station: LnsClient) -> None:
    other = station.site.add_gateway(Gateway(id="2", gateway_eui=OTHER, created_at=NOW))
    reason = f"certificate is of gateway {OTHER}, not {EUI}"
    assert await station.discover("16:c001:ff00:1", other) == {
        "router": "16:c001:ff00:1",
        "error": f"certificate_of_another_gateway: {reason}",
    }
    [event] = station.site.kept.events
    assert isinstance(event, GatewayRefused)
    assert event.refusal is Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY
    assert event.reason == reason
    assert event.gateway_eui == EUI
    assert event.peer.startswith("127.0.0.1:")


async def test_discovery_tells_that_the_eui_is_none(station: LnsClient) -> None:
    answer = await station.discover("nonsense")
    assert str(answer["error"]).startswith("malformed_gateway_eui: ")
    assert "not an EUI-64" in str(answer["error"])
    assert station.refusals()[0][0] is Refusal.MALFORMED_GATEWAY_EUI


async def test_discovery_answers_when_the_store_is_away(station: LnsClient) -> None:
    station.site.directory.failure = StoreUnavailable("disk full")
    answer = await station.discover("16:c001:ff00:1")
    assert answer["error"] == "store_unavailable: store unavailable: disk full"


async def test_discovery_answers_even_when_the_server_fails(
    station: LnsClient, caplog: pytest.LogCaptureFixture
) -> None:
    station.site.directory.failure = RuntimeError("a fault")  # type: ignore[assignment]
    answer = await station.discover("16:c001:ff00:1")
    assert answer["error"] == "the server cannot answer now"
    assert "lns-discovery" in caplog.text
