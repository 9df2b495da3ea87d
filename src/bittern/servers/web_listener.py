"""Where a server of aiohttp listens: behind a door, with TLS or without."""

from __future__ import annotations

import asyncio
import ssl
from typing import Self

from aiohttp import web

from bittern.servers.acceptor import Acceptor, AcceptorLimits, OnFailed
from bittern.servers.door import Door


class WebListener:
    """Listens from ``__aenter__`` to ``__aexit__``. Port 0 takes a free one."""

    def __init__(
        self,
        runner: web.BaseRunner,
        *,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        connections: int,
        silence_s: float,
        limits: AcceptorLimits,
        on_failed: OnFailed,
    ) -> None:
        """``context``: of TLS; None: plain HTTP, without `limits` and `on_failed`. `Door` has the
        meaning of ``connections`` and ``silence_s``."""
        self._runner = runner
        self._host, self._port = host, port
        self._context = context
        self._connections, self._silence_s = connections, silence_s
        self._limits = limits
        self._on_failed = on_failed
        self._door: Door | None = None
        self._listener: Acceptor | _Plain | None = None

    async def __aenter__(self) -> Self:
        """Raises OSError where the address is taken or not this machine's."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._door = Door(
            self._runner.server, connections=self._connections, silence_s=self._silence_s
        )
        try:
            self._listener = await self._listening(self._door).__aenter__()
        except BaseException:
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.__aexit__(None, None, None)
            await self._runner.cleanup()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on. Raises RuntimeError while it does not."""
        if self._listener is None:
            raise RuntimeError("nobody listens yet, or any more")
        return self._listener.address

    @property
    def inside(self) -> int:
        """Connections at this moment."""
        return len(self._runner.server.connections) if self._runner.server else 0

    @property
    def turned_away(self) -> int:
        """Connections that there was no room for."""
        return self._door.turned_away if self._door else 0

    def asked(self, request: web.BaseRequest) -> None:
        """To be told of every request: its connection is not silent."""
        if self._door is not None:
            self._door.asked(request)

    def _listening(self, door: Door) -> Acceptor | _Plain:
        if self._context is None:
            return _Plain(door, self._host, self._port)
        return Acceptor(
            door,
            self._context,
            host=self._host,
            port=self._port,
            limits=self._limits,
            on_failed=self._on_failed,
        )


class _Plain:
    """A listener without TLS."""

    def __init__(self, door: Door, host: str, port: int) -> None:
        self._door, self._host, self._port = door, host, port
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._door, self._host, self._port, backlog=128)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)
