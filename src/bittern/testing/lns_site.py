"""A whole LNS with its own certificate authority, for tests: what gateways say is kept."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from bittern.config import Lns
from bittern.errors import StoreError
from bittern.lorawan.radio import Reception, TransmissionReport
from bittern.network.events import NetworkEvent
from bittern.pki.authority import Authority, open_authority
from bittern.pki.identity import server_identity
from bittern.pki.issuing import Issued, issue_gateway_certificate, server_names
from bittern.pki.tls import gateway_listener
from bittern.servers.lns import LnsServer
from bittern.servers.lns_hub import Traffic
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant

T = TypeVar("T")
WAIT_S = 10.0


def wall_clock() -> Instant:
    return Instant(time.time())


class KeptDirectory:
    """Gateways and certificates in two dictionaries."""

    def __init__(self) -> None:
        self.gateways: dict[GatewayEUI, Gateway] = {}
        self.certificates: dict[str, GatewayCertificate] = {}
        self.failure: StoreError | None = None

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None:
        if self.failure is not None:
            raise self.failure
        return self.gateways.get(gateway_eui)

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
        if self.failure is not None:
            raise self.failure
        return self.certificates.get(fingerprint)


class KeptTraffic:
    """What gateways said, in order; a test waits for what it expects next."""

    def __init__(self) -> None:
        self.uplinks: list[tuple[bytes, Reception]] = []
        self.reports: list[TransmissionReport] = []
        self.events: list[NetworkEvent] = []
        self._happened = asyncio.Event()

    def traffic(self) -> Traffic:
        return Traffic(
            on_uplink=self._on_uplink, on_transmitted=self._on_transmitted, record=self._record
        )

    async def wait_for(self, found: Callable[[], T]) -> T:
        """The first true answer of ``found``, asked whenever something happened."""
        async with asyncio.timeout(WAIT_S):
            while not (answer := found()):
                self._happened.clear()
                await self._happened.wait()
        return answer

    async def event(self, kind: type[T], count: int = 1) -> T:
        """The ``count``-th event of that kind."""
        kept = await self.wait_for(
            lambda: [event for event in self.events if isinstance(event, kind)][count - 1 :]
        )
        return kept[0]

    def _on_uplink(self, phy_payload: bytes, reception: Reception) -> None:
        self.uplinks.append((phy_payload, reception))
        self._happened.set()

    def _on_transmitted(self, report: TransmissionReport) -> None:
        self.reports.append(report)
        self._happened.set()

    def _record(self, event: NetworkEvent) -> None:
        self.events.append(event)
        self._happened.set()


class LnsSite:
    """An async context manager: the server listens on a free port of 127.0.0.1 meanwhile."""

    def __init__(
        self,
        folder: Path,
        settings: Lns | None = None,
        now: Callable[[], Instant] = wall_clock,
    ) -> None:
        self._now = now
        self.authority: Authority = open_authority(folder / "pki", now())
        names = server_names("", (), "127.0.0.1")
        identity = server_identity(folder / "pki", self.authority, names, now())
        self.directory = KeptDirectory()
        self.kept = KeptTraffic()
        self.server = LnsServer(
            settings=settings or Lns(port=0),
            host="127.0.0.1",
            context=gateway_listener(identity, self.authority.pem),
            directory=self.directory,
            traffic=self.kept.traffic(),
            now=now,
        )

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.server.__aexit__(*error)

    @property
    def uri(self) -> str:
        """What stands in a gateway's ``tc.uri``."""
        return f"wss://localhost:{self.server.address[1]}"

    def add_gateway(self, gateway: Gateway) -> Issued:
        """Register it, with a certificate of its own."""
        self.directory.gateways[gateway.gateway_eui] = gateway
        issued = issue_gateway_certificate(self.authority, gateway.gateway_eui, self._now())
        self.directory.certificates[issued.certificate_id] = GatewayCertificate(
            fingerprint=issued.certificate_id,
            gateway_eui=gateway.gateway_eui,
            not_after=issued.not_after,
            created_at=self._now(),
        )
        return issued

    def write_station_files(self, folder: Path, issued: Issued) -> None:
        """``tc.uri tc.trust tc.crt tc.key``, as a station reads them."""
        (folder / "tc.uri").write_text(self.uri)
        (folder / "tc.trust").write_bytes(self.authority.pem)
        (folder / "tc.crt").write_bytes(issued.certificate_pem)
        (folder / "tc.key").write_bytes(issued.private_key_pem())


def client_context(authority: Authority, issued: Issued | None, folder: Path) -> ssl.SSLContext:
    """TLS as a gateway speaks it; without ``issued`` it shows no certificate."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if issued is not None:
        file = folder / f"{issued.certificate_id}.pem"
        file.write_bytes(issued.certificate_pem + issued.private_key_pem())
        context.load_cert_chain(file)
    return context
