"""The join server's listener: one TLS port at which network and application servers ask.

The life of a request: the certificate that TLS has checked, the body, the desk's answer
(`network/join_desk`). A request that came through is answered with 200 and a Result, whatever
becomes of it: so the specification has it (TS002-1.1.0, 8).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Protocol, Self

from aiohttp import web

from bittern.backend.messages import LIMIT
from bittern.servers.acceptor import AcceptorLimits
from bittern.servers.tls import peer_fingerprint
from bittern.servers.web_listener import WebListener
from bittern.types import Refusal

logger = logging.getLogger("bittern.servers.join_server")

REQUEST_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 300.0
"""Joins come seldom, and a handshake costs time that a device's window does not have."""
CONNECTIONS = 2_000


class Desk(Protocol):
    """Answers one message."""

    async def answer(self, body: bytes, fingerprint: str) -> bytes: ...


class JoinServerListener:
    """Listens from ``__aenter__`` to ``__aexit__``."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext,
        desk: Desk,
    ) -> None:
        """``context`` must ask for a client's certificate. Port 0 takes a free one."""
        self._desk = desk
        self._requests = self._failed_handshakes = 0
        self._listener = WebListener(
            web.ServerRunner(
                web.Server(
                    self._handle,
                    access_log=None,
                    logger=logger.getChild("http"),
                    keepalive_timeout=KEEP_ALIVE_S,
                    max_line_size=2048,
                    max_field_size=2048,
                ),
                shutdown_timeout=2.0,
            ),
            host=host,
            port=port,
            context=context,
            connections=CONNECTIONS,
            silence_s=REQUEST_TIMEOUT_S,
            limits=AcceptorLimits(handshake_timeout_s=REQUEST_TIMEOUT_S),
            on_failed=self._on_failed_handshake,
        )

    async def __aenter__(self) -> Self:
        await self._listener.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.__aexit__()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        return self._listener.address

    def statistics(self) -> dict[str, int]:
        return {
            "requests": self._requests,
            "failed_handshakes": self._failed_handshakes,
        }

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._requests += 1
        self._listener.asked(request)
        if request.transport is None:
            raise ConnectionResetError
        fingerprint = peer_fingerprint(request.transport) or ""
        if request.method != "POST":
            return web.Response(status=405, text="POST a message\n", headers={"Allow": "POST"})
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                body = await _body(request)
        except TimeoutError:
            return web.Response(status=408, text="the request was not complete in time\n")
        if body is None:
            return web.Response(status=413, text=f"a message of more than {LIMIT} bytes\n")
        answer = await self._desk.answer(body, fingerprint)
        return web.Response(body=answer, content_type="application/json")

    def _on_failed_handshake(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        self._failed_handshakes += 1
        logger.warning("handshake failed peer=%s reason=%r", peer, f"{refusal or 'tls'}: {reason}")


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body; None where it is longer than a message is."""
    body = b""
    async for chunk in request.content.iter_chunked(LIMIT):
        body += chunk
        if len(body) > LIMIT:
            return None
    return body
