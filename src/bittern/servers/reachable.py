"""Whether a server answers where a gateway is to be sent: a wrong address is a truck roll.

It must take a connection and show a certificate that the gateway will accept: of the authority that
it is given to trust, and with the name as a dNSName, since a station looks nowhere else.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
KEPT_S = 60.0
"""How long an answer is good for: a thousand gateways ask for one address."""
FLIGHT_READS = 100
"""Reads that a certificate may take to arrive."""


class _Answer(NamedTuple):
    at: float
    flaw: str | None


class Reachability:
    """Asks, and remembers for a while."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, bytes], _Answer] = {}

    async def flaw(self, uri: str, trusted_pem: bytes) -> str | None:
        """What is wrong with ``uri``, ``wss://`` or ``https://HOST:PORT``; None: it answers."""
        now = time.monotonic()
        known = self._answers.get((uri, trusted_pem))
        if known is not None and now - known.at < KEPT_S:
            return known.flaw
        flaw = await _flaw(uri, trusted_pem)
        self._answers = {
            key: answer for key, answer in self._answers.items() if now - answer.at < KEPT_S
        }
        self._answers[uri, trusted_pem] = _Answer(now, flaw)
        return flaw


async def _flaw(uri: str, trusted_pem: bytes) -> str | None:
    parts = urlsplit(uri)
    context = ssl.create_default_context(cadata=trusted_pem.decode("ascii"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as stations
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                return await _shake_hands(uri, context, parts.hostname or "", reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        return f"{uri} does not answer within {TIMEOUT_S:g} s"
    except OSError as error:
        return f"{uri} does not answer: {error.strerror or error}"


async def _shake_hands(
    uri: str,
    context: ssl.SSLContext,
    name: str,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> str | None:
    """As far as a station's answer to the server's certificate: it has accepted that then (RFC
    5246, 7.3). Whether the server would accept the station is not asked: we have no certificate."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    station = context.wrap_bio(incoming, outgoing, server_hostname=name)
    said_hello = False
    for _ in range(FLIGHT_READS):
        try:
            station.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return f"{uri} shows a certificate that gateways refuse: {error.verify_message}"
        except ssl.SSLError as error:
            return f"{uri} does not speak TLS as gateways do: {error.reason}"
        if flight := outgoing.read():
            if said_hello:
                return None
            said_hello = True
            writer.write(flight)
        received = await reader.read(65536)
        if not received:
            return f"{uri} breaks the connection"
        incoming.write(received)
    return f"{uri} does not speak TLS as gateways do"
