"""Connections that get through, those that do not, and those that wait."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from bittern.config import peers
from bittern.pki.authority import Authority, open_authority
from bittern.pki.identity import server_identity
from bittern.pki.issuing import issue_gateway_certificate
from bittern.pki.tls import gateway_listener
from bittern.servers import acceptor
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(time.time())
PATIENT = AcceptorLimits(handshake_timeout_s=10.0)
IMPATIENT = AcceptorLimits(handshake_timeout_s=0.2)


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not a subclass of asyncio's.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Door:
    """An acceptor before an echo."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = open_authority(folder, NOW)
        self.failed: list[tuple[Refusal | None, str, str]] = []
        self.something_failed = asyncio.Event()
        self.acceptor: Acceptor

    @contextlib.asynccontextmanager
    async def open(self, limits: AcceptorLimits, host: str = "127.0.0.1") -> AsyncIterator[Door]:
        identity = server_identity(self.folder, self.authority, ["localhost"], NOW)
        self.acceptor = Acceptor(
            Echo,
            gateway_listener(identity, self.authority.pem),
            host=host,
            port=0,
            limits=limits,
            on_failed=self._on_failed,
        )
        async with self.acceptor:
            yield self

    def client(self, issuer: Authority | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if issuer is not None:
            issued = issue_gateway_certificate(issuer, EUI, NOW)
            (self.folder / "tc.pem").write_bytes(issued.private_key_pem() + issued.certificate_pem)
            context.load_cert_chain(self.folder / "tc.pem")
        return context

    async def echo(self, context: ssl.SSLContext) -> bytes:
        host, port = self.acceptor.address
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=context, server_hostname="localhost"
            )
            writer.write(b"boom")
            echoed = await reader.readexactly(4)
            writer.close()
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                await writer.wait_closed()
        return echoed

    def connect(self) -> socket.socket:
        return socket.create_connection(self.acceptor.address)

    async def failure(self) -> tuple[Refusal | None, str, str]:
        async with asyncio.timeout(10):
            await self.something_failed.wait()
        return self.failed[0]

    def _on_failed(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        self.failed.append((refusal, reason, peer))
        self.something_failed.set()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


async def test_a_gateway_gets_through(door: Door) -> None:
    async with door.open(PATIENT):
        assert await door.echo(door.client(door.authority)) == b"boom"
    assert door.failed == []


async def test_both_families_are_listened_to_where_the_host_has_both(door: Door) -> None:
    async with door.open(PATIENT, host="localhost"):
        assert await door.echo(door.client(door.authority)) == b"boom"


@pytest.mark.parametrize(
    ("issuer", "refusal"),
    [
        (lambda door: None, Refusal.CERTIFICATE_MISSING),
        (
            lambda door: open_authority(door.folder / "elsewhere", NOW),
            Refusal.CERTIFICATE_UNKNOWN,
        ),
    ],
)
async def test_a_failed_handshake_is_told_with_its_peer(
    door: Door, issuer: Callable[[Door], Authority | None], refusal: Refusal
) -> None:
    async with door.open(PATIENT):
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await door.echo(door.client(issuer(door)))
        told, _, peer = await door.failure()
        assert told is refusal
        assert peer.startswith("127.0.0.1:")
        assert await door.echo(door.client(door.authority)) == b"boom"


async def test_what_is_not_tls_is_told(door: Door) -> None:
    async with door.open(PATIENT):
        with door.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert (await door.failure())[:2] == (None, "TLS failed: http request")


async def test_who_goes_without_a_word_is_told(door: Door) -> None:
    async with door.open(PATIENT):
        door.connect().close()
        refusal, reason, _ = await door.failure()
        assert refusal is None
        assert reason.startswith("TLS failed: ")
        assert reason != "TLS failed: "


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00"])
async def test_who_does_not_go_on_is_dropped(door: Door, sent: bytes) -> None:
    """Nothing, or half of a ClientHello: a slow loris."""
    async with door.open(IMPATIENT):
        with door.connect() as connection:
            connection.sendall(sent)
            await door.failure()
            connection.settimeout(10)
            assert await asyncio.to_thread(_is_closed, connection)


async def test_silent_connections_are_in_nobodys_way(door: Door) -> None:
    async with door.open(AcceptorLimits(handshakes=1, handshakes_by_address=1)):
        silent = [door.connect() for _ in range(20)]
        assert await door.echo(door.client(door.authority)) == b"boom"
        for connection in silent:
            connection.close()


async def test_who_comes_while_all_places_are_taken_waits_and_gets_in(door: Door) -> None:
    async with door.open(AcceptorLimits(handshakes=1, handshakes_by_address=1)):
        client = door.client(door.authority)
        with door.connect() as half:
            half.sendall(b"\x16\x03\x01\x02\x00")
            waiting = [asyncio.create_task(door.echo(client)) for _ in range(10)]
            while door.acceptor.waiting < len(waiting) + 1:
                await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
        assert await asyncio.gather(*waiting) == [b"boom"] * len(waiting)
        assert door.acceptor.waiting == 0


async def test_an_address_has_a_share_and_others_have_the_rest(door: Door) -> None:
    limits = AcceptorLimits(handshakes=2, handshakes_by_address=1)
    async with door.open(limits, host="0.0.0.0"):
        port = door.acceptor.address[1]
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as half:
            half.sendall(b"\x16\x03\x01\x02\x00")
            while not door.acceptor.waiting:
                await asyncio.sleep(0)
            assert await door.echo(door.client(door.authority)) == b"boom"


async def test_a_network_of_ipv6_has_one_share(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two loopback addresses stand for two of one network: this machine has no more of IPv6."""
    networks = {"127.0.0.2": "2001:db8::1", "127.0.0.3": "2001:db8::2"}
    monkeypatch.setattr(
        acceptor, "place_of", lambda address: peers.place_of(networks.get(address, address))
    )
    limits = AcceptorLimits(handshakes=4, handshakes_by_address=1)
    async with door.open(limits, host="0.0.0.0"):
        port = door.acceptor.address[1]
        client = door.client(door.authority)
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as half:
            half.sendall(b"\x16\x03\x01\x02\x00")
            while not door.acceptor.waiting:
                await asyncio.sleep(0)
            neighbour = asyncio.create_task(
                asyncio.open_connection(
                    *("127.0.0.1", port),
                    ssl=client,
                    server_hostname="localhost",
                    local_addr=("127.0.0.3", 0),
                )
            )
            assert await door.echo(client) == b"boom"  # of another place
            assert not neighbour.done()
        _, writer = await neighbour
        writer.transport.abort()


async def test_silent_connections_of_one_place_leave_half_of_the_places(door: Door) -> None:
    async with door.open(AcceptorLimits(waiting=4), host="0.0.0.0"):
        port = door.acceptor.address[1]
        silent = [
            socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
            for _ in range(6)
        ]
        while door.acceptor.turned_away < 4:
            await asyncio.sleep(0)
        assert await door.echo(door.client(door.authority)) == b"boom"
        for connection in silent:
            connection.close()


async def test_a_taken_port_is_an_error(door: Door, tmp_path: Path) -> None:
    async with door.open(PATIENT):
        taken = Acceptor(
            Echo,
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            host="127.0.0.1",
            port=door.acceptor.address[1],
            limits=PATIENT,
            on_failed=lambda *_: None,
        )
        with pytest.raises(OSError, match="in use"):
            await taken.__aenter__()


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(100):
            pass
    except ConnectionError:
        pass
    return True


async def test_a_connection_that_ends_during_its_handshake_is_told_once(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with door.open(PATIENT):
        with door.connect() as connection:
            connection.sendall(b"\x16\x03\x01\x02")  # the beginning of a ClientHello
            while not door.acceptor.waiting:
                await asyncio.sleep(0)
        refusal, reason, _ = await door.failure()
    assert (refusal, reason) == (None, "TLS failed: closed by the other end")
    assert len(door.failed) == 1
    assert caplog.records == []


async def test_other_faults_are_still_told_by_the_event_loop(door: Door) -> None:
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    async with door.open(PATIENT), door.open(PATIENT):
        loop.call_exception_handler({"message": "ours", "exception": ValueError("x")})
        loop.call_exception_handler({"message": "theirs", "exception": ConnectionResetError})
    assert told == ["ours"]
