"""CUPS: one TLS port at which stations ask what they should have.

The life of a request: the certificate that TLS has checked, the request, the gateway's admission,
what it is to have (`CupsDesk`), the answer with its length, and the image behind it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, Protocol, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bittern.config import Cups
from bittern.config.peers import place_of
from bittern.config.quiet import Quiet
from bittern.errors import BitternError, GatewayProtocolError
from bittern.gateway import cups
from bittern.gateway.admission import Refused
from bittern.gateway.cups import CupsAnswer, CupsRequest
from bittern.network.allowance import Allowance, Buckets
from bittern.network.events import GatewayRefused, NetworkEvent
from bittern.servers.acceptor import AcceptorLimits
from bittern.servers.admission import GatewayDirectory, admit
from bittern.servers.tls import peer_address, peer_fingerprint
from bittern.servers.web_listener import WebListener
from bittern.store.records import Gateway
from bittern.types import GatewayEUI, Instant, Refusal

logger = logging.getLogger("bittern.servers.cups")


def _told_in_a_line(record: logging.LogRecord) -> bool:
    """What is no HTTP is the other end's fault, and no traceback of ours."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        reason = error.message.partition("\n")[0].rstrip(":")
        record.msg, record.args = "malformed request reason=%r", (reason,)
        record.exc_info = None
    return True


_http_logger = logger.getChild("http")
_http_logger.addFilter(_told_in_a_line)

REQUEST_LIMIT = 16 * 1024
"""Bytes of a request; a station sends less than one thousand."""
KEEP_ALIVE_S = 15.0
CONNECTIONS = 20_000
"""At once, half of them by one network: many gateways may stand behind one address."""

_STATUS = {
    Refusal.MALFORMED_MESSAGE: 400,
    Refusal.MALFORMED_GATEWAY_EUI: 400,
    Refusal.OVERSIZED_MESSAGE: 413,
    Refusal.TOO_MANY_REQUESTS: 429,
    Refusal.STORE_UNAVAILABLE: 503,
    Refusal.GATEWAY_MISCONFIGURED: 503,
}
"""To a station any status but 200 is the same; a person with curl may be glad of it."""


class Image(NamedTuple):
    """An update image, to be read once."""

    length: int
    chunks: AsyncIterator[bytes]


class Reply(NamedTuple):
    """What one gateway is given."""

    answer: CupsAnswer
    image: Image | None = None


class Asker(NamedTuple):
    """The other end of an admitted request."""

    fingerprint: str
    peer: str


class Desk(Protocol):
    """Decides what a gateway is given, and remembers it."""

    async def reply(self, gateway: Gateway, request: CupsRequest, asker: Asker) -> Reply: ...


class CupsServer:
    """Listens from ``__aenter__`` to ``__aexit__``."""

    def __init__(
        self,
        *,
        settings: Cups,
        host: str,
        context: ssl.SSLContext,
        directory: GatewayDirectory,
        desk: Desk,
        record: Callable[[NetworkEvent], None],
        now: Callable[[], Instant],
    ) -> None:
        """``context`` must ask for a client's certificate."""
        self._settings = settings
        self._directory = directory
        self._desk = desk
        self._record = record
        self._now = now
        self._requests = self._answered = self._failed_handshakes = self._bytes_out = 0
        self._allowed = Buckets[GatewayEUI](_allowance(settings.requests_per_minute))
        self.refusals: Counter[Refusal] = Counter()
        self._quiet = Quiet()
        self._listener = WebListener(
            web.ServerRunner(
                web.Server(
                    self._handle,
                    access_log=None,
                    logger=_http_logger,
                    keepalive_timeout=KEEP_ALIVE_S,
                    max_line_size=2048,
                    max_field_size=2048,
                ),
                shutdown_timeout=2.0,
            ),
            host=host,
            port=settings.port,
            context=context,
            connections=CONNECTIONS,
            silence_s=settings.request_timeout_s,
            limits=AcceptorLimits(handshake_timeout_s=settings.request_timeout_s),
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
            "answered": self._answered,
            "failed_handshakes": self._failed_handshakes,
            "bytes_out": self._bytes_out,
        }

    # The life of a request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._requests += 1
        self._listener.asked(request)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        asker = Asker(peer_fingerprint(transport) or "", peer_address(transport))
        try:
            told = await self._read(request)
            gateway = await self._admitted(told, asker)
            reply = await self._desk.reply(gateway, told, asker)
            head = cups.head(reply.answer, reply.image.length if reply.image else 0)
        except _Refusing as refusing:
            return self._refuse(refusing.refused, refusing.gateway_eui, asker)
        except BitternError as error:
            refused = Refused(Refusal.STORE_UNAVAILABLE, str(error))
            return self._refuse(refused, told.gateway_eui, asker)
        self._answered += 1
        return await self._send(request, head, reply.image)

    async def _read(self, request: web.BaseRequest) -> CupsRequest:
        if request.method != "POST" or request.path != cups.PATH:
            what = f"{request.method[:16]} {request.path[:64]}"
            raise _Refusing(Refused(Refusal.MALFORMED_MESSAGE, f"not POST {cups.PATH}: {what}"))
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                body = await _body(request)
        except TimeoutError:
            refused = Refused(Refusal.MALFORMED_MESSAGE, "the request was not complete in time")
            raise _Refusing(refused) from None
        if body is None:
            limit = f"a request of more than {REQUEST_LIMIT} bytes"
            raise _Refusing(Refused(Refusal.OVERSIZED_MESSAGE, limit))
        try:
            return cups.read_request(body)
        except GatewayProtocolError as error:
            raise _Refusing(Refused(error.refusal, error.reason)) from None

    async def _admitted(self, told: CupsRequest, asker: Asker) -> Gateway:
        gateway_eui = told.gateway_eui
        decision = await admit(
            self._directory, "cups", gateway_eui, asker.fingerprint or None, self._now()
        )
        if isinstance(decision, Refused):
            raise _Refusing(decision, gateway_eui)
        if not self._allowed.take(gateway_eui, self._now()):
            limit = self._settings.requests_per_minute
            refused = Refused(Refusal.TOO_MANY_REQUESTS, f"more than {limit:g} requests a minute")
            raise _Refusing(refused, gateway_eui)
        return decision

    async def _send(
        self, request: web.BaseRequest, head: bytes, image: Image | None
    ) -> web.StreamResponse:
        """Status 200 and the length: a station takes neither chunks nor another status."""
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        response.content_length = len(head) + (image.length if image else 0)
        await response.prepare(request)
        await response.write(head)
        if image is not None:
            async for chunk in image.chunks:
                await response.write(chunk)
        await response.write_eof()
        self._bytes_out += response.content_length
        return response

    def _refuse(
        self, refused: Refused, gateway_eui: GatewayEUI | None, asker: Asker
    ) -> web.Response:
        self.refusals[refused.refusal] += 1
        told = GatewayRefused(
            at=self._now(),
            refusal=refused.refusal,
            reason=refused.reason,
            gateway_eui=gateway_eui,
            peer=asker.peer,
        )
        who = gateway_eui or place_of(asker.peer.rpartition(":")[0].strip("[]"))
        if self._quiet.may_tell((refused.refusal, who), told.at):
            self._record(told)
        status = _STATUS.get(refused.refusal, 403)
        return web.Response(status=status, text=f"{refused.refusal}: {refused.reason}\n")

    def _on_failed_handshake(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        self._failed_handshakes += 1
        if refusal is not None:
            self._refuse(Refused(refusal, reason), None, Asker("", peer))
        elif self._quiet.may_tell(reason, self._now()):
            logger.warning("handshake failed peer=%s reason=%r", peer, reason)


class _Refusing(Exception):
    """Ends the life of a request."""

    def __init__(self, refused: Refused, gateway_eui: GatewayEUI | None = None) -> None:
        super().__init__(refused.reason)
        self.refused = refused
        self.gateway_eui = gateway_eui


def _allowance(per_minute: float) -> Allowance:
    """A minute's requests may come at once."""
    return Allowance(burst=max(per_minute, 1.0), per_second=per_minute / 60)


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body; None where it is longer than a request is."""
    body = b""
    async for chunk in request.content.iter_chunked(REQUEST_LIMIT):
        body += chunk
        if len(body) > REQUEST_LIMIT:
            return None
    return body
