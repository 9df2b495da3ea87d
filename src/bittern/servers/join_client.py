"""The way to join servers: HTTPS with both ends authenticated, connections kept open.

A device listens five seconds after its request. So there is a limit to every attempt, and a
connection that was used before is used again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import aiohttp

from bittern.backend.messages import LIMIT
from bittern.errors import JoinServerUnavailable
from bittern.types import JoinEUI

KEEP_ALIVE_S = 240.0
"""Less than ours keeps its end."""
CONNECTIONS = 16


class Place(NamedTuple):
    """The join server of a range of JoinEUIs, both ends included."""

    first: int
    last: int
    uri: str


class Credentials(NamedTuple):
    """PEM files by which both ends know each other."""

    certificate: Path
    key: Path
    trust: Path

    def context(self) -> ssl.SSLContext:
        """Raises ``OSError``, ``ssl.SSLError`` too, where a file cannot be used."""
        context = ssl.create_default_context(cafile=self.trust)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


class JoinClient:
    """A `network.remote_join.Link`; an async context."""

    def __init__(self, places: Sequence[Place], context: ssl.SSLContext) -> None:
        """Of several places whose range has a JoinEUI the smallest range counts."""
        self._places = sorted(places, key=lambda place: place.last - place.first)
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            ssl=self._context, limit_per_host=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S
        )
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def place_of(self, join_eui: JoinEUI) -> str | None:
        """Where its join server is."""
        value = int(join_eui)
        return next((one.uri for one in self._places if one.first <= value <= one.last), None)

    async def post(self, join_eui: JoinEUI, body: bytes, limit_s: float) -> bytes:
        """Raises `JoinServerUnavailable`."""
        uri = self.place_of(join_eui)
        if uri is None:
            raise JoinServerUnavailable(f"no join server is configured for JoinEUI {join_eui}")
        try:
            async with asyncio.timeout(limit_s):
                return await self._posted(uri, body)
        except TimeoutError:
            raise JoinServerUnavailable(f"{uri} does not answer within {limit_s:.1f} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            reason = f"{uri} shows a certificate that is not trusted: {error.certificate_error}"
            raise JoinServerUnavailable(reason) from None
        except (aiohttp.ClientError, OSError) as error:
            raise JoinServerUnavailable(f"{uri} does not answer: {_words(error)}") from None

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _posted(self, uri: str, body: bytes) -> bytes:
        assert self._session is not None
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with self._session.post(
            uri, data=body, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.content.read(LIMIT + 1)
            while len(content) <= LIMIT and (more := await answer.content.read(LIMIT + 1)):
                content += more
        if len(content) > LIMIT:
            raise JoinServerUnavailable(f"{uri} answers with more than {LIMIT} bytes")
        if answer.status // 100 != 2:
            raise JoinServerUnavailable(f"{uri} answers with status {answer.status}")
        return content


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
