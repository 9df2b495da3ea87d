from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from bittern.api import sigv4
from bittern.api.errors import (
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_TOKEN,
    UNRECOGNIZED_CLIENT,
    ApiError,
)
from bittern.api.message import Request
from bittern.api.sigv4 import SecretAccessKey
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
from oracle import ACCESS_KEY_ID, ENDPOINT, NOW, REGION, SECRET, operation_of, sign, signed

QUERY_AUTH = partial(SigV4QueryAuth, expires=300)
SIGNERS = [SigV4Auth, QUERY_AUTH]


def verified(request: Request, now: float = NOW, secret: str = SECRET) -> sigv4.Claim:
    claim = sigv4.read_claim(request)
    sigv4.verify(claim, request, SecretAccessKey(secret), Instant(now))
    return claim


def refusal(request: Request, now: float = NOW, secret: str = SECRET) -> str:
    with pytest.raises(ApiError) as refused:
        verified(request, now, secret)
    assert secret not in refused.value.message
    return refused.value.code


def a_request(signer: Callable[..., Any] = SigV4Auth) -> Request:
    return sign(
        AWSRequest("GET", f"{ENDPOINT}/wireless-devices/d?identifierType=DevEui"), signer=signer
    )


def a_call(**options: Any) -> Request:
    parameters = {"Name": "d", "ExpressionType": "RuleName", "Expression": "r", "RoleArn": "a" * 20}
    return signed(operation_of("CreateDestination"), parameters, **options)


def header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/wireless-devices",
        "/tags?resourceArn=arn%3Aa%2Fb&tagKeys=z&tagKeys=a",
        "/destinations/a%2Fb%20c%2A~-_.",
        "/wireless-devices/../things//x/./y/",
        "/a?b&c=&=d&A=1",
        "/caf%C3%A9?q=%C3%A9~",
    ],
)
def test_what_botocore_signs_is_verified(signer: Callable[..., Any], path: str) -> None:
    if signer is not SigV4Auth and "tagKeys" in path:
        path = path.replace("&tagKeys=a", "")  # botocore keeps one of them when it presigns
    claim = verified(sign(AWSRequest("GET", ENDPOINT + path), signer=signer))
    assert (claim.access_key_id, claim.region, claim.service) == (
        ACCESS_KEY_ID,
        REGION,
        "iotwireless",
    )
    assert claim.signed_at == NOW
    assert claim.expires_s == (None if signer is SigV4Auth else 300)


def test_a_body_is_part_of_what_is_signed() -> None:
    request = a_call()
    verified(request)
    assert refusal(replace(request, body=request.body + b" ")) == INVALID_SIGNATURE


def test_a_time_in_the_header_date_is_taken_too() -> None:
    request = AWSRequest("GET", f"{ENDPOINT}/tags", headers={"Date": "now"})
    assert verified(sign(request)).signed_at == NOW


def test_blanks_in_a_header_do_not_matter() -> None:
    request = AWSRequest("GET", f"{ENDPOINT}/tags", headers={"X-Amz-Thing": "a  b"})
    verified(header(sign(request), "x-amz-thing", "  a b "))


def test_the_secret_decides() -> None:
    for signer in SIGNERS:
        assert refusal(a_request(signer), secret="another") == INVALID_SIGNATURE


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="DELETE"),
        lambda request: replace(request, path="/wireless-devices/e"),
        lambda request: replace(request, path="/wireless-devices%2Fd"),
        lambda request: replace(request, query=request.query + "&x=1"),
        lambda request: replace(request, query=request.query.replace("DevEui", "ThingName")),
        lambda request: header(request, "host", "other.example"),
        lambda request: replace(request, body=b"x"),
    ],
)
def test_whatever_is_changed_on_the_way_is_noticed(
    signer: Callable[..., Any], change: Callable[[Request], Request]
) -> None:
    assert refusal(change(a_request(signer))) == INVALID_SIGNATURE


def test_a_header_of_meaning_cannot_be_added_on_the_way() -> None:
    for name in ("x-amz-target", "x-amzn-principal"):
        assert refusal(header(a_request(), name, "x")) == INCOMPLETE_SIGNATURE
    verified(header(a_request(), "x-amzn-trace-id", "x"))
    verified(header(a_request(), "amz-sdk-invocation-id", "x"))


def test_a_changed_time_is_noticed() -> None:
    request = a_request()
    moved = header(request, "x-amz-date", request.headers["x-amz-date"][:-2] + "9Z")
    assert refusal(moved) == INVALID_SIGNATURE


@pytest.mark.parametrize("skew", [-299, 0, 300])
def test_clocks_may_differ_by_five_minutes(skew: int) -> None:
    verified(a_request(), NOW + skew)


@pytest.mark.parametrize("skew", [-301, 301, 86_400])
def test_clocks_may_not_differ_by_more(skew: int) -> None:
    assert refusal(a_request(), NOW + skew) == INVALID_SIGNATURE


def test_a_presigned_address_lasts_as_long_as_it_says() -> None:
    request = a_request(partial(SigV4QueryAuth, expires=7200))
    verified(request, NOW + 7200)
    assert refusal(request, NOW + 7201) == INVALID_SIGNATURE
    assert refusal(request, NOW - 301) == INVALID_SIGNATURE


@pytest.mark.parametrize("expires", [0, -1, 604_801, "1e3", "", "٣"])
def test_a_presigned_address_has_a_sensible_end(expires: object) -> None:
    request = a_request(partial(SigV4QueryAuth, expires=expires))
    assert refusal(request) == INCOMPLETE_SIGNATURE


def test_a_hash_that_is_not_of_the_body_is_refused_though_it_is_signed() -> None:
    for told in ("UNSIGNED-PAYLOAD", "0" * 64):
        request = AWSRequest(
            "PUT", f"{ENDPOINT}/x", data=b"b", headers={"X-Amz-Content-SHA256": told}
        )
        assert refusal(sign(request)) == INVALID_SIGNATURE


def test_no_session_tokens_are_valid() -> None:
    for signer in SIGNERS:
        assert refusal(a_call(token="session", signer=signer)) == UNRECOGNIZED_CLIENT


def test_an_unsigned_request_is_told_so() -> None:
    assert refusal(Request("GET", "/tags", "", {"host": "x"})) == MISSING_TOKEN


def test_two_signatures_are_one_too_many() -> None:
    request = a_request(QUERY_AUTH)
    assert refusal(header(request, "authorization", "x")) == INCOMPLETE_SIGNATURE
    doubled = replace(request, query=request.query + "&X-Amz-Date=20260102T030405Z")
    assert refusal(doubled) == INCOMPLETE_SIGNATURE


GOOD = a_request().headers["authorization"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic eDp5",
        GOOD.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        GOOD.replace("aws4_request", "aws5_request"),
        GOOD.replace("/iotwireless/", "/"),
        GOOD.replace("/iotwireless/", "//"),
        GOOD.replace("/20260102/", "/20260103/"),
        GOOD.replace("host;", ""),
        GOOD.replace("host;", "Host;"),
        GOOD.replace("host;", "host;host;"),
        GOOD.replace("host;", "host;x-amz-thing;"),
        GOOD.replace("SignedHeaders", "Signed"),
        GOOD[:-1],
        GOOD[:-1] + "G",
        GOOD[:-1] + "é",
        GOOD + ", " + GOOD,
    ],
)
def test_a_signature_that_lacks_something_is_told_so(authorization: str) -> None:
    assert refusal(header(a_request(), "authorization", authorization)) == INCOMPLETE_SIGNATURE


@pytest.mark.parametrize(
    "stamp", ["", "2026-01-02T03:04:05Z", "20260102T990000Z", "20260102T0304Z"]
)
def test_a_time_that_is_none_is_told_so(stamp: str) -> None:
    assert refusal(header(a_request(), "x-amz-date", stamp)) == INCOMPLETE_SIGNATURE


def test_a_secret_does_not_print() -> None:
    assert SECRET not in repr(SecretAccessKey(SECRET)) + str(SecretAccessKey(SECRET))


def test_a_path_is_encoded_twice_and_a_query_once() -> None:
    assert sigv4.canonical_path("/a%2Fb") == "/a%252Fb"
    assert sigv4.canonical_path("/a/../b//c/.") == "/b/c"
    assert sigv4.canonical_query("b=2&a=%7e&a=x+y&X-Amz-Signature=00") == "a=x%20y&a=~&b=2"
