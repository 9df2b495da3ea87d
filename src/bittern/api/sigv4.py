"""AWS Signature Version 4, the server's side: by header, and by query (presigned addresses).

In two steps, since the secret is looked up between them: `read_claim` takes what a request says of
its signature, `verify` holds it against the secret. As for every service but S3, the path in what
is signed is encoded twice and the body's hash is always part of it.

Beside the host, every header that AWS gives a meaning (``x-amz-``, ``x-amzn-``) must be signed, so
that nobody on the way can add one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes, unquote_to_bytes

from bittern.api.errors import (
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_TOKEN,
    UNRECOGNIZED_CLIENT,
    ApiError,
)
from bittern.api.message import Request
from bittern.api.timestamps import from_rfc822
from bittern.types import Instant

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW_S = 300
MAX_EXPIRES_S = 604_800
"""Of a presigned address: seven days."""

_AUTHORIZATION = re.compile(rf"{ALGORITHM}\s+([^,]+),\s*([^,]+),\s*([^,]+)")
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SIGNATURE_PARAMETER = re.compile(rb"(?:^|&)X-Amz-Signature=[^&]*")
_ADDED_ON_THE_WAY = frozenset({"x-amzn-trace-id", "x-amz-cf-id", "x-amz-user-agent"})
"""Proxies add them or clients leave them unsigned; they mean nothing here."""


class SecretAccessKey:
    """The secret half of an access key. It does not print; it makes signing keys."""

    __slots__ = ("_seed",)

    def __init__(self, text: str) -> None:
        self._seed = b"AWS4" + text.encode()

    def __repr__(self) -> str:
        return "SecretAccessKey(…)"

    def signing_key(self, date: str, region: str, service: str) -> bytes:
        """For one day, region and service."""
        key = self._seed
        for part in (date, region, service, "aws4_request"):
            key = _mac(key, part)
        return key


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature. Nothing of it is true until it is verified."""

    access_key_id: str
    date: str
    region: str
    service: str
    """The signing name."""
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    """``20260102T030405Z``."""
    signed_at: Instant
    expires_s: int | None
    """Of a presigned address; None: signed by header."""

    @property
    def valid_until(self) -> Instant:
        lifetime = MAX_SKEW_S if self.expires_s is None else self.expires_s
        return Instant(self.signed_at + lifetime)


def read_claim(request: Request) -> Claim:
    """ApiError if there is no signature, or one that lacks a part."""
    by_query = _query_parameters(request.query)
    header = request.headers.get("authorization")
    if header is not None and "X-Amz-Signature" in by_query:
        raise _incomplete("both a header and the query hold a signature")
    if header is None and not by_query:
        raise ApiError(MISSING_TOKEN, "the request is not signed")
    if "x-amz-security-token" in request.headers or "X-Amz-Security-Token" in by_query:
        raise ApiError(UNRECOGNIZED_CLIENT, "no session tokens are issued here, so none is valid")
    return _from_query(by_query) if header is None else _from_header(request, header)


def verify(claim: Claim, request: Request, secret: SecretAccessKey, now: Instant) -> None:
    """ApiError unless `request` was signed with `secret`, as it is, at about `now`."""
    _check_time(claim, now)
    _check_coverage(claim, request)
    if not hmac.compare_digest(_signature(claim, request, secret), claim.signature.encode()):
        raise ApiError(
            INVALID_SIGNATURE,
            "the signature is not that of this request; check the secret access key, and that "
            "nothing between client and server rewrites host, path or headers",
        )


def canonical_request(claim: Claim, request: Request) -> bytes:
    """What was signed, by its hash."""
    headers = b"".join(
        name.encode() + b":" + b" ".join(_bytes(request.headers[name]).split()) + b"\n"
        for name in claim.signed_headers
    )
    return b"\n".join(
        (
            request.method.encode(),
            canonical_path(request.path).encode(),
            canonical_query(request.query).encode(),
            headers,
            ";".join(claim.signed_headers).encode(),
            hashlib.sha256(request.body).hexdigest().encode(),
        )
    )


def canonical_path(path: str) -> str:
    """Dots resolved and doubled slashes merged, then encoded once more."""
    if "//" in path or "/." in path:
        path = _resolved(path)
    return quote_from_bytes(_bytes(path or "/"), safe="/~")


def canonical_query(query: str) -> str:
    """Without the signature; encoded in the one way, in the order of names and then values."""
    if not query:
        return ""
    raw = _SIGNATURE_PARAMETER.sub(b"", _bytes(query))
    pairs = [
        (_recoded(name), _recoded(value))
        for name, _, value in (pair.partition(b"=") for pair in raw.split(b"&") if pair)
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _signature(claim: Claim, request: Request, secret: SecretAccessKey) -> bytes:
    scope = f"{claim.date}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical_request(claim, request)).hexdigest()
    signed = f"{ALGORITHM}\n{claim.timestamp}\n{scope}\n{digest}"
    key = secret.signing_key(claim.date, claim.region, claim.service)
    return _mac(key, signed).hex().encode()


def _check_time(claim: Claim, now: Instant) -> None:
    if now > claim.valid_until:
        raise ApiError(
            INVALID_SIGNATURE,
            f"Signature expired: {claim.timestamp} is too long before {_stamp(now)}",
        )
    if claim.signed_at > now + MAX_SKEW_S:
        raise ApiError(
            INVALID_SIGNATURE,
            f"Signature not yet current: {claim.timestamp} is too far behind {_stamp(now)}",
        )


def _check_coverage(claim: Claim, request: Request) -> None:
    """That what the server will act on is what was signed."""
    signed = set(claim.signed_headers)
    if "host" not in signed:
        raise _incomplete("the header host is not signed")
    for name in request.headers:
        meaning = name.startswith(("x-amz-", "x-amzn-")) and name not in _ADDED_ON_THE_WAY
        if meaning and name not in signed:
            raise _incomplete(f"the header {name} is not signed")
    if not signed <= request.headers.keys():
        raise _incomplete("a signed header is not in the request")
    told = request.headers.get("x-amz-content-sha256")
    if told is not None and told != hashlib.sha256(request.body).hexdigest():
        raise ApiError(INVALID_SIGNATURE, "x-amz-content-sha256 is not the hash of the body")


def _from_header(request: Request, header: str) -> Claim:
    found = _AUTHORIZATION.fullmatch(header.strip())
    parts = (
        dict(part.strip().split("=", 1) for part in found.groups() if "=" in part) if found else {}
    )
    if parts.keys() != {"Credential", "SignedHeaders", "Signature"}:
        raise _incomplete("Authorization must hold Credential, SignedHeaders and Signature")
    return _claim(parts, _header_timestamp(request), None)


def _from_query(parameters: dict[str, str]) -> Claim:
    if parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise _incomplete(f"X-Amz-Algorithm must be {ALGORITHM}")
    expires = parameters.get("X-Amz-Expires", "")
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= MAX_EXPIRES_S:
        raise _incomplete(f"X-Amz-Expires must be 1 to {MAX_EXPIRES_S} seconds")
    parts = {name.removeprefix("X-Amz-"): value for name, value in parameters.items()}
    return _claim(parts, parameters.get("X-Amz-Date", ""), int(expires))


def _claim(parts: dict[str, str], timestamp: str, expires_s: int | None) -> Claim:
    access_key_id, *scope = parts.get("Credential", "").split("/")
    if len(scope) != 4 or scope[3] != "aws4_request" or not all((access_key_id, *scope)):
        raise _incomplete("Credential must be KEY/DATE/REGION/SERVICE/aws4_request")
    signed_headers = tuple(parts.get("SignedHeaders", "").split(";"))
    if len(set(signed_headers)) != len(signed_headers) or any(
        name != name.lower() for name in signed_headers
    ):
        raise _incomplete("SignedHeaders must hold each name once, in lower case")
    signature = parts.get("Signature", "")
    if not re.fullmatch(r"[0-9a-f]{64}", signature):
        raise _incomplete("Signature must be 64 hexadecimal digits")
    if not _TIMESTAMP.fullmatch(timestamp) or timestamp[:8] != scope[0]:
        raise _incomplete("X-Amz-Date must be a time of the credential's day")
    try:
        signed_at = datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        raise _incomplete("X-Amz-Date is no time") from None
    return Claim(
        access_key_id=access_key_id,
        date=scope[0],
        region=scope[1],
        service=scope[2],
        signed_headers=signed_headers,
        signature=signature,
        timestamp=timestamp,
        signed_at=Instant(signed_at),
        expires_s=expires_s,
    )


def _header_timestamp(request: Request) -> str:
    """``X-Amz-Date``, or ``Date`` as HTTP writes it."""
    stamp = request.headers.get("x-amz-date")
    if stamp is not None:
        return stamp
    try:
        return from_rfc822(request.headers.get("date")).strftime("%Y%m%dT%H%M%SZ")
    except ValueError:
        raise _incomplete("the request has neither X-Amz-Date nor Date") from None


def _query_parameters(query: str) -> dict[str, str]:
    """The parameters of a presigned address; empty if it is none."""
    if "X-Amz-" not in query:
        return {}
    pairs = (pair.partition("=") for pair in query.split("&"))
    wanted = [(name, value) for name, _, value in pairs if name.startswith("X-Amz-")]
    if len(dict(wanted)) != len(wanted):
        raise _incomplete("a parameter of the signature is there twice")
    return {name: unquote_to_bytes(value).decode("utf-8", "replace") for name, value in wanted}


def _resolved(path: str) -> str:
    """RFC 3986, 5.2.4, and no empty segments."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    resolved = "/" + "/".join(kept)
    return resolved + "/" if kept and path.endswith("/") else resolved


def _recoded(part: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(part.replace(b"+", b" ")), safe="-_.~")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _stamp(now: Instant) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def _incomplete(what: str) -> ApiError:
    return ApiError(INCOMPLETE_SIGNATURE, what)
