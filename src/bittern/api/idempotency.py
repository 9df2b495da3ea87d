"""``ClientRequestToken``: an answer that got lost on the way may be asked for again.

The same token with the same parameters gets the first answer, without anything being done; with
other parameters it is a conflict. A token is remembered for ten minutes, per account and operation.
What is remembered is kept by the store, in the transaction that makes the resource; here is what it
means. AWS says both that a repetition succeeds and that it may be refused: here it succeeds.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import ApiError
from bittern.types import Instant

WINDOW_S = 600
TOKEN_MEMBERS = ("ClientRequestToken", "clientRequestToken", "ClientToken", "clientToken")


class Attempt(msgspec.Struct, frozen=True):
    """One request with a token."""

    account: str
    operation: str
    token: str
    fingerprint: bytes
    """Of the parameters; keyed, for there are root keys among them."""


class Remembered(msgspec.Struct, frozen=True):
    """What the store keeps of an attempt that succeeded."""

    fingerprint: bytes
    answer: dict[str, Any]
    """The result of the operation; of operations that take a token it holds no secret."""
    at: Instant


def attempt(
    secret: bytes, account: str, operation: str, parameters: Mapping[str, Any]
) -> Attempt | None:
    """None if the request has no token: then it stands for itself."""
    token = next((parameters[name] for name in TOKEN_MEMBERS if name in parameters), None)
    if token is None:
        return None
    without = {name: value for name, value in parameters.items() if name not in TOKEN_MEMBERS}
    canonical = msgspec.json.encode(without, order="deterministic")
    return Attempt(account, operation, token, hmac.digest(secret, canonical, "sha256"))


def earlier_answer(
    made: Attempt, remembered: Remembered | None, now: Instant
) -> dict[str, Any] | None:
    """The answer to give again; None: carry it out. ApiError if the token stood for something
    else. `remembered` is what the store has for the account, operation and token."""
    if remembered is None or now - remembered.at > WINDOW_S:
        return None
    if not hmac.compare_digest(made.fingerprint, remembered.fingerprint):
        raise ApiError(
            "ConflictException", "ClientRequestToken was used before with other parameters"
        )
    return remembered.answer


def expired_before(now: Instant) -> Instant:
    """What was remembered before may be forgotten."""
    return Instant(now - WINDOW_S)
