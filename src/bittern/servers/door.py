"""The door of an HTTP server: how many connections are in at once, and how long one may be silent.

aiohttp bounds neither. A connection costs memory and a descriptor before anything is known of who
it is, so there is room for a number of them, for half of it by one network, and whoever asks
nothing is sent away.
"""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bittern.config.peers import place_of


class Door:
    """Makes the protocols of a listener: it is called for each connection."""

    def __init__(
        self,
        server: web.Server,
        *,
        connections: int,
        silence_s: float,
    ) -> None:
        """`connections` at once; one that has asked nothing within `silence_s` is closed."""
        self._server = server
        self._connections = connections
        self._silence_s = silence_s
        self._silent: set[asyncio.BaseProtocol] = set()
        self.turned_away = 0
        """Connections that there was no room for."""

    def __call__(self) -> asyncio.Protocol:
        return _Visitor(self)

    def asked(self, request: web.BaseRequest) -> None:
        """The connection of `request` has said what it wants."""
        self._silent.discard(request.protocol)

    def enter(self, transport: asyncio.Transport) -> None:
        if not self._has_room_for(transport):
            self.turned_away += 1
            transport.abort()
            return
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        self._silent.add(handler)
        asyncio.get_running_loop().call_later(self._silence_s, self._drop_if_silent, handler)

    def _has_room_for(self, transport: asyncio.Transport) -> bool:
        inside = self._server.connections
        if len(inside) < self._connections // 2:
            return True
        place = _place(transport)
        neighbours = sum(
            one.transport is not None and _place(one.transport) == place for one in inside
        )
        return len(inside) < self._connections and neighbours < self._connections // 2

    def _drop_if_silent(self, handler: RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            if handler.transport is not None:
                handler.transport.abort()


class _Visitor(asyncio.Protocol):
    """Knows who comes, which the maker of a protocol does not."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.enter(cast(asyncio.Transport, transport))


def _place(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return place_of(peer[0]) if isinstance(peer, tuple) else ""
