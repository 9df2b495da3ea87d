"""Who is at the other end of a connection to the embedded broker, before it has said its name."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl

import msgspec

KEEP_ALIVE = {"TCP_KEEPIDLE": 120, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 4}


class Caller(msgspec.Struct, frozen=True):
    address: str
    """Without the port."""
    certificate: str | None = None
    """Fingerprint of what it has shown in the handshake: SHA-256, 64 hexadecimal digits."""


def caller_of(transport: asyncio.BaseTransport) -> Caller:
    match transport.get_extra_info("peername"):
        case (str(host), *_):
            address = host
        case _:
            address = "?"
    session: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    shown = session.getpeercert(binary_form=True) if session is not None else None
    return Caller(address, hashlib.sha256(shown).hexdigest() if shown else None)


def notice_when_gone(transport: asyncio.BaseTransport) -> None:
    """A client without keep-alive whose network has gone keeps its connection no longer than the
    kernel asks for it: hours by default, here minutes."""
    opened: socket.socket | None = transport.get_extra_info("socket")
    if opened is None:
        return
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEP_ALIVE.items():
            if hasattr(socket, name):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
