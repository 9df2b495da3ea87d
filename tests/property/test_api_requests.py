"""The whole API, behind its front and over a store with something in it: no request, however
malformed, is answered with an internal error, and every answer can be read by botocore."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bittern.api.message import Request, Response
from bittern.api.model import Operation, Shape, service
from bittern.api.operations import offered
from bittern.pki.authority import Authority, open_authority
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
sys.path.insert(0, str(Path(__file__).parents[1] / "property"))
from api_cases import CASES, REFUSED_YET
from api_site import Api
from api_world import World
from oracle import ENDPOINT, NOW, at, inputs, sign, understood, written
from spoiling import TEXT, bodies

OFFERED = [service(of).operation(name) for of, name in sorted(offered())]
NOT_OURS = ("host", "content-length")
"""Headers that the HTTP client makes."""
_NAME = re.compile(r"(id|ids|name|arn|identifier|principal|target|topic|token)$", re.IGNORECASE)
thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
operations = st.sampled_from(OFFERED)


def copied(value: Any, known: dict[int, Any]) -> Any:
    """Of a store in memory: what holds records is copied, records are not, for they never change
    and the keys in some do not copy."""
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, dict):
        made = known[id(value)] = type(value)()
        made.update({key: copied(one, known) for key, one in value.items()})
    elif isinstance(value, list | set):
        made = known[id(value)] = type(value)(copied(one, known) for one in value)
    elif type(value).__module__.startswith("bittern.testing.memory_") and hasattr(
        value, "__dict__"
    ):
        made = known[id(value)] = object.__new__(type(value))
        made.__dict__.update({key: copied(one, known) for key, one in vars(value).items()})
    else:
        return value
    return made


class Place:
    """A server with something of every kind in it, anew for every request."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self._authority = authority
        world = World(Api(authority), folder)
        with at(NOW):
            self._right = {
                name: case(world).parameters for name, case in CASES.items() if name in offered()
            }
        self._store, self._kept = world.api.store, world.api.broker.kept
        self.names = sorted(set(_names(vars(world))) | set(_arns(vars(world))))

    def succeeding(self, name: tuple[str, str]) -> dict[str, Any]:
        return dict(self._right[name])

    def answer(self, request: Request) -> tuple[Response, list[Exception]]:
        """And what went wrong behind it."""
        api = Api(self._authority, copied(self._store, {}))
        api.broker.kept = dict(self._kept)
        answering = api.front.answer(request, now=NOW, request_id="r-1")
        return asyncio.run(answering), api.faults


def _names(made: dict[str, Any]) -> Iterator[str]:
    return (value for value in made.values() if isinstance(value, str))


def _arns(made: dict[str, Any]) -> Iterator[str]:
    kinds = {"device": "WirelessDevice", "gateway": "WirelessGateway", "task": "FuotaTask"}
    for name, kind in kinds.items():
        yield f"arn:aws:iotwireless:eu-west-1:123456789012:{kind}/{made[name]}"
    for name, kind in {"thing": "thing", "certificate": "cert", "rule": "rule"}.items():
        yield f"arn:aws:iot:eu-west-1:123456789012:{kind}/{made[name]}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    return Place(open_authority(folder / "pki", Instant(NOW)), folder)


def pointed(draw: st.DrawFn, shape: Shape, drawn: Any, names: list[str]) -> Any:
    """The same parameters, about what is there."""
    match shape.type_name:
        case "structure" if isinstance(drawn, dict):
            return {
                name: _member(draw, name, shape.members[name], value, names)
                for name, value in drawn.items()
            }
        case "list":
            return [pointed(draw, shape.member, one, names) for one in drawn]
    return drawn


def _member(draw: st.DrawFn, name: str, shape: Shape, value: Any, names: list[str]) -> Any:
    if isinstance(value, str) and _NAME.search(name) and "enum" not in shape.metadata:
        return draw(st.sampled_from(names) | st.just(value))
    return pointed(draw, shape, value, names)


@st.composite
def meant(draw: st.DrawFn, operation: Operation, names: list[str]) -> dict[str, Any]:
    """Parameters that the model allows, mostly about what is there."""
    drawn = draw(inputs(operation))
    if operation.input is None:
        return drawn
    found: dict[str, Any] = pointed(draw, operation.input, drawn, names)
    return found


def well(place: Place, operation: Operation, request: Request) -> Response:
    response, faults = place.answer(request)
    assert faults == []
    assert response.status < 500
    if response.status >= 300:
        told = understood(operation, response)
        assert told["Error"]["Code"] == response.error
        assert told["Error"]["Message"]
    return response


@thorough
@given(st.data(), operations)
def test_no_request_that_the_model_allows_is_answered_with_500(
    place: Place, data: st.DataObject, operation: Operation
) -> None:
    right = written(operation, data.draw(meant(operation, place.names)))
    response = well(place, operation, signed_again(operation, right, right.path, right.query))
    if response.status < 300:
        assert response.status == operation.status
        understood(operation, response)


@thorough
@given(st.data(), operations)
def test_no_spoilt_request_is_answered_with_500(
    place: Place, data: st.DataObject, operation: Operation
) -> None:
    right = written(operation, data.draw(meant(operation, place.names)))
    body = data.draw(st.just(right.body) | bodies(right.body))
    query = data.draw(
        st.just(right.query)
        | TEXT
        | st.text("aA=&%2ü+;/?", max_size=12)
        | st.just(f"{right.query}&{right.query}")
        | st.just("maxResults=" + "9" * 5000)
    )
    tail = data.draw(st.sampled_from(["", "/", "//", "/..", "%2F", "%00", "%", "%ff", "?", "ü"]))
    well(place, operation, signed_again(operation, right, right.path + tail, query, body))


@thorough
@given(st.data(), operations)
def test_no_request_with_one_thing_wrong_in_a_right_one_is_answered_with_500(
    place: Place, data: st.DataObject, operation: Operation
) -> None:
    """What succeeds, but for one member: so it gets further than what is wrong in all."""
    name = (operation.service.name, operation.name)
    if name not in CASES or name in REFUSED_YET:
        return
    right = written(operation, place.succeeding(name))
    body = data.draw(bodies(right.body)) if right.body else b""
    well(place, operation, signed_again(operation, right, right.path, right.query, body))


@thorough
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]),
    st.text("abc/{}%2Fü.*\x00 -_", max_size=40)
    | st.sampled_from([operation.uri.partition("?")[0] for operation in OFFERED]),
    TEXT,
    st.binary(max_size=60),
    operations,
)
def test_no_bytes_are_answered_with_500(
    place: Place, method: str, path: str, query: str, body: bytes, operation: Operation
) -> None:
    headers = {"Content-Type": "application/json"}
    made = AWSRequest(method, f"{ENDPOINT}/{path}?{query}", headers=headers, data=body)
    request = sign(made, operation.service.signing_name)
    response, faults = place.answer(request)
    assert faults == []
    assert response.status < 500


def signed_again(
    operation: Operation, right: Request, path: str, query: str, body: bytes | None = None
) -> Request:
    target = f"{path}?{query}" if query else path
    headers = {name: value for name, value in right.headers.items() if name not in NOT_OURS}
    data = right.body if body is None else body
    made = AWSRequest(right.method, ENDPOINT + target, headers=headers, data=data)
    return sign(made, operation.service.signing_name)
