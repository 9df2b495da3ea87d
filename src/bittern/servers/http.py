"""The HTTP listener: health and metrics, and whatever routes it is given beside them.

`/health` answers 200 while everything works and 503 while something does not, and says what;
`/metrics` is for Prometheus. The API and the console are more routes on the same application.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal, Self

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry

from bittern.config.quiet import Quiet
from bittern.errors import BitternError
from bittern.outputs.port import Health
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.servers.door import Door
from bittern.servers.metrics import exposition
from bittern.types import Instant, Refusal

logger = logging.getLogger("bittern.servers.http")

Check = Callable[[], Awaitable[Health]]
"""Whether a part works now. What it raises of `BitternError` means that it does not."""

CHECK_LIMIT_S = 2.0
"""A part that has not said by then how it is, is not well."""


KEEPALIVE_S = 75.0
"""A connection on which nothing more is asked for so long is closed."""
SILENCE_S = 20.0
"""One on which nothing was asked by then, or not completely, is closed."""
CONNECTIONS = 1000


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one part is."""

    working: bool
    detail: str = ""


class HealthReport(msgspec.Struct, frozen=True):
    """The body of `/health`."""

    status: Literal["ok", "failing"]
    version: str
    checks: dict[str, Verdict]


class HttpServer:
    """Listens inside its context, on `address`. Port 0 takes a free one."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        version: str,
        checks: Mapping[str, Check],
        metrics: CollectorRegistry,
        routes: Iterable[web.AbstractRouteDef] = (),
        context: ssl.SSLContext | None = None,
        connections: int = CONNECTIONS,
        silence_s: float = SILENCE_S,
    ) -> None:
        """``context``: of TLS; without one it speaks plain HTTP. ``connections`` at once, half of
        them by one network; one that has asked nothing within ``silence_s`` is closed."""
        self._quiet = Quiet()
        self._context = context
        self._connections, self._silence_s = connections, silence_s
        self._version = version
        self._checks = dict(checks)
        self._metrics = metrics
        self._host, self._port = host, port
        app = web.Application(middlewares=[self._heard])
        app.add_routes([web.get("/health", self._health), web.get("/metrics", self._expose)])
        app.add_routes(routes)
        self._door: Door | None = None
        self._listener: Acceptor | _Plain | None = None
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=KEEPALIVE_S
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        assert self._listener is not None
        return self._listener.address

    def statistics(self) -> Mapping[str, float]:
        return {
            "connections": len(self._runner.server.connections) if self._runner.server else 0,
            "turned_away": self._door.turned_away if self._door else 0,
        }

    async def __aenter__(self) -> Self:
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
        if self._listener is not None:
            await self._listener.__aexit__(None, None, None)
        await self._runner.cleanup()

    def _listening(self, door: Door) -> Acceptor | _Plain:
        if self._context is None:
            return _Plain(door, self._host, self._port)
        return Acceptor(
            door,
            self._context,
            host=self._host,
            port=self._port,
            limits=AcceptorLimits(waiting=self._connections),
            on_failed=self._tell_failed_handshake,
        )

    def _tell_failed_handshake(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        why = str(refusal or reason)
        if self._quiet.may_tell(why, Instant(time.monotonic())):
            logger.warning("handshake failed peer=%s reason=%r", peer, why)

    @web.middleware
    async def _heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        assert self._door is not None
        self._door.asked(request)
        return await handler(request)

    async def _health(self, _: web.Request) -> web.Response:
        verdicts = await asyncio.gather(*(_checked(check) for check in self._checks.values()))
        checks = dict(zip(self._checks, verdicts, strict=True))
        well = all(verdict.working for verdict in verdicts)
        report = HealthReport("ok" if well else "failing", self._version, checks)
        return web.Response(
            body=msgspec.json.encode(report) + b"\n",
            status=200 if well else 503,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def _expose(self, request: web.Request) -> web.Response:
        body, content_type = exposition(self._metrics, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})


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


async def _checked(check: Check) -> Verdict:
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            return Verdict(*await check())
    except TimeoutError:
        return Verdict(False, f"no answer within {CHECK_LIMIT_S:g} s")
    except BitternError as error:
        return Verdict(False, str(error))
