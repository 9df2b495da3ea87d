from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bittern.errors import CodecError, ExternalCallFailed
from bittern.outputs.codecs.desk import Decoded
from bittern.outputs.functions import MOST_ANSWER_BYTES, Functions
from bittern.rules import ExternalCall
from bittern.types import Instant

EVENT = {"PayloadData": "AQI=", "WirelessMetadata": {"LoRaWAN": {"FPort": 7}}}

ACCOUNT = "111122223333"


class NotingCodecs:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def decode(
        self, account: str, codec: str, payload: bytes, fport: int, at: Instant
    ) -> Decoded:
        self.asked.append((account, codec, payload, fport, at))
        if codec == "broken":
            raise CodecError("it takes too long", kind="time")
        return Decoded(b'{"level":1.5}')


class Endpoint:
    """An HTTP function that does as its path says."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(await request.json())
        match request.path:
            case "/slow":
                await asyncio.sleep(60)
            case "/failing":
                return web.Response(status=500)
            case "/text":
                return web.Response(text="hello")
            case "/long":
                return web.Response(body=b"[" + b"1," * MOST_ANSWER_BYTES + b"1]")
            case "/moved":
                raise web.HTTPFound("/double")
        return web.json_response({"got": self.seen[-1]})


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[Endpoint, str]]:
    handler, application = Endpoint(), web.Application()
    application.router.add_post("/{any}", handler.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield handler, f"http://127.0.0.1:{port}"
    await runner.cleanup()


@pytest.fixture
async def functions(endpoint: tuple[Endpoint, str]) -> AsyncIterator[Functions]:
    paths = ("double", "slow", "failing", "text", "long", "moved")
    named = {path: f"{endpoint[1]}/{path}" for path in paths} | {"gone": "http://127.0.0.1:1/"}
    made = Functions(NotingCodecs(), named, now=lambda: Instant(5), limit_s=0.5)
    async with made as running:
        yield running


def ask(name: object, event: object = EVENT) -> ExternalCall:
    return ExternalCall("aws_lambda", (name, event))


@pytest.mark.parametrize("name", ["meter", "arn:bittern:codec:meter"])
async def test_a_codec_decodes_an_uplink_message(functions: Functions, name: str) -> None:
    assert await functions.resolve(ask(name), ACCOUNT) == {"level": 1.5}
    assert functions._codecs.asked == [(ACCOUNT, "meter", b"\x01\x02", 7, Instant(5))]  # type: ignore[attr-defined]


async def test_a_codec_decodes_what_a_statement_put_together(functions: Functions) -> None:
    assert await functions.resolve(ask("meter", {"PayloadData": "AQI=", "FPort": 7}), ACCOUNT)


@pytest.mark.parametrize(
    "name",
    [
        "double",
        "arn:bittern:function:double",
        "arn:aws:lambda:us-east-1:123456789012:function:double",
        "arn:aws:lambda:us-east-1:123456789012:function:double:3",
    ],
)
async def test_an_endpoint_gets_the_event_and_answers(functions: Functions, name: str) -> None:
    assert await functions.resolve(ask(name, {"a": [1]}), ACCOUNT) == {"got": {"a": [1]}}


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("broken", EVENT, "too long"),
        ("arn:bittern:function:other", EVENT, "no other"),
        ("arn:aws:lambda:us-east-1:1:function:other", EVENT, "no other"),
        ("arn:aws:lambda:", EVENT, "has no"),
        (5, EVENT, "names a function"),
        ("meter", "text", "wants an uplink"),
        ("meter", {"PayloadData": 5, "FPort": 1}, "PayloadData"),
        ("meter", {"PayloadData": "AQI="}, "FPort"),
        ("meter", {"PayloadData": "A", "FPort": 1}, "base64"),
        ("slow", EVENT, "within 0.5 s"),
        ("failing", EVENT, "status 500"),
        ("moved", EVENT, "status 302"),
        ("text", EVENT, "aws_lambda text"),
        ("long", EVENT, "more than"),
        ("gone", EVENT, "aws_lambda gone"),
        ("double", {"long": "x" * 200_000}, "at most"),
    ],
)
async def test_whatever_goes_wrong_is_a_failed_call(
    functions: Functions, name: object, event: object, reason: str
) -> None:
    with pytest.raises(ExternalCallFailed, match=reason):
        await functions.resolve(ask(name, event), ACCOUNT)


async def test_other_functions_are_answered_by_nobody(functions: Functions) -> None:
    with pytest.raises(ExternalCallFailed, match="get_secret"):
        await functions.resolve(ExternalCall("get_secret", ("a", "b", "c")), ACCOUNT)
