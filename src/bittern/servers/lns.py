"""The LNS: one TLS port to which Basics Stations connect.

``GET /router-info`` answers where to connect; ``GET /gateway/<EUI>`` is the data connection. The
certificate is checked on both: a URI is no secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Self

from picows import WSListener, WSUpgradeRequest

from bittern.config import Lns
from bittern.config.quiet import Quiet
from bittern.gateway import discovery
from bittern.lorawan.radio import Transmission
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.servers.admission import GatewayDirectory
from bittern.servers.lns_data import DataListener
from bittern.servers.lns_discovery import DiscoveryListener
from bittern.servers.lns_hub import (
    ConnectedGateway,
    ConnectionWatcher,
    Counts,
    LnsHub,
    LnsStatistics,
    Traffic,
)
from bittern.servers.lns_remote import Remote
from bittern.servers.websocket import websocket_protocol
from bittern.store.records import Change
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

logger = logging.getLogger("bittern.servers.lns")

FAREWELL_S = 5.0
"""How long gateways may take to answer our close when the server ends."""

# picows tells of every connection; what matters of it is told by the listeners, by gateway.
_websocket_logger = logger.getChild("websocket")
_websocket_logger.setLevel(logging.CRITICAL)


class LnsServer:
    """Listens from ``__aenter__`` to ``__aexit__``; a `GatewayLink` of the network."""

    def __init__(
        self,
        *,
        settings: Lns,
        host: str,
        context: ssl.SSLContext,
        directory: GatewayDirectory,
        traffic: Traffic,
        now: Callable[[], Instant],
    ) -> None:
        """``context`` must be this server's alone, and ask for a client's certificate."""
        self._hub = LnsHub(settings, directory, traffic, now)
        self._host = host
        self._context = context
        self._now = now
        self._quiet = Quiet()
        self._acceptor: Acceptor | None = None

    async def __aenter__(self) -> Self:
        settings = self._hub.settings
        make_protocol = websocket_protocol(
            self._route,
            _websocket_logger,
            handshake_timeout_s=settings.handshake_timeout_s,
            max_frame_bytes=settings.max_message_bytes,
        )
        limits = AcceptorLimits(
            handshake_timeout_s=settings.handshake_timeout_s, handshakes=settings.handshakes
        )
        acceptor = Acceptor(
            make_protocol,
            self._context,
            host=self._host,
            port=settings.port,
            limits=limits,
            on_failed=self._on_failed_handshake,
        )
        self._acceptor = await acceptor.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection in order; gateways come back by themselves."""
        if self._acceptor is None:
            return
        await self._acceptor.__aexit__()
        await self._hub.finish()
        # Listeners cut what does not answer; this is for a fault of ours.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hub.close_all("the server is shutting down"), FAREWELL_S)
        self._acceptor = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        if self._acceptor is None:
            raise RuntimeError("the LNS is not started")
        return self._acceptor.address

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        """Hand a frame to a gateway, at once. False: it is not connected, or too far behind."""
        connection = self._hub.find(gateway_eui)
        return connection is not None and connection.transmit(transmission)

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        """Whether it would take a frame now."""
        connection = self._hub.find(gateway_eui)
        return connection is not None and connection.takes_frames

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        """To the gateway and back, at worst of late; None: not measured, or not connected."""
        connection = self._hub.find(gateway_eui)
        return None if connection is None else connection.round_trip_s

    def remote(self, gateway_eui: GatewayEUI) -> Remote | None:
        """What an administrator may do on a gateway; None: it is not connected."""
        connection = self._hub.find(gateway_eui)
        return None if connection is None else connection.remote

    def connected(self) -> list[ConnectedGateway]:
        """Gateways whose data connection is up."""
        described = (connection.describe() for connection in self._hub.connections())
        return [gateway for gateway in described if gateway is not None]

    def watch(self, watcher: ConnectionWatcher) -> None:
        """Tell it of every gateway that connects or disconnects."""
        self._hub.watchers.append(watcher)

    def counted(self) -> list[tuple[ConnectedGateway, Counts, float | None]]:
        """Of each connection that is up: what has passed over it, and its round trip."""
        return [
            (gateway, connection.counts, connection.round_trip_s)
            for connection in self._hub.connections()
            if (gateway := connection.describe()) is not None
        ]

    def follow(self, changes: Sequence[Change]) -> None:
        """An operator changed gateways or certificates: connections that no longer may be end."""
        for change in changes:
            for connection in self._hub.connections():
                if _concerns(change, connection.gateway_eui, connection.fingerprint):
                    name = f"lns-reconsider-{connection.gateway_eui}"
                    self._hub.start(self._hub.reconsider(connection), name)

    def reconsider_all(self) -> None:
        """Anything may have changed."""
        for connection in self._hub.connections():
            name = f"lns-reconsider-{connection.gateway_eui}"
            self._hub.start(self._hub.reconsider(connection), name)

    def statistics(self) -> LnsStatistics:
        return self._hub.statistics()

    def _route(self, request: WSUpgradeRequest) -> WSListener | None:
        path = request.path.decode("ascii", "replace")
        if path == discovery.PATH:
            return DiscoveryListener(self._hub)
        gateway_eui = discovery.gateway_of_path(path)
        return DataListener(self._hub, gateway_eui) if gateway_eui is not None else None

    def _on_failed_handshake(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        self._hub.counters.failed_handshakes += 1
        if not self._quiet.may_tell(reason, self._now()):
            if refusal is not None:
                self._hub.count(refusal)
            return
        if refusal is not None:
            self._hub.refuse(refusal, reason, None, peer)
        else:
            logger.warning("handshake failed peer=%s reason=%r", peer, reason)


def _concerns(change: Change, gateway_eui: GatewayEUI, fingerprint: str | None) -> bool:
    match change.kind:
        case "gateway":
            return EUI64.from_hex(change.identity) == gateway_eui
        case "certificate":
            return change.identity == fingerprint
        case _:
            return False
