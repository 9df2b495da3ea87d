from __future__ import annotations

import asyncio
import hashlib
import socket
from typing import Any

import pytest

from bittern.outputs.broker.caller import KEEP_ALIVE, Caller, caller_of, notice_when_gone


class Session:
    def __init__(self, shown: bytes | None) -> None:
        self._shown = shown

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        return self._shown


def transport(**extra: Any) -> asyncio.BaseTransport:
    return asyncio.BaseTransport(extra)


@pytest.mark.parametrize(
    ("extra", "caller"),
    [
        ({"peername": ("192.0.2.1", 5)}, Caller("192.0.2.1")),
        ({"peername": ("2001:db8::1", 5, 0, 0)}, Caller("2001:db8::1")),
        ({}, Caller("?")),
        ({"peername": ("::1", 5), "ssl_object": Session(None)}, Caller("::1")),
    ],
)
def test_address_is_known_without_its_port(extra: Any, caller: Caller) -> None:
    assert caller_of(transport(**extra)) == caller


def test_certificate_is_named_by_its_fingerprint() -> None:
    found = caller_of(transport(peername=("::1", 1), ssl_object=Session(b"der")))
    assert found.certificate == hashlib.sha256(b"der").hexdigest()


def test_kernel_asks_whether_a_silent_client_is_there() -> None:
    with socket.socket() as opened:
        notice_when_gone(transport(socket=opened))
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert idle == KEEP_ALIVE["TCP_KEEPIDLE"]
