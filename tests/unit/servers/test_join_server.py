"""The join server's listener, behind real TLS; what it answers is decided elsewhere."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
import trustme

from bittern.backend.messages import LIMIT
from bittern.pki.fingerprints import certificate_id
from bittern.servers.join_server import JoinServerListener


class Desk:
    """Counts, and says who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, str]] = []

    async def answer(self, body: bytes, fingerprint: str) -> bytes:
        self.asked.append((body, fingerprint))
        return b'{"answer":%d}' % len(self.asked)


class Site:
    def __init__(self, port: int = 0) -> None:
        self.authority = trustme.CA()
        self.desk = Desk()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        self.authority.issue_cert("localhost").configure_cert(context)
        self.authority.configure_trust(context)
        self.listener = JoinServerListener("127.0.0.1", port, context=context, desk=self.desk)

    def client(self, shown: trustme.LeafCert | None) -> aiohttp.ClientSession:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if shown is not None:
            shown.configure_cert(context)
        return aiohttp.ClientSession(
            f"https://localhost:{self.listener.address[1]}",
            connector=aiohttp.TCPConnector(ssl=context),
        )


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    async with site.listener:
        yield site


async def test_a_message_is_answered_for_the_certificate_that_was_shown(site: Site) -> None:
    leaf = site.authority.issue_cert("net")
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    async with site.client(leaf) as client, client.post("/", data=b"message") as answer:
        assert (answer.status, await answer.json()) == (200, {"answer": 1})
    assert site.desk.asked == [(b"message", certificate_id(der))]


async def test_without_a_certificate_nobody_gets_past_the_handshake(site: Site) -> None:
    for shown in (None, trustme.CA().issue_cert("stranger")):
        async with site.client(shown) as client:
            with pytest.raises((aiohttp.ClientError, OSError)):
                await client.post("/", data=b"a")
    assert site.desk.asked == []
    assert site.listener.statistics()["failed_handshakes"] == 2


async def test_what_is_no_post_or_too_long_is_refused(site: Site) -> None:
    async with site.client(site.authority.issue_cert("net")) as client:
        async with client.get("/") as answer:
            assert answer.status == 405
        async with client.post("/", data=bytes(LIMIT + 1)) as answer:
            assert answer.status == 413
        async with client.post("/", data=bytes(LIMIT)) as answer:
            assert answer.status == 200
    assert len(site.desk.asked) == 1


async def test_a_port_that_is_taken_is_told(site: Site) -> None:
    other = Site(site.listener.address[1])
    with pytest.raises(OSError, match="in use"):
        async with other.listener:
            pass
