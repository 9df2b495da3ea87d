"""CUPS as a station sees it, behind real TLS; what it gives is decided elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from bittern.config import Cups
from bittern.errors import StoreUnavailable
from bittern.gateway.cups import NOTHING, CupsAnswer, CupsRequest, read_answer
from bittern.network.events import GatewayRefused, NetworkEvent
from bittern.pki.authority import open_authority
from bittern.pki.identity import server_identity
from bittern.pki.issuing import Issued, issue_gateway_certificate
from bittern.pki.tls import gateway_listener
from bittern.servers.cups import REQUEST_LIMIT, Asker, CupsServer, Image, Reply
from bittern.store.records import Gateway, GatewayCertificate
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(time.time())
REQUEST: dict[str, object] = {
    "router": "16:c001:ff00:1",
    "cupsUri": "https://localhost:8443",
    "tcUri": None,
    "cupsCredCrc": 1,
    "tcCredCrc": 2077607535,
    "station": "2.0.6(linux/std) 2022-03-16 09:38:55",
    "model": "linux",
    "package": None,
    "keys": [],
}


class Office:
    """A CUPS server, a gateway that may ask, and a desk that gives what a test wants."""

    def __init__(self, folder: Path, settings: Cups) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.authority = open_authority(folder, NOW)
        self.issued = issue_gateway_certificate(self.authority, EUI, NOW)
        self.events: list[NetworkEvent] = []
        self.asked: list[tuple[Gateway, CupsRequest, Asker]] = []
        self.given = Reply(CupsAnswer())
        identity = server_identity(folder, self.authority, ["localhost"], NOW)
        self.server = CupsServer(
            settings=settings,
            host="127.0.0.1",
            context=gateway_listener(identity, self.authority.pem),
            directory=self.store,
            desk=self,
            record=self.events.append,
            now=lambda: NOW,
        )

    async def prepare(self) -> None:
        await self.store.add_gateway(Gateway(id="roof", gateway_eui=EUI, created_at=NOW))
        await self.store.add_certificate(
            GatewayCertificate(
                fingerprint=self.issued.certificate_id,
                gateway_eui=EUI,
                purpose="cups",
                not_after=self.issued.not_after,
                created_at=NOW,
            )
        )

    async def reply(self, gateway: Gateway, request: CupsRequest, asker: Asker) -> Reply:
        self.asked.append((gateway, request, asker))
        return self.given

    def client(self, issued: Issued | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if issued is not None:
            file = self.folder / "client.pem"
            file.write_bytes(issued.private_key_pem() + issued.certificate_pem)
            context.load_cert_chain(file)
        return context

    async def post(
        self, body: object = REQUEST, path: str = "/update-info", method: str = "POST"
    ) -> tuple[int, bytes, aiohttp.ClientResponse]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connector = aiohttp.TCPConnector(ssl=self.client(self.issued))
        timeout = aiohttp.ClientTimeout(10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(
                method, f"https://localhost:{self.server.address[1]}{path}", data=data
            ) as response,
        ):
            return response.status, await response.read(), response

    def refusal(self) -> Refusal:
        event = self.events[-1]
        assert isinstance(event, GatewayRefused)
        return event.refusal


@contextlib.asynccontextmanager
async def office(folder: Path, **settings: float) -> AsyncIterator[Office]:
    made = Office(folder, Cups(port=0, **settings))  # type: ignore[arg-type]
    await made.prepare()
    async with made.server:
        yield made


async def test_a_gateway_with_everything_gets_fourteen_zero_bytes(tmp_path: Path) -> None:
    async with office(tmp_path) as site:
        status, body, response = await site.post()
        [(gateway, request, asker)] = site.asked
    assert (status, body) == (200, NOTHING)
    assert response.headers["Content-Length"] == "14"
    assert "Transfer-Encoding" not in response.headers
    assert (gateway.id, request.gateway_eui, request.station) == ("roof", EUI, REQUEST["station"])
    assert asker.fingerprint == site.issued.certificate_id
    assert asker.peer.startswith("127.0.0.1:")


async def test_an_answer_arrives_as_a_station_reads_it(tmp_path: Path) -> None:
    image = bytes(range(256)) * 4096

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(image), 65536):
            yield image[start : start + 65536]

    answer = CupsAnswer(lns_uri="wss://lns.example:8887", signature=bytes(80))
    async with office(tmp_path) as site:
        site.given = Reply(answer, Image(len(image), chunks()))
        _, body, response = await site.post()
    assert read_answer(body) == (answer, image)
    assert response.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("body", "refusal", "status"),
    [
        (b"", Refusal.MALFORMED_MESSAGE, 400),
        (b"{}", Refusal.MALFORMED_MESSAGE, 400),
        (REQUEST | {"router": "x"}, Refusal.MALFORMED_GATEWAY_EUI, 400),
        (REQUEST | {"tcCredCrc": "1"}, Refusal.MALFORMED_MESSAGE, 400),
        (b" " * (REQUEST_LIMIT + 1), Refusal.OVERSIZED_MESSAGE, 413),
        (REQUEST | {"router": "::2"}, Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY, 403),
    ],
)
async def test_a_request_that_cannot_be_answered_is_refused_by_name(
    tmp_path: Path, body: object, refusal: Refusal, status: int
) -> None:
    async with office(tmp_path) as site:
        got, text, _ = await site.post(body)
        assert (got, site.refusal()) == (status, refusal)
        assert text.startswith(f"{refusal}: ".encode())
        assert site.asked == []
        assert site.server.refusals[refusal] == 1


@pytest.mark.parametrize(("method", "path"), [("GET", "/update-info"), ("POST", "/")])
async def test_other_requests_are_refused(tmp_path: Path, method: str, path: str) -> None:
    async with office(tmp_path) as site:
        assert (await site.post(method=method, path=path))[0] == 400


async def test_a_certificate_for_the_lns_is_refused_here(tmp_path: Path) -> None:
    async with office(tmp_path) as site:
        [certificate] = await site.store.certificates_of(EUI)
        await site.store.replace_certificate(msgspec.structs.replace(certificate, purpose="lns"))
        assert (await site.post())[0] == 403
        assert site.refusal() is Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE


async def test_without_a_certificate_nobody_gets_as_far_as_a_request(tmp_path: Path) -> None:
    async with office(tmp_path) as site:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            reader, writer = await asyncio.open_connection(
                *site.server.address, ssl=site.client(None), server_hostname="localhost"
            )
            await reader.read()
            writer.close()
        assert site.refusal() is Refusal.CERTIFICATE_MISSING


async def test_too_many_requests_of_a_gateway_are_refused(tmp_path: Path) -> None:
    async with office(tmp_path, requests_per_minute=3.0) as site:
        answers = [(await site.post())[0] for _ in range(4)]
        assert answers == [200, 200, 200, 429]
        assert site.refusal() is Refusal.TOO_MANY_REQUESTS


async def test_what_is_refused_again_and_again_is_told_once_and_counted(tmp_path: Path) -> None:
    async with office(tmp_path, requests_per_minute=1.0) as site:
        assert [(await site.post())[0] for _ in range(30)] == [200] + [429] * 29
        assert len([one for one in site.events if isinstance(one, GatewayRefused)]) == 1
        assert site.server.refusals[Refusal.TOO_MANY_REQUESTS] == 29


async def test_less_than_one_request_a_minute_is_still_one(tmp_path: Path) -> None:
    async with office(tmp_path, requests_per_minute=0.5) as site:
        assert [(await site.post())[0] for _ in range(2)] == [200, 429]


async def test_when_the_desk_cannot_work_the_station_asks_again_later(tmp_path: Path) -> None:
    async with office(tmp_path) as site:

        async def reply(gateway: Gateway, request: CupsRequest, asker: Asker) -> Reply:
            raise StoreUnavailable("disk full")

        site.reply = reply  # type: ignore[method-assign]
        assert (await site.post())[0] == 503
        assert site.refusal() is Refusal.STORE_UNAVAILABLE


@pytest.mark.parametrize(
    "sent", [b"", b"POST /upd", b"POST /update-info HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"]
)
async def test_a_slow_loris_is_dropped(tmp_path: Path, sent: bytes) -> None:
    async with office(tmp_path, request_timeout_s=0.3) as site:
        reader, writer = await asyncio.open_connection(
            *site.server.address, ssl=site.client(site.issued), server_hostname="localhost"
        )
        writer.write(sent)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await reader.read()
        writer.close()


async def test_the_length_of_a_request_may_be_padded_as_stations_do(tmp_path: Path) -> None:
    body = json.dumps(REQUEST).encode()
    async with office(tmp_path) as site:
        reader, writer = await asyncio.open_connection(
            *site.server.address, ssl=site.client(site.issued), server_hostname="localhost"
        )
        head = f"POST /update-info HTTP/1.1\r\nHost: cups\r\nContent-Length: {len(body):<8}\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_what_is_no_http_is_told_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path) as site:
        reader, writer = await asyncio.open_connection(
            *site.server.address, ssl=site.client(site.issued), server_hostname="localhost"
        )
        writer.write(b"POST /update-info HTTP/1.1\r\nContent-Length: -1\r\n\r\n")
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
        writer.close()
    [record] = [record for record in caplog.records if record.name.endswith("cups.http")]
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert record.getMessage() == "malformed request reason='Invalid character in Content-Length'"
