"""The HTTP shell of the API: reads a request as it is on the wire, asks the front, writes what it
answers. Read `ApiShell._answer` first.

Whatever is refused here is refused as the front refuses, in words that AWS clients understand.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from uuid import UUID

from aiohttp import web

from bittern.api import errors
from bittern.api.errors import (
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    UNRECOGNIZED_CLIENT,
    ApiError,
)
from bittern.api.front import Front
from bittern.api.message import Request, Response
from bittern.api.model import Operation
from bittern.config.settings import Api
from bittern.servers.api_limits import Failures, Room
from bittern.types import Instant

logger = logging.getLogger("bittern.servers.api")

READ_AT_ONCE_BYTES = 64 << 20
"""Of bodies that are being read, of all clients together."""

_NOT_SIGNED = frozenset({INCOMPLETE_SIGNATURE, INVALID_SIGNATURE, UNRECOGNIZED_CLIENT})
"""Who guesses gets these."""
_AS_QUERY = {"IncompleteSignature", "SignatureDoesNotMatch", "InvalidClientTokenId"}
"""The same, as services of the older protocol call them."""
_FAILURES = _NOT_SIGNED | _AS_QUERY


OnFailed = Callable[[str, str], None]
"""Told of the address and the code of an error, of who is not signed in."""


def _unnoticed(address: str, code: str) -> None:
    """Nobody wants to know."""


class ApiShell:
    """Routes for `HttpServer`, behind all others: every path that is not somebody else's."""

    def __init__(
        self,
        front: Front,
        settings: Api,
        *,
        now: Callable[[], Instant],
        randomness: Callable[[int], bytes],
        on_failed: OnFailed = _unnoticed,
    ) -> None:
        self._front = front
        self._on_failed = on_failed
        self._settings = settings
        self._now = now
        self._randomness = randomness
        self._failures = Failures(settings.failures_per_minute)
        self._reading = Room(READ_AT_ONCE_BYTES)
        self._working = Room(settings.requests)
        self._refused: Counter[str] = Counter()
        self._requests = 0

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.route("*", "/{path:.*}", self._serve)]

    def statistics(self) -> Mapping[str, float]:
        return {
            "requests": self._requests,
            "in_flight": self._working.taken,
            "addresses_failing": len(self._failures),
        }

    @property
    def refused(self) -> Mapping[str, int]:
        """How often, by the code of the error."""
        return self._refused

    async def _serve(self, asked: web.Request) -> web.Response:
        self._requests += 1
        request_id = str(UUID(bytes=self._randomness(16), version=4))
        address = asked.remote or ""
        try:
            answer = await self._answer(asked, address, request_id)
        except ApiError as error:
            answer = errors.answer(error, request_id)
        if answer.error is not None:
            self._tell(asked, answer.error, address, request_id)
        written = web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        if not asked.content.is_eof():
            written.force_close()  # nobody reads the rest of what was refused
        return written

    async def _answer(self, asked: web.Request, address: str, request_id: str) -> Response:
        wait_s = self._failures.wait_s(address, self._now())
        if wait_s:
            raise _throttled(f"too many wrong signatures; try again in {wait_s:.0f} s")
        body = await self._body(asked)
        request = Request.of(asked.method, asked.raw_path, asked.headers.items(), body)
        with self._working.take(1) as there_is_room:
            if not there_is_room:
                raise _throttled("too many requests at once")
            answer = await self._front.answer(
                request, now=self._now(), request_id=request_id, address=address
            )
        if answer.error is not None and answer.error in _FAILURES:
            self._failures.count(address, self._now())
            self._on_failed(address, answer.error)
        return answer

    async def _body(self, asked: web.Request) -> bytes:
        """ApiError if it is too long, or does not come."""
        most, told = self._settings.max_body_bytes, asked.content_length
        if told is not None and told > most:
            raise errors.invalid(f"the body is longer than {most} bytes")
        if not asked.body_exists:
            return b""
        with self._reading.take(most if told is None else told) as there_is_room:
            if not there_is_room:
                raise _throttled("too many requests at once")
            try:
                async with asyncio.timeout(self._settings.request_timeout_s):
                    return await _read(asked, most)
            except TimeoutError:
                raise errors.invalid("the body did not come in time") from None

    def _tell(self, asked: web.Request, code: str, address: str, request_id: str) -> None:
        """Without the query: that of a presigned address is as good as a signature."""
        self._refused[code] += 1
        logger.info(
            "request_id=%s refused=%s method=%s path=%r address=%s",
            *(request_id, code, asked.method, asked.path[:200], address),
        )


async def _read(asked: web.Request, most: int) -> bytes:
    read = bytearray()
    async for chunk in asked.content.iter_any():
        read += chunk
        if len(read) > most:
            raise errors.invalid(f"the body is longer than {most} bytes")
    return bytes(read)


def _throttled(message: str) -> ApiError:
    return ApiError("ThrottlingException", message)


def tell_fault(operation: Operation | None, request_id: str, fault: Exception) -> None:
    """What went wrong here, for the log alone."""
    name = operation.name if operation else "unknown"
    logger.error("request_id=%s operation=%s failed", request_id, name, exc_info=fault)
