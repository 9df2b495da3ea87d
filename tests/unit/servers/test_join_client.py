"""The way to join servers, over real TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from bittern.backend.messages import LIMIT
from bittern.errors import JoinServerUnavailable
from bittern.servers.join_client import Credentials, JoinClient, Place
from bittern.types import EUI64, JoinEUI

LOW, HIGH = JoinEUI(EUI64.from_int(5)), JoinEUI(EUI64.from_int(500))
EVERY = (0, (1 << 64) - 1)


class Far:
    """A join server that does what a test wants."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.bodies: list[bytes] = []
        self.status = 200
        self.answer = b"answer"
        self.delay_s = 0.0
        self.uri = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        self.authority.issue_cert("localhost").configure_cert(context)
        self.authority.configure_trust(context)
        runner = web.ServerRunner(web.Server(self._handle))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.uri = f"https://localhost:{runner.addresses[0][1]}/join"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.read())
        await asyncio.sleep(self.delay_s)
        return web.Response(status=self.status, body=self.answer)

    def context(self, folder: Path, shown: trustme.LeafCert | None = None) -> ssl.SSLContext:
        leaf = shown or self.authority.issue_cert("net")
        leaf.cert_chain_pems[0].write_to_path(folder / "crt")
        leaf.private_key_pem.write_to_path(folder / "key")
        self.authority.cert_pem.write_to_path(folder / "ca")
        return Credentials(folder / "crt", folder / "key", folder / "ca").context()


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far()
    async with far.listening():
        yield far


async def test_a_message_is_posted_and_answered_on_one_connection(far: Far, tmp_path: Path) -> None:
    async with JoinClient([Place(*EVERY, far.uri)], far.context(tmp_path)) as client:
        for number in range(3):
            assert await client.post(LOW, b"%d" % number, 5.0) == b"answer"
        assert client._session is not None
        connector = client._session.connector
        assert connector is not None
        assert sum(map(len, connector._conns.values())) == 1  # type: ignore[attr-defined]
    assert far.bodies == [b"0", b"1", b"2"]


def test_the_smallest_range_counts() -> None:
    context = ssl.create_default_context()
    client = JoinClient(
        [Place(*EVERY, "every"), Place(0, 100, "low"), Place(5, 5, "five")], context
    )
    found = [client.place_of(JoinEUI(EUI64.from_int(n))) for n in (5, 6, 100, 101)]
    assert found == ["five", "low", "low", "every"]


async def test_a_join_eui_of_nobody_is_named() -> None:
    async with JoinClient([Place(0, 100, "https://x")], ssl.create_default_context()) as client:
        with pytest.raises(JoinServerUnavailable, match="configured for JoinEUI 00000000000001f4"):
            await client.post(HIGH, b"", 1.0)


async def test_a_slow_answer_is_not_waited_for(far: Far, tmp_path: Path) -> None:
    far.delay_s = 5.0
    async with JoinClient([Place(*EVERY, far.uri)], far.context(tmp_path)) as client:
        with pytest.raises(JoinServerUnavailable, match=r"does not answer within 0\.2 s"):
            await client.post(LOW, b"", 0.2)


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
async def test_another_status_is_told(far: Far, tmp_path: Path, status: int) -> None:
    far.status = status
    async with JoinClient([Place(*EVERY, far.uri)], far.context(tmp_path)) as client:
        with pytest.raises(JoinServerUnavailable, match=f"answers with status {status}"):
            await client.post(LOW, b"", 5.0)


async def test_an_endless_answer_is_not_read(far: Far, tmp_path: Path) -> None:
    far.answer = bytes(20 * LIMIT)
    async with JoinClient([Place(*EVERY, far.uri)], far.context(tmp_path)) as client:
        with pytest.raises(JoinServerUnavailable, match="more than 16384 bytes"):
            await client.post(LOW, b"", 5.0)


async def test_a_server_of_another_authority_is_not_asked(far: Far, tmp_path: Path) -> None:
    async with JoinClient([Place(*EVERY, far.uri)], Far().context(tmp_path)) as client:
        with pytest.raises(JoinServerUnavailable, match="a certificate that is not trusted"):
            await client.post(LOW, b"secret", 5.0)
    assert far.bodies == []


async def test_a_certificate_that_it_does_not_take_is_told(far: Far, tmp_path: Path) -> None:
    stranger = trustme.CA().issue_cert("stranger")
    async with JoinClient([Place(*EVERY, far.uri)], far.context(tmp_path, stranger)) as client:
        with pytest.raises(JoinServerUnavailable, match="does not answer"):
            await client.post(LOW, b"", 5.0)
    assert far.bodies == []


async def test_a_server_that_is_away_is_told(far: Far, tmp_path: Path) -> None:
    gone = Far()
    async with gone.listening():
        context = gone.context(tmp_path)
    async with JoinClient([Place(*EVERY, gone.uri)], context) as client:
        with pytest.raises(JoinServerUnavailable, match=f"{gone.uri} does not answer"):
            await client.post(LOW, b"", 5.0)
        await client.pause(0)
