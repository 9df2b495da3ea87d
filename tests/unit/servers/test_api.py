"""The shell of the API: what it makes of a request, and what it does not let through to the front.

How a front authenticates and answers is in `tests/unit/api`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from yarl import URL

from bittern.api.message import Request, Response
from bittern.config.settings import Api
from bittern.servers.api import ApiShell, tell_fault
from bittern.servers.api_limits import BURST
from bittern.servers.http import HttpServer
from bittern.types import Instant

NOW = Instant(1_700_000_000.0)
DONE = Response(200, {"Content-Type": "application/json"}, b"{}")
FORGED = Response(403, {"x-amzn-ErrorType": "x"}, b"", error="InvalidSignatureException")


class Recording:
    """In place of a `Front`."""

    def __init__(self, answer: Response = DONE) -> None:
        self.response = answer
        self.seen: list[Request] = []
        self.ids: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def answer(
        self, request: Request, *, now: Instant, request_id: str, address: str
    ) -> Response:
        assert (now, address) == (NOW, "127.0.0.1")
        self.seen.append(request)
        self.ids.append(request_id)
        await self.go_on.wait()
        return self.response


def shell(front: Any, **settings: Any) -> ApiShell:
    return ApiShell(front, Api(**settings), now=lambda: NOW, randomness=bytes)


@asynccontextmanager
async def served(made: ApiShell) -> AsyncIterator[ClientSession]:
    server = HttpServer(
        "127.0.0.1",
        0,
        version="1.2.3",
        checks={},
        metrics=CollectorRegistry(),
        routes=made.routes(),
    )
    async with server:
        host, port = server.address
        async with ClientSession(f"http://{host}:{port}") as client:
            yield client


async def test_a_request_reaches_the_front_as_it_was_on_the_wire() -> None:
    front = Recording()
    async with served(shell(front)) as client:
        target = "/destinations/a%2Fb%7e?x=%2A&x=&y"
        url = URL(str(client._base_url).rstrip("/") + target, encoded=True)
        headers = [("X-One", "1"), ("X-One", "é"), ("X-Two", " 2 ")]
        async with client.patch(url, data=b"\x00{}", headers=headers) as answer:
            assert (answer.status, await answer.read()) == (200, b"{}")
    [seen] = front.seen
    assert (seen.method, seen.path, seen.query) == ("PATCH", "/destinations/a%2Fb%7e", "x=%2A&x=&y")
    assert seen.body == b"\x00{}"
    assert (seen.headers["x-one"], seen.headers["x-two"]) == ("1,é", "2")
    assert UUID(front.ids[0]).version == 4


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_every_method_is_the_fronts_to_judge(method: str) -> None:
    front = Recording()
    async with served(shell(front)) as client, client.request(method, "/a/b") as answer:
        assert answer.status == 200
    assert front.seen[0].method == method


async def test_health_and_metrics_stay_what_they_are() -> None:
    front = Recording()
    async with served(shell(front)) as client:
        for path in ("/health", "/metrics"):
            async with client.get(path) as answer:
                assert answer.status == 200
    assert front.seen == []


async def test_an_empty_answer_has_no_body_and_no_content_type() -> None:
    front = Recording(Response(204, {"x-amzn-RequestId": "r-1"}))
    async with served(shell(front)) as client, client.delete("/a") as answer:
        assert (answer.status, await answer.read()) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert answer.headers["x-amzn-RequestId"] == "r-1"


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_that_is_too_long_is_not_read(chunked: bool) -> None:
    front = Recording()
    body = b"x" * 65_537

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async with served(shell(front, max_body_bytes=65_536)) as client:
        data = pieces() if chunked else body
        async with client.post("/a", data=data) as answer:
            assert answer.status == 400
            assert answer.headers["x-amzn-ErrorType"] == "ValidationException"
            assert (await answer.json())["Message"] == "the body is longer than 65536 bytes"
            assert "x-amzn-RequestId" in answer.headers
        async with client.post("/a", data=body[1:]) as answer:
            assert answer.status == 200
    assert len(front.seen) == 1


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    front = Recording()
    server_shell = shell(front, request_timeout_s=0.05)
    async with served(server_shell) as client:
        url = client._base_url
        assert url is not None
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12")
        answer = await reader.read()  # until the server closes
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"did not come in time" in answer
    assert front.seen == []


async def test_more_at_once_than_there_is_room_for_come_again() -> None:
    front = Recording()
    front.go_on.clear()
    made = shell(front, requests=1)
    async with served(made) as client:
        first = asyncio.create_task(client.get("/first"))
        while not front.seen:
            await asyncio.sleep(0.001)
        assert made.statistics()["in_flight"] == 1
        async with client.get("/second") as answer:
            assert answer.status == 429
            assert answer.headers["x-amzn-ErrorType"] == "ThrottlingException"
        front.go_on.set()
        assert (await first).status == 200
        async with client.get("/third") as answer:
            assert answer.status == 200
    assert made.refused == {"ThrottlingException": 1}


async def test_who_signs_wrongly_again_and_again_is_not_listened_to() -> None:
    front = Recording(FORGED)
    made = shell(front)
    async with served(made) as client:
        for _ in range(BURST + 1):
            async with client.get("/a") as answer:
                assert answer.status == 403
        front.response = DONE
        async with client.get("/a") as answer:
            assert answer.status == 429
            assert "too many wrong signatures" in (await answer.json())["Message"]
    assert len(front.seen) == BURST + 1
    assert made.statistics()["addresses_failing"] == 1


async def test_who_is_merely_not_allowed_is_listened_to() -> None:
    front = Recording(Response(403, {}, b"", error="AccessDeniedException"))
    made = shell(front)
    async with served(made) as client:
        for _ in range(BURST + 2):
            async with client.get("/a") as answer:
                assert answer.status == 403
    assert made.refused == {"AccessDeniedException": BURST + 2}


async def test_the_log_tells_a_refusal_without_the_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        served(shell(Recording(FORGED))) as client,
        client.get("/a", params={"X-Amz-Signature": "5ecre7"}) as answer,
    ):
        await answer.read()
    [line] = [each for each in caplog.messages if "refused=" in each]
    assert "refused=InvalidSignatureException method=GET path='/a' address=127.0.0.1" in line
    assert "5ecre7" not in caplog.text


def test_a_fault_is_told_with_its_request_id(caplog: pytest.LogCaptureFixture) -> None:
    tell_fault(None, "r-1", ZeroDivisionError("ours"))
    assert "request_id=r-1 operation=unknown failed" in caplog.text
    assert "ZeroDivisionError: ours" in caplog.text
