"""The reference of the API over HTTP: ``/docs``, to whoever asks: it holds what the model says.

Pages are made when they are first asked for, beside the event loop, and kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from bittern.api.coverage import coverage
from bittern.api.reference import pages
from bittern.api.reference.openapi import openapi

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Docs:
    """Routes for `HttpServer`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._made: dict[str, str] = {}
        self._making = asyncio.Lock()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/docs", self._index),
            web.get("/docs/{service}", self._page),
            web.get("/docs/{service}/openapi.json", self._description),
        ]

    async def _index(self, _: web.Request) -> web.Response:
        return _html(await self._kept("", lambda: pages.index(self._version)))

    async def _page(self, asked: web.Request) -> web.Response:
        name = _offered(asked)
        return _html(await self._kept(name, lambda: pages.page(name, self._version)))

    async def _description(self, asked: web.Request) -> web.Response:
        """``servers`` is where the client has found it."""
        name, url = _offered(asked), str(asked.url.origin())
        operations = [one.operation for one in coverage()[name] if one.state == "offered"]

        def make() -> str:
            found = openapi(name, operations, version=self._version, url=PLACE)
            return msgspec.json.encode(found).decode()

        made = await self._kept(f"{name}/openapi.json", make)
        text = made.replace(msgspec.json.encode(PLACE).decode(), msgspec.json.encode(url).decode())
        return web.Response(text=text, content_type="application/json", headers=_HEADERS)

    async def _kept(self, name: str, make: Callable[[], str]) -> str:
        async with self._making:
            if name not in self._made:
                self._made[name] = await asyncio.to_thread(make)
            return self._made[name]


PLACE = "https://this.server.example"
"""Stands in what is kept for the address of the server."""


def _offered(asked: web.Request) -> str:
    name = asked.match_info["service"]
    if name not in coverage():
        raise web.HTTPNotFound(text=f"{name[:50]!r} is no service of this server\n")
    return name


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
