"""The LNS for tests: what it keeps, and that waiting ends."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from bittern.errors import StoreUnavailable
from bittern.network.events import GatewayConnected, GatewayDisconnected
from bittern.store.records import Gateway
from bittern.testing import lns_site
from bittern.testing.lns_site import KeptDirectory, KeptTraffic, LnsSite, client_context
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_763_690_000.0)
EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
GATEWAY = Gateway(id="1", gateway_eui=EUI, created_at=NOW)


async def test_a_gateway_is_registered_with_a_certificate_of_the_sites_authority(
    tmp_path: Path,
) -> None:
    site = LnsSite(tmp_path, now=lambda: NOW)
    issued = site.add_gateway(GATEWAY)
    assert await site.directory.gateway(EUI) == GATEWAY
    certificate = await site.directory.certificate(issued.certificate_id)
    assert certificate is not None
    assert certificate.gateway_eui == EUI
    assert isinstance(client_context(site.authority, issued, tmp_path), ssl.SSLContext)


async def test_station_files_are_complete(tmp_path: Path) -> None:
    async with LnsSite(tmp_path) as site:
        site.write_station_files(tmp_path, site.add_gateway(GATEWAY))
        assert (tmp_path / "tc.uri").read_text() == site.uri
        for name in ("tc.trust", "tc.crt", "tc.key"):
            assert (tmp_path / name).read_bytes().startswith(b"-----BEGIN ")


async def test_a_failing_directory_fails() -> None:
    directory = KeptDirectory()
    directory.failure = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await directory.gateway(EUI)
    with pytest.raises(StoreUnavailable):
        await directory.certificate("")


async def test_events_are_found_by_kind_and_count() -> None:
    kept = KeptTraffic()
    record = kept.traffic().record
    first = GatewayConnected(at=NOW, gateway_eui=EUI, station="1")
    second = GatewayConnected(at=NOW, gateway_eui=EUI, station="2")
    for event in (first, GatewayDisconnected(at=NOW, gateway_eui=EUI, reason=""), second):
        record(event)
    assert await kept.event(GatewayConnected) == first
    assert await kept.event(GatewayConnected, 2) == second


async def test_waiting_for_what_never_happens_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lns_site, "WAIT_S", 0.0)
    with pytest.raises(TimeoutError):
        await KeptTraffic().wait_for(lambda: False)
