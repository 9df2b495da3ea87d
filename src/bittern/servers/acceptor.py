"""Where connections of gateways begin: TCP, then TLS, then the protocol of the server.

When a server comes back, thousands of gateways connect at once. Handshakes cost it a millisecond or
two each, and all of them begun together would all be late: so a few are under way at a time, first
come first served, and the others wait before they cost anything. Nobody gets more than a share:
neither connections that send nothing, which wait aside, nor one address.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Self

from aiofastnet import connect_accepted_socket

from bittern.config.peers import place_of
from bittern.servers.loop_faults import tell_faults_of_ours
from bittern.servers.tls import explained
from bittern.types import Refusal

logger = logging.getLogger("bittern.servers.acceptor")

OnFailed = Callable[[Refusal | None, str, str], None]
"""Called with the refusal, None where it is not ours, the reason and the peer."""

TLS_BUFFER_BYTES = 16 * 1024 + 64
"""For each direction of each connection: one TLS record. uvloop's own TLS keeps a quarter of a
megabyte of address space and 25 KiB more of memory, and takes longer for every message."""
ACCEPT_AGAIN_S = 0.5
"""After the system had no room for another connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptorLimits:
    """What connections may use before they are anybody's."""

    handshake_timeout_s: float = 10.0
    """For the first byte, and then for the handshake."""
    handshakes: int = 128
    """Under way at the same time."""
    handshakes_by_address: int = 64
    """Of these by one place (`place_of`): many gateways may stand behind one."""
    waiting: int = 20_000
    """Connections that are not yet through; more are left to the system's backlog. Half of them by
    one place; more of it are closed at once."""


class Acceptor:
    """Listens from ``__aenter__`` to ``__aexit__``. Connections that are through stay."""

    def __init__(
        self,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
        *,
        host: str,
        port: int,
        limits: AcceptorLimits,
        on_failed: OnFailed,
    ) -> None:
        self._make_protocol = make_protocol
        self._context = context
        self._host = host
        self._port = port
        self._limits = limits
        self._on_failed = on_failed
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(limits.handshakes)
        self._places = asyncio.Semaphore(limits.waiting)
        self._shares: dict[str, asyncio.Semaphore] = {}
        self._by_address: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()
        self.turned_away = 0
        """Connections of places that had their share of those that wait."""

    async def __aenter__(self) -> Self:
        """Raises OSError where the address is taken or not this machine's."""
        self._sockets = [_listening(*found) for found in await _found(self._host, self._port)]
        tell_faults_of_ours(asyncio.get_running_loop())
        for listening in self._sockets:
            self._keep(self._accept(listening), f"accept {listening.getsockname()}")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for listening in self._sockets:
            listening.close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first socket."""
        host, port = self._sockets[0].getsockname()[:2]
        return str(host), int(port)

    @property
    def waiting(self) -> int:
        """Connections that are not yet through."""
        return sum(self._by_address.values())

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._places.acquire()
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError as error:  # no descriptors left: they will be
                self._places.release()
                logger.warning("no connection can be accepted reason=%r", str(error))
                await asyncio.sleep(ACCEPT_AGAIN_S)
                continue
            peer, place = _peer(address), place_of(str(address[0]))
            if self._inside[place] >= max(self._limits.waiting // 2, 1):
                self.turned_away += 1
                self._places.release()
                connection.close()
                continue
            self._inside[place] += 1
            self._keep(self._welcome(connection, place, peer), f"welcome {peer}")

    async def _welcome(self, connection: socket.socket, place: str, peer: str) -> None:
        """Exactly one of the two: a protocol owns the connection, or it is closed."""
        owned = False
        try:
            async with asyncio.timeout(self._limits.handshake_timeout_s):
                await _readable(connection)
            async with self._turn(place):
                await self._begin(connection)
                owned = True
        except TimeoutError:
            self._on_failed(None, "TLS did not begin in time", peer)
        except ssl.SSLError as error:
            self._on_failed(*explained(error), peer)
        except OSError as error:
            # Nothing to say: the other end has gone without a word, a probe of a load balancer.
            self._on_failed(None, f"TLS failed: {str(error) or 'closed by the other end'}", peer)
        finally:
            self._places.release()
            self._leave(place)
            if not owned:
                connection.close()

    def _leave(self, place: str) -> None:
        self._inside[place] -= 1
        if not self._inside[place]:
            del self._inside[place]

    async def _begin(self, connection: socket.socket) -> None:
        await connect_accepted_socket(
            asyncio.get_running_loop(),
            self._make_protocol,
            connection,
            ssl=self._context,
            ssl_handshake_timeout=self._limits.handshake_timeout_s,
            ssl_incoming_bio_size=TLS_BUFFER_BYTES,
            ssl_outgoing_bio_size=TLS_BUFFER_BYTES,
        )

    @contextlib.asynccontextmanager
    async def _turn(self, place: str) -> AsyncIterator[None]:
        most = self._limits.handshakes_by_address
        share = self._shares.setdefault(place, asyncio.Semaphore(most))
        self._by_address[place] += 1
        try:
            async with share, self._room:
                yield
        finally:
            self._by_address[place] -= 1
            if not self._by_address[place]:
                del self._by_address[place], self._shares[place]

    def _keep(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _found(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    infos = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # An address may be found twice.
    return list(dict.fromkeys((family, address) for family, _, _, _, address in infos))  # type: ignore[misc]


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind(address)
        made.listen(4096)
    except OSError:
        made.close()
        raise
    return made


async def _readable(connection: socket.socket) -> None:
    """Until the other end has sent something, or has gone."""
    loop, descriptor = asyncio.get_running_loop(), connection.fileno()
    arrived = asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(descriptor)


def _peer(address: tuple[object, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
