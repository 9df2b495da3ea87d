"""What rules ask outside: ``aws_lambda(…)`` answered by a codec or by an HTTP endpoint.

The first argument names who answers:

    arn:bittern:codec:NAME      a registered codec, or one that is built in
    arn:bittern:function:NAME   an endpoint of the configuration's ``[functions]``
    NAME                        that endpoint, or else that codec
    arn:aws:lambda:…:NAME       the endpoint of the function's name, so that a statement written
                                for AWS runs here too

A codec is given an uplink message as it is, ``aws_lambda("meter", *)``, or an object of
``PayloadData`` and ``FPort``; its data are the answer. An endpoint gets the event by POST and
answers with JSON.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

import aiohttp

from bittern.errors import CodecError, ExternalCallFailed, RuleError, StoreError
from bittern.outputs.codecs.desk import Decoded
from bittern.rules import ExternalCall
from bittern.rules.document import parse, to_json
from bittern.types import Instant

LAMBDA = "aws_lambda"
LIMIT_S = 2.0
MOST_EVENT_BYTES = 128 * 1024
MOST_ANSWER_BYTES = 128 * 1024
CODEC_ARN = "arn:bittern:codec:"
FUNCTION_ARN = "arn:bittern:function:"
LAMBDA_ARN = "arn:aws:lambda:"
CONNECTIONS = 32


class Codecs(Protocol):
    """`CodecDesk`."""

    async def decode(
        self, account: str, codec: str, payload: bytes, fport: int, at: Instant
    ) -> Decoded: ...


class Functions:
    """A `Resolver`, and an async context manager."""

    def __init__(
        self,
        codecs: Codecs,
        endpoints: Mapping[str, str],
        *,
        now: Callable[[], Instant],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._codecs = codecs
        self._endpoints = endpoints
        self._now = now
        self._limit = aiohttp.ClientTimeout(total=limit_s)
        self._limit_s = limit_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def resolve(self, call: ExternalCall, account: str) -> object:
        """By a codec of the account, or by an endpoint: a value as in ``rules/values.py``. Raises
        `ExternalCallFailed`."""
        if call.function != LAMBDA:
            raise ExternalCallFailed(f"nobody answers {call.function} here")
        name, event = call.arguments
        if not isinstance(name, str):
            raise ExternalCallFailed("aws_lambda: its first argument names a function")
        endpoint, codec = self._named(name)
        try:
            if endpoint is not None:
                return await self._ask(endpoint, event)
            return await self._decode(account, codec, event)
        except (CodecError, StoreError, RuleError) as error:
            raise ExternalCallFailed(f"aws_lambda {name}: {error}") from None

    def _named(self, name: str) -> tuple[str | None, str]:
        """An endpoint, or a codec's name."""
        if name.startswith(CODEC_ARN):
            return None, name.removeprefix(CODEC_ARN)
        if name.startswith((FUNCTION_ARN, LAMBDA_ARN)):
            # arn:aws:lambda:REGION:ACCOUNT:function:NAME, and a version may follow.
            place = 6 if name.startswith(LAMBDA_ARN) else 3
            short = "".join(name.split(":")[place : place + 1])
            if short not in self._endpoints:
                raise ExternalCallFailed(f"aws_lambda: [functions] has no {short or name}")
            return self._endpoints[short], ""
        return self._endpoints.get(name), name

    async def _decode(self, account: str, codec: str, event: object) -> object:
        payload, fport = _uplink(event)
        decoded = await self._codecs.decode(account, codec, payload, fport, self._now())
        return parse(decoded.data)

    async def _ask(self, endpoint: str, event: object) -> object:
        body = to_json(event)
        if len(body) > MOST_EVENT_BYTES:
            raise ExternalCallFailed(f"the event has {len(body)} bytes, {MOST_EVENT_BYTES} at most")
        try:
            async with self._connected().post(
                endpoint, data=body, timeout=self._limit, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise ExternalCallFailed(f"it answered with status {response.status}")
                return _value(await _read(response))
        except TimeoutError:
            raise ExternalCallFailed(f"no answer within {self._limit_s:g} s") from None
        except aiohttp.ClientError as error:
            raise ExternalCallFailed(str(error) or type(error).__name__) from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Content-Type": "application/json"},
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    answer = b""
    async for chunk in response.content.iter_chunked(1 << 16):
        answer += chunk
        if len(answer) > MOST_ANSWER_BYTES:
            raise ExternalCallFailed(f"it answered with more than {MOST_ANSWER_BYTES} bytes")
    return answer


def _value(answer: bytes) -> object:
    value = parse(answer)
    if isinstance(value, bytes):
        raise ExternalCallFailed("it answered with no JSON")
    return value


def _uplink(event: object) -> tuple[bytes, int]:
    """Payload and FPort of an uplink message, or of what stands for one."""
    if not isinstance(event, dict):
        raise ExternalCallFailed("a codec wants an uplink message")
    text = event.get("PayloadData")
    metadata = event.get("WirelessMetadata")
    lorawan = metadata.get("LoRaWAN") if isinstance(metadata, dict) else None
    fport = (lorawan if isinstance(lorawan, dict) else event).get("FPort")
    if not isinstance(text, str) or not isinstance(fport, int):
        raise ExternalCallFailed("a codec wants an uplink message, with PayloadData and FPort")
    try:
        return b64decode(text, validate=True), fport
    except binascii.Error:
        raise ExternalCallFailed("PayloadData is no base64") from None
