"""What the LNS listeners share: who may connect, who is connected, and what was counted."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from bittern.config import Lns
from bittern.gateway.admission import Refused
from bittern.gateway.lns import LnsLimits
from bittern.gateway.lns_messages import RouterConfig
from bittern.gateway.router_config import router_config
from bittern.lorawan.radio import Reception, Transmission, TransmissionReport
from bittern.lorawan.regions import plan
from bittern.network.events import (
    GatewayConnected,
    GatewayDisconnected,
    GatewayRefused,
    NetworkEvent,
)
from bittern.servers.admission import GatewayDirectory, admit
from bittern.servers.lns_remote import Remote
from bittern.store.gateway_settings import settings_of
from bittern.store.records import Gateway
from bittern.types import GatewayEUI, Instant, Refusal

logger = logging.getLogger("bittern.servers.lns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Where the listeners hand on what gateways say. All of it is called synchronously, on the
    event loop and often: it must not block."""

    on_uplink: Callable[[bytes, Reception], None]
    on_transmitted: Callable[[TransmissionReport], None]
    record: Callable[[NetworkEvent], None]


class ConnectedGateway(msgspec.Struct, frozen=True, kw_only=True):
    """A data connection that is up."""

    gateway_eui: GatewayEUI
    gateway_id: str = ""
    station: str
    model: str = ""
    package: str = ""
    features: tuple[str, ...]
    peer: str
    certificate: str = ""
    """Fingerprint of the one it shows."""
    connected_at: Instant


class Counts(msgspec.Struct):
    """What has passed over data connections of one gateway (`GatewayConnection`)."""

    received: int = 0
    forwarded: int = 0
    refused: int = 0
    transmitted: int = 0
    connections: int = 0
    last_uplink_at: Instant | None = None

    def add(self, more: Counts) -> None:
        self.received += more.received
        self.forwarded += more.forwarded
        self.refused += more.refused
        self.transmitted += more.transmitted
        self.connections += more.connections
        self.last_uplink_at = more.last_uplink_at or self.last_uplink_at


class ConnectionWatcher(Protocol):
    """Whoever keeps how gateways are. Called on the event loop: it must not block."""

    def connected(self, gateway: ConnectedGateway) -> None: ...

    def disconnected(
        self, gateway: ConnectedGateway, counts: Counts, round_trip_s: float | None, reason: str
    ) -> None: ...


class Endable(Protocol):
    """What the hub knows of any websocket."""

    def end(self, reason: str, refusal: Refusal | None = None) -> None: ...


class Connection(Endable, Protocol):
    """What the hub knows of a data connection."""

    admitted: Admitted | None
    fingerprint: str | None
    gateway_eui: GatewayEUI
    counts: Counts

    @property
    def round_trip_s(self) -> float | None: ...
    @property
    def takes_frames(self) -> bool: ...
    def transmit(self, transmission: Transmission) -> bool: ...
    @property
    def remote(self) -> Remote | None: ...
    def readmit(self, admitted: Admitted) -> None: ...
    def describe(self) -> ConnectedGateway | None: ...


class Admitted(msgspec.Struct, frozen=True):
    """A gateway that may connect, and what it is told."""

    gateway: Gateway
    router_config: RouterConfig


class LnsStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counted since the start, but for ``connections``."""

    connections: int
    connections_opened: int
    discoveries: int
    failed_handshakes: int
    messages_in: int
    messages_out: int
    uplinks: int
    refusals: dict[Refusal, int]


@dataclass(slots=True)
class Counters:
    """Plain numbers: one addition for each message."""

    connections_opened: int = 0
    discoveries: int = 0
    failed_handshakes: int = 0
    messages_in: int = 0
    messages_out: int = 0
    uplinks: int = 0
    refusals: Counter[Refusal] = field(default_factory=Counter)


class LnsHub:
    """One for a server."""

    def __init__(
        self,
        settings: Lns,
        directory: GatewayDirectory,
        traffic: Traffic,
        now: Callable[[], Instant],
    ) -> None:
        self.settings = settings
        self.limits = limits_of(settings)
        self.traffic = traffic
        self.now = now
        self.counters = Counters()
        self.watchers: list[ConnectionWatcher] = []
        self._directory = directory
        self._connections: dict[GatewayEUI, Connection] = {}
        self._open: set[Endable] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._tasks: set[asyncio.Task[None]] = set()

    # Who may connect

    async def admit(self, gateway_eui: GatewayEUI, fingerprint: str | None) -> Admitted | Refused:
        """The decision on one gateway, from what is registered now."""
        gateway = await admit(self._directory, "lns", gateway_eui, fingerprint, self.now())
        if isinstance(gateway, Refused):
            return gateway
        try:
            return Admitted(gateway, router_config(plan(gateway.region), settings_of(gateway)))
        except ValueError as error:
            reason = f"gateway {gateway_eui} cannot be configured: {error}"
            return Refused(Refusal.GATEWAY_MISCONFIGURED, reason)

    async def reconsider(self, connection: Connection) -> None:
        """What is registered has changed: end the connection if it may no longer be, and if the
        gateway is to be configured otherwise, since it asks for its configuration on connecting."""
        decision = await self.admit(connection.gateway_eui, connection.fingerprint)
        if isinstance(decision, Refused):
            connection.end(decision.reason, decision.refusal)
        elif connection.admitted is not None:
            if decision.router_config != connection.admitted.router_config:
                connection.end("the gateway's settings have changed")
            connection.readmit(decision)

    # Who is connected

    def enter(self, connection: Connection) -> None:
        """The newest connection of a gateway counts; an older one ends."""
        older = self._connections.get(connection.gateway_eui)
        self._connections[connection.gateway_eui] = connection
        if older is not None:
            older.end("replaced by a newer connection of the same gateway")

    def leave(self, connection: Connection) -> None:
        if self._connections.get(connection.gateway_eui) is connection:
            del self._connections[connection.gateway_eui]

    def find(self, gateway_eui: GatewayEUI) -> Connection | None:
        return self._connections.get(gateway_eui)

    def connections(self) -> list[Connection]:
        return list(self._connections.values())

    def connected(self, gateway: ConnectedGateway) -> None:
        """It has its configuration."""
        self.traffic.record(
            GatewayConnected(
                at=gateway.connected_at,
                gateway_eui=gateway.gateway_eui,
                station=gateway.station,
                peer=gateway.peer,
            )
        )
        for watcher in self.watchers:
            watcher.connected(gateway)

    def disconnected(
        self, gateway: ConnectedGateway, counts: Counts, round_trip_s: float | None, reason: str
    ) -> None:
        """It was connected, and is no longer."""
        self.traffic.record(
            GatewayDisconnected(at=self.now(), gateway_eui=gateway.gateway_eui, reason=reason)
        )
        for watcher in self.watchers:
            watcher.disconnected(gateway, counts, round_trip_s, reason)

    # Every websocket, admitted or not

    def opened(self, listener: Endable) -> None:
        self._open.add(listener)
        self._all_closed.clear()

    def closed(self, listener: Endable) -> None:
        self._open.discard(listener)
        if not self._open:
            self._all_closed.set()

    async def close_all(self, reason: str) -> None:
        """End every websocket, and wait until each is gone."""
        for listener in list(self._open):
            listener.end(reason)
        await self._all_closed.wait()

    # What is counted and told

    def refuse(
        self, refusal: Refusal, reason: str, gateway_eui: GatewayEUI | None, peer: str = ""
    ) -> None:
        """Count a refusal and tell of it."""
        self.count(refusal)
        self.traffic.record(
            GatewayRefused(
                at=self.now(), refusal=refusal, reason=reason, gateway_eui=gateway_eui, peer=peer
            )
        )

    def count(self, refusal: Refusal) -> None:
        self.counters.refusals[refusal] += 1

    def statistics(self) -> LnsStatistics:
        counters = self.counters
        return LnsStatistics(
            connections=len(self._connections),
            connections_opened=counters.connections_opened,
            discoveries=counters.discoveries,
            failed_handshakes=counters.failed_handshakes,
            messages_in=counters.messages_in,
            messages_out=counters.messages_out,
            uplinks=counters.uplinks,
            refusals=dict(counters.refusals),
        )

    # What takes time

    def start(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(self._supervised(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Cancel what is under way."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _supervised(self, work: Coroutine[None, None, None], name: str) -> None:
        try:
            await work
        except Exception:
            logger.exception("task=%s failed", name)


def limits_of(settings: Lns) -> LnsLimits:
    major, minor, patch = map(int, settings.minimum_station.split("."))
    return LnsLimits(
        minimum_station=(major, minor, patch),
        malformed_per_minute=settings.malformed_per_minute,
        version_timeout_s=settings.handshake_timeout_s,
        ping_interval_s=settings.ping_interval_s,
        ping_timeout_s=settings.ping_timeout_s,
    )
