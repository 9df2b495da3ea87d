"""The words of a gateway reach the server as a test says them."""

from __future__ import annotations

from pathlib import Path

from bittern.network.events import GatewayConnected
from bittern.store.records import Gateway
from bittern.testing.lns_client import EUI, NOW, lns_client


async def test_an_open_connection_has_the_features_that_the_test_names(tmp_path: Path) -> None:
    async with lns_client(tmp_path) as client:
        await client.open("rmtsh", "gps")
        await client.site.kept.event(GatewayConnected)
        [connected] = client.site.server.connected()
        assert connected.features == ("gps", "rmtsh")
        assert client.refusals() == []


async def test_the_gateway_may_be_registered_otherwise(tmp_path: Path) -> None:
    gateway = Gateway(id="1", gateway_eui=EUI, region="US915", created_at=NOW)
    async with lns_client(tmp_path, gateway=gateway) as client:
        await client.open()
        assert client.site.directory.gateways[EUI].region == "US915"
