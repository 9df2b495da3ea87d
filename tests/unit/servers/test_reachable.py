"""An address to which a gateway could go, and those that would strand it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.pki.authority import Authority, open_authority
from bittern.pki.identity import server_identity
from bittern.pki.tls import gateway_listener
from bittern.servers import reachable
from bittern.servers.reachable import Reachability
from bittern.types import Instant

NOW = Instant(time.time())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path, NOW)


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)


def listener(folder: Path, authority: Authority, *names: str) -> ssl.SSLContext:
    return gateway_listener(server_identity(folder, authority, names, NOW), authority.pem)


async def test_a_server_of_the_authority_that_wants_a_certificate_is_fine(
    tmp_path: Path, authority: Authority
) -> None:
    async with serving(listener(tmp_path, authority, "localhost")) as port:
        assert await Reachability().flaw(f"wss://localhost:{port}", authority.pem) is None


async def test_another_authority_would_strand_the_gateway(
    tmp_path: Path, authority: Authority
) -> None:
    other = open_authority(tmp_path / "other", NOW)
    async with serving(listener(tmp_path / "other", other, "localhost")) as port:
        flaw = await Reachability().flaw(f"wss://localhost:{port}", authority.pem)
    assert flaw is not None
    assert "shows a certificate that gateways refuse" in flaw


async def test_another_name_would_strand_the_gateway(tmp_path: Path, authority: Authority) -> None:
    async with serving(listener(tmp_path, authority, "lns.example.com")) as port:
        flaw = await Reachability().flaw(f"wss://localhost:{port}", authority.pem)
    assert flaw is not None
    assert "Hostname mismatch" in flaw


async def test_nobody_there_is_a_flaw(authority: Authority) -> None:
    async with serving(None) as port:
        pass
    flaw = await Reachability().flaw(f"https://localhost:{port}", authority.pem)
    assert flaw is not None
    assert flaw.startswith(f"https://localhost:{port} does not answer: ")


async def test_who_does_not_speak_tls_is_a_flaw(authority: Authority) -> None:
    async with serving(None) as port:
        flaw = await Reachability().flaw(f"https://localhost:{port}", authority.pem)
    assert flaw in (
        f"https://localhost:{port} breaks the connection",
        f"https://localhost:{port} does not answer: Connection reset by peer",
    )


async def test_who_says_nothing_is_a_flaw(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachable, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        flaw = await Reachability().flaw(f"https://localhost:{port}", authority.pem)
    assert flaw == f"https://localhost:{port} does not answer within 0.2 s"


async def test_an_answer_is_remembered_for_a_while(tmp_path: Path, authority: Authority) -> None:
    asked = Reachability()
    async with serving(listener(tmp_path, authority, "localhost")) as port:
        assert await asked.flaw(f"wss://localhost:{port}", authority.pem) is None
    assert await asked.flaw(f"wss://localhost:{port}", authority.pem) is None
    assert await Reachability().flaw(f"wss://localhost:{port}", authority.pem) is not None
