"""The API's protocol layer against the model's shapes, with botocore's client at the other end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bittern.api import errors, parse, router, serialize, sigv4, validate
from bittern.api.errors import INCOMPLETE_SIGNATURE, INVALID_SIGNATURE, ApiError
from bittern.api.front import Call, Caller, Front
from bittern.api.message import Request
from bittern.api.model import Operation
from bittern.api.policy import ready
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parent))
from oracle import (
    ENDPOINT,
    NOW,
    OPERATIONS,
    SECRET,
    inputs,
    outputs,
    sign,
    signed,
    understood,
    written,
)
from spoiling import TEXT, bodies

operations = st.sampled_from(OPERATIONS)
thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def taken(request: Request, operation: Operation) -> dict[str, Any]:
    route = router.route(operation.service, request)
    assert route.operation is operation
    parameters = parse.parameters(request, route)
    validate.check(operation, parameters)
    return parameters


@thorough
@given(st.data(), operations)
def test_what_botocores_client_writes_is_read_as_it_was_meant(
    data: st.DataObject, operation: Operation
) -> None:
    meant = data.draw(inputs(operation))
    assert taken(written(operation, meant), operation) == meant


@thorough
@given(st.data(), operations)
def test_what_is_written_botocores_client_reads_as_it_was_meant(
    data: st.DataObject, operation: Operation
) -> None:
    meant = data.draw(outputs(operation))
    # XML holds no control characters.
    assume(operation.service.protocol != "query" or "\\" not in repr(meant))
    response = serialize.response(operation, meant, "r-1")
    assert understood(operation, response) == meant


@thorough
@given(st.data(), operations)
def test_what_botocores_client_signs_is_verified(data: st.DataObject, operation: Operation) -> None:
    request = signed(operation, data.draw(inputs(operation)))
    sigv4.verify(sigv4.read_claim(request), request, sigv4.SecretAccessKey(SECRET), NOW)


@thorough
@given(st.data(), operations)
def test_no_request_however_spoilt_raises_anything_but_an_api_error(
    data: st.DataObject, operation: Operation
) -> None:
    right = written(operation, data.draw(inputs(operation)))
    names = [name for name in right.query.replace("=", "&").split("&") if name] or ["maxResults"]
    query = "&".join(
        f"{data.draw(st.sampled_from(names))}={data.draw(TEXT)}"
        for _ in range(data.draw(st.integers(0, 3)))
    )
    headers = {name: data.draw(st.just(value) | TEXT) for name, value in right.headers.items()}
    headers |= {
        "x-amz-mqtt5-user-properties": data.draw(TEXT),
        "x-amz-target": right.headers.get("x-amz-target", ""),
    }
    path = data.draw(st.just(right.path) | st.builds(lambda tail: right.path + tail, TEXT))
    body = data.draw(bodies(right.body))
    request = Request(right.method, path, query, headers, body)
    try:
        route = router.route(operation.service, request)
        parameters = parse.parameters(request, route)
        validate.check(route.operation, parameters)
    except ApiError as error:
        told = errors.answer(error, "r-1", operation.service, operation)
        assert 400 <= told.status < 500
        assert understood(operation, told)["Error"]["Code"] == told.error


NOT_OURS = ("host", "content-length")
"""Headers that the HTTP client makes."""


async def nothing(call: Call, parameters: dict[str, Any]) -> None:
    """Every operation's handler."""


async def administrator(access_key_id: str) -> Caller:
    key = sigv4.SecretAccessKey(SECRET)
    return Caller("123456789012", access_key_id, "arn", ready("administrator"), key)


EVERYTHING = Front(
    {(operation.service.name, operation.name): nothing for operation in OPERATIONS},
    administrator,
    region="eu-west-1",
)


@thorough
@given(st.data(), operations)
def test_no_signed_request_however_spoilt_is_answered_with_500(
    data: st.DataObject, operation: Operation
) -> None:
    right = written(operation, data.draw(inputs(operation)))
    body = data.draw(st.just(right.body) | bodies(right.body))
    query = data.draw(st.just(right.query) | st.text("aA=&%2ü+", max_size=9))
    target = f"{right.path}?{query}" if query else right.path
    headers = {name: value for name, value in right.headers.items() if name not in NOT_OURS}
    request = sign(
        AWSRequest(right.method, ENDPOINT + target, headers=headers, data=body),
        operation.service.signing_name,
    )
    response = asyncio.run(EVERYTHING.answer(request, now=NOW, request_id="r-1"))
    assert response.status < 500
    if query == right.query:
        assert response.error not in (INVALID_SIGNATURE, INCOMPLETE_SIGNATURE)
    if (body, query) == (right.body, right.query):
        assert response.error is None


@thorough
@given(
    st.text(max_size=60),
    st.dictionaries(
        st.sampled_from(["authorization", "x-amz-date", "date", "host", "x-amz-content-sha256"]),
        st.text(max_size=60)
        | st.just(
            "AWS4-HMAC-SHA256 Credential=A/20260102/r/iot/aws4_request, SignedHeaders=host, "
            "Signature=" + "0" * 64
        )
        | st.just("20260102T030405Z")
        | st.just("Fri, 02 Jan 2026 03:04:05 GMT"),
    ),
    st.text(max_size=30) | st.just("X-Amz-Signature=0&X-Amz-Algorithm=AWS4-HMAC-SHA256"),
)
def test_no_signature_however_spoilt_raises_anything_but_an_api_error(
    path: str, headers: dict[str, str], query: str
) -> None:
    request = Request("GET", path, query, headers)
    try:
        claim = sigv4.read_claim(request)
        sigv4.verify(claim, request, sigv4.SecretAccessKey("x"), Instant(claim.signed_at))
    except ApiError:
        return
    raise AssertionError("a made-up signature was accepted")
