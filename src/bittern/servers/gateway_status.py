"""Keep in the store how each gateway is: connected or not, since when, and what it has done.

Connections are told at once and written within a second; what is counted, once a minute. A crash
loses the counts of that minute and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from bittern.errors import NotFound, StoreError
from bittern.gateway.admission import Place
from bittern.network.events import GatewayRefused, NetworkEvent
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.store.gateway_records import (
    GatewayConnection,
    GatewayRefusal,
    GatewayState,
    StatePart,
)
from bittern.types import GatewayEUI, Instant

logger = logging.getLogger("bittern.servers.gateway_status")

WRITE_S = 1.0
COUNT_S = 60.0
GROUP = 250
"""States written in one transaction: uplinks wait for it."""

Counted = tuple[ConnectedGateway, Counts, float | None]


class FleetStore(Protocol):
    """What is used of the store."""

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState: ...
    async def gateway_states(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[tuple[GatewayEUI, GatewayState]]: ...
    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None: ...


class StatusKeeper:
    """A `ConnectionWatcher`; `run` is its task, `finish` writes what is left."""

    def __init__(self, store: FleetStore, now: Callable[[], Instant]) -> None:
        self._store = store
        self._now = now
        self._before: dict[GatewayEUI, GatewayConnection] = {}
        """What was counted before this server began, read when it is first needed."""
        self._ended: dict[GatewayEUI, Counts] = {}
        """What has passed over connections that ended since."""
        self._to_write: dict[tuple[GatewayEUI, type[StatePart]], StatePart] = {}

    # What happens

    def connected(self, gateway: ConnectedGateway) -> None:
        total = self._ended.setdefault(gateway.gateway_eui, Counts())
        total.connections += 1
        self._keep(gateway, Counts(), None)

    def disconnected(
        self, gateway: ConnectedGateway, counts: Counts, round_trip_s: float | None, reason: str
    ) -> None:
        total = self._ended.setdefault(gateway.gateway_eui, Counts())
        total.add(counts)
        self._keep(gateway, Counts(), round_trip_s, ended=reason)

    def record(self, event: NetworkEvent, place: Place = "lns") -> None:
        """Keep a refusal of a gateway that said who it is."""
        if isinstance(event, GatewayRefused) and event.gateway_eui is not None:
            part = GatewayRefusal(
                at=event.at,
                place=place,
                refusal=event.refusal,
                reason=event.reason,
                peer=event.peer,
            )
            self._to_write[event.gateway_eui, GatewayRefusal] = part

    # What is written

    async def run(self, counted: Callable[[], Iterable[Counted]]) -> None:
        """Until cancelled. ``counted`` tells of every connection that is up."""
        await self._end_what_was_left()
        next_count = self._now() + COUNT_S
        while True:
            await asyncio.sleep(WRITE_S)
            if self._now() >= next_count:
                next_count = self._now() + COUNT_S
                self.count(counted())
            await self.write()

    async def finish(self) -> None:
        """At the end, after every connection has been closed."""
        await self.write()

    async def write(self) -> None:
        """Everything that has changed. What cannot be written now is tried again."""
        while self._to_write:
            group = dict(list(self._to_write.items())[:GROUP])
            for key in group:
                del self._to_write[key]
            try:
                await asyncio.gather(*(self._put(key[0], part) for key, part in group.items()))
            except StoreError as error:
                logger.warning("gateways' states cannot be written reason=%r", str(error))
                self._to_write = group | self._to_write
                return

    async def _put(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        try:
            if isinstance(part, GatewayConnection):
                part = await self._with_what_was(gateway_eui, part)
            await self._store.put_gateway_state(gateway_eui, part)
        except NotFound:  # it was removed, or never registered
            self._before.pop(gateway_eui, None)
            self._ended.pop(gateway_eui, None)

    async def _with_what_was(
        self, gateway_eui: GatewayEUI, part: GatewayConnection
    ) -> GatewayConnection:
        """Counts since registration."""
        before = self._before.get(gateway_eui)
        if before is None:
            kept = (await self._store.gateway_state(gateway_eui)).connection
            before = kept or GatewayConnection(connected=False, changed_at=part.changed_at)
            self._before[gateway_eui] = before
        return msgspec.structs.replace(
            part,
            round_trip_s=before.round_trip_s if part.round_trip_s is None else part.round_trip_s,
            last_uplink_at=part.last_uplink_at or before.last_uplink_at,
            received=before.received + part.received,
            forwarded=before.forwarded + part.forwarded,
            refused=before.refused + part.refused,
            transmitted=before.transmitted + part.transmitted,
            connections=before.connections + part.connections,
        )

    def count(self, counted: Iterable[Counted]) -> None:
        for gateway, counts, round_trip_s in counted:
            self._keep(gateway, counts, round_trip_s)

    def _keep(
        self,
        gateway: ConnectedGateway,
        counts: Counts,
        round_trip_s: float | None,
        ended: str | None = None,
    ) -> None:
        """What is to be written: everything of this server, whether its connections are up or
        not."""
        total = Counts()
        total.add(self._ended.get(gateway.gateway_eui, total))
        total.add(counts)
        self._to_write[gateway.gateway_eui, GatewayConnection] = GatewayConnection(
            connected=ended is None,
            changed_at=gateway.connected_at if ended is None else self._now(),
            reason=ended or "",
            peer=gateway.peer,
            station=gateway.station,
            model=gateway.model,
            package=gateway.package,
            features=gateway.features,
            certificate=gateway.certificate,
            round_trip_s=round_trip_s,
            last_uplink_at=total.last_uplink_at,
            received=total.received,
            forwarded=total.forwarded,
            refused=total.refused,
            transmitted=total.transmitted,
            connections=total.connections,
        )

    async def _end_what_was_left(self) -> None:
        """The last server ended without a word: nothing is connected yet."""
        after: GatewayEUI | None = None
        while page := await self._store.gateway_states(after):
            after = page[-1][0]
            left = (
                (gateway_eui, state.connection)
                for gateway_eui, state in page
                if state.connection is not None and state.connection.connected
            )
            # Together they share a transaction; one by one, thousands take minutes.
            await asyncio.gather(*(self._end(gateway_eui, was) for gateway_eui, was in left))

    async def _end(self, gateway_eui: GatewayEUI, was: GatewayConnection) -> None:
        if (gateway_eui, GatewayConnection) in self._to_write:
            return
        self._before[gateway_eui] = ended = msgspec.structs.replace(
            was, connected=False, changed_at=self._now(), reason="the server ended"
        )
        with contextlib.suppress(NotFound):  # removed since the page was read
            await self._store.put_gateway_state(gateway_eui, ended)
