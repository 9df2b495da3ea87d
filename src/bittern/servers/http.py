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
from bittern.servers.acceptor import AcceptorLimits
from bittern.servers.metrics import exposition
from bittern.servers.web_listener import WebListener
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
        self._version = version
        self._checks = dict(checks)
        self._metrics = metrics
        app = web.Application(middlewares=[self._heard])
        app.add_routes([web.get("/health", self._health), web.get("/metrics", self._expose)])
        app.add_routes(routes)
        self._listener = WebListener(
            web.AppRunner(
                app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=KEEPALIVE_S
            ),
            host=host,
            port=port,
            context=context,
            connections=connections,
            silence_s=silence_s,
            limits=AcceptorLimits(waiting=connections),
            on_failed=self._tell_failed_handshake,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        return self._listener.address

    def statistics(self) -> Mapping[str, float]:
        return {
            "connections": self._listener.inside,
            "turned_away": self._listener.turned_away,
        }

    async def __aenter__(self) -> Self:
        await self._listener.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.__aexit__()

    def _tell_failed_handshake(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        why = str(refusal or reason)
        if self._quiet.may_tell(why, Instant(time.monotonic())):
            logger.warning("handshake failed peer=%s reason=%r", peer, why)

    @web.middleware
    async def _heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._listener.asked(request)
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


async def _checked(check: Check) -> Verdict:
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            return Verdict(*await check())
    except TimeoutError:
        return Verdict(False, f"no answer within {CHECK_LIMIT_S:g} s")
    except BitternError as error:
        return Verdict(False, str(error))
