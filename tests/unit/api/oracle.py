"""botocore as the oracle: what its client writes we must read, what we write it must read."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest import mock

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest, AWSResponse, prepare_request_dict
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import assume
from hypothesis import strategies as st

from bittern.api.front import Front
from bittern.api.message import Request, Response
from bittern.api.model import (
    SIGNING_NAMES,
    Operation,
    Shape,
    location,
    payload_member,
    service,
)
from bittern.api.patterns import compiled
from bittern.types import Instant

NOW = Instant(1_767_322_830.0)
REGION = "eu-west-1"
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ENDPOINT = "http://bittern.example:8443"

OPERATIONS = [
    service(name).operation(operation)
    for name in sorted(SIGNING_NAMES.values())
    for operation in service(name).operation_names
]


def operation_of(name: str, of: str = "iotwireless") -> Operation:
    return service(of).operation(name)


def written(operation: Operation, parameters: Mapping[str, Any]) -> Request:
    """The request that botocore's client makes of `parameters`, unsigned."""
    return _as_request(_prepared(operation, parameters).prepare())


def signed(
    operation: Operation,
    parameters: Mapping[str, Any],
    *,
    now: float = NOW,
    secret: str = SECRET,
    signer: Callable[..., Any] = botocore.auth.SigV4Auth,
    token: str | None = None,
) -> Request:
    """The same, with botocore's own signature."""
    request = _prepared(operation, parameters)
    sign(
        request, operation.service.signing_name, now=now, secret=secret, signer=signer, token=token
    )
    return _as_request(request.prepare())


def sign(
    request: AWSRequest,
    signing_name: str = "iotwireless",
    *,
    now: float = NOW,
    secret: str = SECRET,
    signer: Callable[..., Any] = botocore.auth.SigV4Auth,
    token: str | None = None,
) -> Request:
    with at(now):
        signer(Credentials(ACCESS_KEY_ID, secret, token), signing_name, REGION).add_auth(request)
    return _as_request(request.prepare())


@contextlib.contextmanager
def at(now: float) -> Iterator[None]:
    moment = datetime.fromtimestamp(now, UTC)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: moment):
        yield


def understood(operation: Operation, response: Response) -> dict[str, Any]:
    """What botocore's client makes of `response`."""
    stream = _stream(operation) if response.status < 300 else None
    raw = {
        "status_code": response.status,
        "headers": _lower(response.headers),
        "body": io.BytesIO(response.body) if stream else response.body,
    }
    parser = create_parser(operation.service.protocol)
    parsed: dict[str, Any] = parser.parse(raw, operation.output)
    if response.status < 300:
        parsed.pop("ResponseMetadata", None)
        if stream:
            parsed[stream] = parsed[stream].read()
    elif "Error" in parsed:
        code = parsed["Error"]["Code"]
        if code in operation.errors:
            parsed.update(parser.parse(raw, operation.errors[code].shape))
    return parsed


def _stream(operation: Operation) -> str | None:
    """The member that boto3 gives as a stream: bytes that are the whole body."""
    name = payload_member(operation.output) if operation.output is not None else None
    return name if name and operation.output.members[name].type_name == "blob" else None


def client(
    name: str, front: Front, *, now: Callable[[], float] = lambda: NOW, **options: Any
) -> Any:
    """A genuine boto3 client whose requests go to `front`, without a socket."""
    like = _client(name, tuple(sorted(options.items())))
    made = object.__new__(type(like))
    made.__dict__.update(like.__dict__)
    made._endpoint = copy.copy(like._endpoint)
    made._endpoint.http_session = _InProcess(front, now)
    return made


@cache
def _client(name: str, named: tuple[tuple[str, Any], ...]) -> Any:
    """To be copied: making one takes longer than most tests with it."""
    options = dict(named)
    return boto3.client(
        name,
        endpoint_url=ENDPOINT,
        region_name=options.pop("region", REGION),
        aws_access_key_id=options.pop("access_key_id", ACCESS_KEY_ID),
        aws_secret_access_key=options.pop("secret", SECRET),
        config=Config(retries={"max_attempts": 1}, **options),
    )


class _InProcess:
    """In place of botocore's HTTP session."""

    def __init__(self, front: Front, now: Callable[[], float]) -> None:
        self._front = front
        self._now = now
        self.requests: list[Request] = []

    def send(self, request: Any) -> AWSResponse:
        taken = _as_request(request)
        self.requests.append(taken)
        answering = self._front.answer(taken, now=Instant(self._now()), request_id="r-1")
        response = asyncio.run(answering)
        return AWSResponse(
            request.url, response.status, _lower(response.headers), _Raw(response.body)
        )

    def close(self) -> None:
        pass


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any, **__: Any) -> bytes:
        body, self._body = self._body, b""
        return body


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _prepared(operation: Operation, parameters: Mapping[str, Any]) -> AWSRequest:
    serializer = create_serializer(operation.service.protocol, include_validation=False)
    model = operation.service._model.operation_model(operation.name)
    made = serializer.serialize_to_request(dict(parameters), model)
    prepare_request_dict(made, ENDPOINT)
    return AWSRequest(
        method=made["method"], url=made["url"], data=made["body"], headers=made["headers"]
    )


def _as_request(prepared: Any) -> Request:
    origin, _, target = prepared.url.partition("//")[2].partition("/")
    headers = {name: _text(value) for name, value in prepared.headers.items()}
    headers.setdefault("Host", origin)
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    return Request.of(prepared.method, "/" + target, headers.items(), body)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


# Strategies from shapes. What is optional is drawn by a budget: some shapes are forests.

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(
    lambda value: value.replace(tzinfo=UTC)
)
_JSON = st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.integers(-9, 9), max_size=3)
_JSON_VALUES = st.dictionaries(st.text(max_size=3), _JSON, max_size=2) | st.text(max_size=5)
_HEADERS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=9)
_TEXT = st.characters(codec="utf-8")
_BUDGET = 12


@st.composite
def inputs(draw: st.DrawFn, operation: Operation) -> dict[str, Any]:
    """Valid parameters."""
    drawn = _Drawing(draw).members(operation.input) if operation.input is not None else {}
    # A form cannot tell an empty structure from none.
    assume(operation.service.protocol != "query" or "{}" not in repr(drawn))
    return drawn


@st.composite
def outputs(draw: st.DrawFn, operation: Operation) -> dict[str, Any]:
    """Results that a handler may give."""
    return _Drawing(draw).members(operation.output) if operation.output is not None else {}


class _Drawing:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.left = _BUDGET

    def members(self, shape: Shape) -> dict[str, Any]:
        payload, found = payload_member(shape), {}
        # botocore's parser always finds a status and a stream.
        needed = {
            *shape.required_members,
            *(name for name, part in shape.members.items() if location(part) == "statusCode"),
        } | ({payload} if payload and shape.members[payload].type_name == "blob" else set())
        required = [name for name in shape.members if name in needed]
        optional = [name for name in shape.members if name not in needed]
        if optional and self.left > 0:
            most = min(self.left, len(optional), 6)
            optional = self.draw(st.lists(st.sampled_from(optional), max_size=most, unique=True))
        else:
            optional = []
        self.left -= len(optional)
        for name in (*required, *optional):
            found[name] = self.place(shape.members[name], name == payload)
        return found

    def place(self, shape: Shape, payload: bool) -> Any:
        match location(shape):
            case "uri":
                return self.draw(_strategy(shape).filter(_can_be_a_label))
            case "querystring" if shape.type_name == "list":
                return self.draw(st.lists(_strategy(shape.member), min_size=1, max_size=3))
            case "header" if shape.serialization.get("jsonvalue"):
                return self.draw(_JSON_VALUES)
            case "header" if shape.metadata.keys() & {"enum", "pattern"}:
                return self.draw(_strategy(shape).filter(_can_be_in_a_header))
            case "header":
                return self.draw(_HEADERS)
            case "statusCode":
                return self.draw(st.sampled_from([200, 202]))
        if payload and shape.type_name == "blob":
            return self.draw(st.binary(min_size=1, max_size=20))
        return self.value(shape)

    def value(self, shape: Shape) -> Any:
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max")
        match shape.type_name:
            case "structure":
                return self.members(shape)
            case "list":
                most = max(low, min(2 if self.left > 0 else 0, high if high is not None else 2))
                size = self.draw(st.integers(low, most))
                return [self.value(shape.member) for _ in range(size)]
            case "map":
                keys = st.lists(
                    _strategy(shape.key), min_size=low, max_size=max(2, low), unique=True
                )
                return {key: self.value(shape.value) for key in self.draw(keys)}
        return self.draw(_strategy(shape))


def _can_be_a_label(value: Any) -> bool:
    return not {"", ".", ".."}.intersection(str(value).split("/"))


def _can_be_in_a_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip() != ""


def _strategy(shape: Shape) -> st.SearchStrategy[Any]:
    """For a simple value."""
    if shape.type_name == "timestamp":
        return MOMENTS
    traits = shape.metadata
    return _simple(
        shape.type_name,
        traits.get("min"),
        traits.get("max"),
        traits.get("pattern"),
        tuple(traits.get("enum", ())),
    )


@cache
def _simple(
    kind: str, low: Any, high: Any, pattern: str | None, enum: tuple[str, ...]
) -> st.SearchStrategy[Any]:
    match kind:
        case "string":
            return _strings(low or 0, high, pattern, enum)
        case "integer" | "long":
            most = 2 ** (31 if kind == "integer" else 63) - 1
            return st.integers(-9 if low is None else low, most if high is None else high)
        case "float" | "double":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(min_size=low or 0, max_size=20)
    raise AssertionError(kind)


def _strings(
    low: int, high: int | None, pattern: str | None, enum: tuple[str, ...]
) -> st.SearchStrategy[str]:
    if enum:
        return st.sampled_from(enum)
    expression = compiled(pattern) if pattern else None
    if expression is None:
        longest = max(low, min(12, 12 if high is None else high))
        return st.text(_TEXT, min_size=low, max_size=longest)
    found = st.from_regex(expression, fullmatch=True)
    return found.filter(lambda text: low <= len(text) <= (len(text) if high is None else high))
