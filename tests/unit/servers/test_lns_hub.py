"""Who may connect, and which connection of a gateway counts."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bittern.config import Lns
from bittern.errors import StoreUnavailable
from bittern.gateway.admission import Refused
from bittern.lorawan.radio import Transmission
from bittern.network.events import GatewayRefused
from bittern.servers.lns_hub import (
    Admitted,
    ConnectedGateway,
    LnsHub,
    limits_of,
)
from bittern.store.records import Gateway, GatewayCertificate
from bittern.testing.lns_site import KeptDirectory, KeptTraffic
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

NOW = Instant(1_763_690_000.0)
EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
GATEWAY = Gateway(id="g", gateway_eui=EUI, region="US915", created_at=NOW)
CERTIFICATE = GatewayCertificate(
    fingerprint="ab" * 32, gateway_eui=EUI, not_after=Instant(NOW + 1), created_at=NOW
)


class FakeConnection:
    """Remembers how it ended."""

    def __init__(self, admitted: Admitted | None = None) -> None:
        self.gateway_eui = EUI
        self.fingerprint: str | None = CERTIFICATE.fingerprint
        self.admitted = admitted
        self.ended: list[tuple[str, Refusal | None]] = []

    round_trip_s: float | None = None
    takes_frames = True
    remote = None

    def transmit(self, transmission: Transmission) -> bool:
        return True

    def readmit(self, admitted: Admitted) -> None:
        self.admitted = admitted

    def end(self, reason: str, refusal: Refusal | None = None) -> None:
        self.ended.append((reason, refusal))

    def describe(self) -> ConnectedGateway | None:
        return None


class Site:
    def __init__(self) -> None:
        self.directory = KeptDirectory()
        self.directory.gateways[EUI] = GATEWAY
        self.directory.certificates[CERTIFICATE.fingerprint] = CERTIFICATE
        self.kept = KeptTraffic()
        self.hub = LnsHub(Lns(), self.directory, self.kept.traffic(), lambda: NOW)


@pytest.fixture
async def site() -> Site:
    return Site()


async def test_a_registered_gateway_is_admitted_with_its_configuration(site: Site) -> None:
    decision = await site.hub.admit(EUI, CERTIFICATE.fingerprint)
    assert isinstance(decision, Admitted)
    assert decision.gateway == GATEWAY
    assert decision.router_config.region == "US915"


async def test_admission_looks_up_the_certificate_that_was_shown(site: Site) -> None:
    decision = await site.hub.admit(EUI, "cd" * 32)
    assert isinstance(decision, Refused)
    assert decision.refusal is Refusal.CERTIFICATE_UNKNOWN


async def test_a_removed_gateway_is_unknown(site: Site) -> None:
    del site.directory.gateways[EUI]
    decision = await site.hub.admit(EUI, CERTIFICATE.fingerprint)
    assert decision == Refused(Refusal.UNKNOWN_GATEWAY, f"gateway {EUI} is not registered")


async def test_without_the_store_nobody_is_admitted(site: Site) -> None:
    site.directory.failure = StoreUnavailable("disk full")
    assert await site.hub.admit(EUI, CERTIFICATE.fingerprint) == Refused(
        Refusal.STORE_UNAVAILABLE, "store unavailable: disk full"
    )


@pytest.mark.parametrize(
    ("gateway", "reason"),
    [
        (
            Gateway(id="g", gateway_eui=EUI, region="US915", sub_bands=(1, 2), created_at=NOW),
            "2 sub-bands need 2 concentrator boards",
        ),
        (Gateway(id="g", gateway_eui=EUI, region="XX1", created_at=NOW), "unknown region 'XX1'"),
    ],
)
async def test_a_gateway_that_cannot_be_configured_is_told_why(
    site: Site, gateway: Gateway, reason: str
) -> None:
    site.directory.gateways[EUI] = gateway
    decision = await site.hub.admit(EUI, CERTIFICATE.fingerprint)
    assert isinstance(decision, Refused)
    assert decision.refusal is Refusal.GATEWAY_MISCONFIGURED
    assert reason in decision.reason


async def test_a_change_that_changes_nothing_leaves_the_connection(site: Site) -> None:
    admitted = await site.hub.admit(EUI, CERTIFICATE.fingerprint)
    assert isinstance(admitted, Admitted)
    connection = FakeConnection(admitted)
    await site.hub.reconsider(connection)
    assert connection.ended == []


async def test_changed_settings_end_the_connection_so_that_they_are_fetched(site: Site) -> None:
    admitted = await site.hub.admit(EUI, CERTIFICATE.fingerprint)
    assert isinstance(admitted, Admitted)
    connection = FakeConnection(admitted)
    site.directory.gateways[EUI] = Gateway(id="g", gateway_eui=EUI, region="EU868", created_at=NOW)
    await site.hub.reconsider(connection)
    assert connection.ended == [("the gateway's settings have changed", None)]


async def test_a_deactivated_certificate_ends_the_connection(site: Site) -> None:
    connection = FakeConnection()
    site.directory.certificates[CERTIFICATE.fingerprint] = GatewayCertificate(
        fingerprint=CERTIFICATE.fingerprint,
        gateway_eui=EUI,
        active=False,
        not_after=CERTIFICATE.not_after,
        created_at=NOW,
    )
    await site.hub.reconsider(connection)
    [(reason, refusal)] = connection.ended
    assert refusal is Refusal.CERTIFICATE_INACTIVE
    assert "deactivated" in reason


async def test_the_newest_connection_of_a_gateway_counts(site: Site) -> None:
    older, newer = FakeConnection(), FakeConnection()
    site.hub.enter(older)
    site.hub.enter(newer)
    assert older.ended == [("replaced by a newer connection of the same gateway", None)]
    site.hub.leave(older)
    assert site.hub.find(EUI) is newer
    assert site.hub.connections() == [newer]
    site.hub.leave(newer)
    assert site.hub.find(EUI) is None


async def test_closing_waits_until_every_websocket_is_gone(site: Site) -> None:
    listener = FakeConnection()
    site.hub.opened(listener)
    closing = asyncio.ensure_future(site.hub.close_all("the end"))
    await asyncio.sleep(0)
    assert listener.ended == [("the end", None)]
    assert not closing.done()
    site.hub.closed(listener)
    await closing


async def test_a_refusal_is_counted_and_told(site: Site) -> None:
    site.hub.refuse(Refusal.UNKNOWN_GATEWAY, "no such", EUI, "192.0.2.7:1")
    site.hub.count(Refusal.UNKNOWN_MSGTYPE)
    assert site.kept.events == [
        GatewayRefused(
            at=NOW,
            refusal=Refusal.UNKNOWN_GATEWAY,
            reason="no such",
            gateway_eui=EUI,
            peer="192.0.2.7:1",
        )
    ]
    assert site.hub.statistics().refusals == {
        Refusal.UNKNOWN_GATEWAY: 1,
        Refusal.UNKNOWN_MSGTYPE: 1,
    }


async def test_a_failed_task_is_logged_by_name(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("a fault")

    with caplog.at_level(logging.ERROR):
        site.hub.start(fail(), "lns-something")
        for _ in range(3):
            await asyncio.sleep(0)
    assert "task=lns-something failed" in caplog.text


async def test_finishing_cancels_what_is_under_way(site: Site) -> None:
    began = asyncio.Event()

    async def wait_for_ever() -> None:
        began.set()
        await asyncio.Event().wait()

    site.hub.start(wait_for_ever(), "lns-something")
    await began.wait()
    await asyncio.wait_for(site.hub.finish(), 5)


def test_settings_are_those_of_the_configuration() -> None:
    limits = limits_of(
        Lns(
            minimum_station="2.0.7",
            malformed_per_minute=5,
            handshake_timeout_s=1.0,
            ping_interval_s=2.0,
            ping_timeout_s=3.0,
        )
    )
    assert limits.minimum_station == (2, 0, 7)
    assert limits.malformed_per_minute == 5
    assert limits.version_timeout_s == 1
    assert (limits.ping_interval_s, limits.ping_timeout_s) == (2, 3)
