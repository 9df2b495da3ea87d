"""Whatever a gateway sends behind its certificate, the LNS and CUPS take or refuse it, and go on
serving the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bittern.config import Cups, Lns
from bittern.gateway.cups import NOTHING, CupsAnswer, CupsRequest
from bittern.gateway.lns_messages import STATION_MSGTYPES
from bittern.pki.identity import server_identity
from bittern.pki.issuing import Issued, server_names
from bittern.pki.tls import gateway_listener
from bittern.servers.cups import Asker, CupsServer, Reply
from bittern.store.records import Gateway
from bittern.testing.lns_site import LnsSite, client_context, wall_clock
from bittern.types import EUI64, GatewayEUI, Instant

ROUGH = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
CALM = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
VERSION = '{"msgtype":"version","station":"2.0.6","features":"rmtsh"}'
UPDF = (
    '{"msgtype":"updf","MHdr":64,"DevAddr":637606874,"FCtrl":128,"FCnt":2,"FOpts":"","FPort":1,'
    '"FRMPayload":"00","MIC":-491713056,"DR":5,"Freq":868100000,'
    '"upinfo":{"rctx":0,"xtime":1,"rssi":-35,"snr":9.25}}'
)
T = TypeVar("T")


class Desk:
    """Of CUPS: has nothing to give."""

    async def reply(self, gateway: Gateway, request: CupsRequest, asker: Asker) -> Reply:
        return Reply(CupsAnswer())


class World:
    """Both front ends on an event loop of their own: hypothesis runs no coroutines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        self.faults: list[str] = []
        self._thread = threading.Thread(target=self.loop.run_forever, name="front ends")

    def __enter__(self) -> World:
        self.loop.set_exception_handler(lambda _, what: self.faults.append(str(what)))
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(60)

    async def _start(self) -> None:
        limits = Lns(port=0, max_message_bytes=2048, malformed_per_minute=60_000)
        self.site = LnsSite(self.folder, limits)
        await self.site.__aenter__()
        self.issued = {
            eui: self.site.add_gateway(Gateway(id=str(eui), gateway_eui=eui, created_at=Instant(0)))
            for eui in (ROUGH, CALM)
        }
        now = wall_clock()
        names = server_names("", (), "127.0.0.1")
        identity = server_identity(self.folder / "pki", self.site.authority, names, now)
        self.cups = CupsServer(
            settings=Cups(port=0, requests_per_minute=60_000, request_timeout_s=2.0),
            host="127.0.0.1",
            context=gateway_listener(identity, self.site.authority.pem),
            directory=self.site.directory,
            desk=Desk(),
            record=self.site.kept.events.append,
            now=wall_clock,
        )
        await self.cups.__aenter__()
        self.session = aiohttp.ClientSession()
        self.calm = await self._websocket(f"/gateway/{CALM}", CALM)
        await self.calm.send_str(VERSION)
        await self.calm.receive(timeout=10)

    async def _stop(self) -> None:
        await self.calm.close()
        await self.session.close()
        await self.cups.__aexit__()
        await self.site.__aexit__(None, None, None)

    def context(self, issued: Issued) -> ssl.SSLContext:
        return client_context(self.site.authority, issued, self.folder)

    async def _websocket(self, path: str, eui: GatewayEUI) -> aiohttp.ClientWebSocketResponse:
        context = self.context(self.issued[eui])
        return await self.session.ws_connect(self.site.uri + path, ssl=context)

    async def frames(self, path: str, frames: list[tuple[bool, int, bytes]]) -> None:
        """Send them as they are, and read until the server has taken or refused them all."""
        socket = await self._websocket(path, ROUGH)
        writer = socket._writer.transport
        for fin, opcode, payload in frames:
            if writer.is_closing():
                break
            writer.write(frame_of(fin, opcode, payload))
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await socket.ping()
            writer.write(frame_of(True, 8, b"\x03\xe8"))
            async with asyncio.timeout(15):
                async for _ in socket:
                    pass
        await socket.close()

    async def raw(self, port: int, data: bytes) -> bytes:
        """What the server answers to bytes behind the handshake."""
        context = self.context(self.issued[ROUGH])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        try:
            writer.write(data)
            async with asyncio.timeout(15):
                return await reader.read(65536)
        except ConnectionError:
            return b""
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def calm_is_served(self) -> None:
        count = len(self.site.kept.uplinks)
        await self.calm.send_str(UPDF)
        await self.site.kept.wait_for(lambda: len(self.site.kept.uplinks) > count)
        self.site.kept.uplinks.clear()
        self.site.kept.events.clear()


def frame_of(fin: bool, opcode: int, payload: bytes) -> bytes:
    """One websocket frame of a client, masked as a station does (RFC 6455, 5.2)."""
    length = len(payload)
    head = bytes((fin << 7 | opcode,))
    head += bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return head + b"\x01" * 4 + bytes(byte ^ 1 for byte in payload)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def unharmed(world: World, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], None]]:
    """Afterwards nobody else has noticed, and nothing of ours has failed."""
    caplog.set_level(logging.ERROR)

    def check() -> None:
        world.run(world.calm_is_served())
        assert world.faults == []
        assert [record.getMessage() for record in caplog.records] == []

    yield check


TEXTS = st.sampled_from(
    [
        VERSION,
        UPDF,
        '{"msgtype":"rmtsh","rmtsh":[]}',
        '{"msgtype":"rmtsh","rmtsh":[{"started":true},{"started":true}]}',
        '{"msgtype":"event","evcat":"gps"}',
        '{"router":"16:c001:ff00:1"}',
        '{"router":1}',
        "[" * 1000,
    ]
).map(str.encode)
TYPED = st.builds(
    lambda msgtype, rest: f'{{"msgtype":"{msgtype}",{rest}'.encode(),
    st.sampled_from(sorted(STATION_MSGTYPES)),
    st.text(max_size=40),
)
PAYLOADS = TEXTS | TYPED | st.binary(max_size=300) | st.binary(min_size=2049, max_size=2100)
FRAMES = st.lists(
    st.tuples(st.booleans() | st.just(True), st.sampled_from([0, 1, 1, 1, 2, 2, 9, 10]), PAYLOADS)
    | st.tuples(st.booleans(), st.integers(0, 15), st.binary(max_size=130)),
    max_size=8,
)


@pytest.mark.parametrize("path", [f"/gateway/{ROUGH}", "/router-info"])
def test_any_frames_are_taken_or_end_their_own_connection(
    world: World, unharmed: Callable[[], None], path: str
) -> None:
    @given(st.booleans(), FRAMES)
    @settings(max_examples=150, deadline=None)
    def sending(welcome: bool, frames: list[tuple[bool, int, bytes]]) -> None:
        first = [(True, 1, VERSION.encode())] if welcome else []
        world.run(world.frames(path, first + frames))
        unharmed()

    sending()


REQUEST = (
    b'{"router":"16:c001:ff00:1","cupsUri":null,"tcUri":null,"cupsCredCrc":1,"tcCredCrc":2,'
    b'"station":"2.0.6","model":"linux","package":null,"keys":[]}'
)
CHANGED = st.builds(
    lambda at, length, data: REQUEST[:at] + data + REQUEST[at + length :],
    st.integers(0, len(REQUEST)),
    st.integers(0, 30),
    st.binary(max_size=20)
    | st.sampled_from([b"null", b"[]", b"-1", b"1e400", b"{}", b'"\\ud800"']),
)
BODIES = st.just(REQUEST) | CHANGED | st.binary(max_size=400) | st.binary(min_size=20_000)


def test_any_body_is_answered_and_never_with_an_error_of_ours(
    world: World, unharmed: Callable[[], None]
) -> None:
    statuses: set[int] = set()

    async def post(body: bytes) -> None:
        context = world.context(world.issued[ROUGH])
        uri = f"https://localhost:{world.cups.address[1]}/update-info"
        async with world.session.post(uri, data=body, ssl=context) as answer:
            told = await answer.read()
            statuses.add(answer.status)
            assert answer.status in (200, 400, 403, 413), (answer.status, told)
            if answer.status == 200:
                assert told == NOTHING

    @given(BODIES)
    @settings(max_examples=200, deadline=None)
    def posting(body: bytes) -> None:
        world.run(post(body))

    posting()
    unharmed()
    assert {200, 400} <= statuses


HEADS = st.sampled_from(
    [
        b"POST /update-info HTTP/1.1\r\nHost: x\r\n",
        b"GET /router-info HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        b"POST /update-info HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /update-info HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /update-info HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
)
RAW = st.binary(max_size=200) | st.builds(
    lambda head, more: head + more + b"\r\n\r\n", HEADS, st.binary(max_size=100)
)


@pytest.mark.parametrize("place", ["lns", "cups"])
def test_any_bytes_instead_of_http_are_answered_or_end_their_connection(
    world: World, unharmed: Callable[[], None], place: str
) -> None:
    port = world.site.server.address[1] if place == "lns" else world.cups.address[1]

    @given(RAW)
    @settings(max_examples=60, deadline=None)
    def sending(data: bytes) -> None:
        # The end of a request, so that what could be one is not waited for.
        told = world.run(world.raw(port, data + b"\r\n\r\n\r\n\r\n"))
        assert not told.startswith(b"HTTP/1.1 5"), told

    sending()
    unharmed()
