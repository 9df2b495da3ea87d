"""The HTTP listener: health and metrics, and whatever routes it is given beside them.

`/health` answers 200 while everything works and 503 while something does not, and says what;
`/metrics` is for Prometheus. The API and the console are more routes on the same application.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal, Self

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry

from bittern.errors import BitternError
from bittern.outputs.port import Health
from bittern.servers.metrics import exposition

Check = Callable[[], Awaitable[Health]]
"""Whether a part works now. What it raises of `BitternError` means that it does not."""

CHECK_LIMIT_S = 2.0
"""A part that has not said by then how it is, is not well."""


KEEPALIVE_S = 75.0
"""A connection on which nothing is asked for so long is closed."""


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
    ) -> None:
        """``context``: of TLS; without one it speaks plain HTTP."""
        self._context = context
        self._version = version
        self._checks = dict(checks)
        self._metrics = metrics
        self._host, self._port = host, port
        app = web.Application()
        app.add_routes([web.get("/health", self._health), web.get("/metrics", self._expose)])
        app.add_routes(routes)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=KEEPALIVE_S
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._runner.addresses[0][:2]
        return host, port

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._context)
            await site.start()
        except BaseException:
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

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
