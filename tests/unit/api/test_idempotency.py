from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bittern.api.errors import ApiError
from bittern.api.idempotency import (
    WINDOW_S,
    Attempt,
    Remembered,
    attempt,
    earlier_answer,
    expired_before,
)
from bittern.types import Instant

SECRET = bytes(32)
ANSWER = {"Arn": "arn", "Id": "1"}


def made(token: str = "t", **parameters: object) -> Attempt:
    found = attempt(SECRET, "1", "Create", {"ClientRequestToken": token, **parameters})
    assert found is not None
    return found


def at(seconds: float) -> Instant:
    return Instant(1000.0 + seconds)


def test_without_a_token_a_request_stands_for_itself() -> None:
    assert attempt(SECRET, "1", "Create", {"Name": "x"}) is None


def test_the_first_is_carried_out() -> None:
    assert earlier_answer(made(), None, at(0)) is None


def test_the_same_again_gets_the_first_answer() -> None:
    first = made(Name="x", Tags=[{"Key": "a"}], LoRaWAN={"A": 1, "B": 2})
    again = made(LoRaWAN={"B": 2, "A": 1}, Tags=[{"Key": "a"}], Name="x")
    remembered = Remembered(first.fingerprint, ANSWER, at(0))
    assert earlier_answer(again, remembered, at(WINDOW_S)) == ANSWER


@pytest.mark.parametrize("changed", [{"Name": "y"}, {}, {"Name": "x", "More": None}])
def test_the_same_token_for_something_else_is_a_conflict(changed: dict[str, object]) -> None:
    remembered = Remembered(made(Name="x").fingerprint, ANSWER, at(0))
    with pytest.raises(ApiError) as refused:
        earlier_answer(made(**changed), remembered, at(1))
    assert refused.value.code == "ConflictException"


def test_after_ten_minutes_a_token_is_new() -> None:
    remembered = Remembered(made(Name="x").fingerprint, ANSWER, at(0))
    assert earlier_answer(made(Name="y"), remembered, at(WINDOW_S + 1)) is None
    assert expired_before(at(WINDOW_S + 1)) > remembered.at


def test_a_fingerprint_does_not_tell_what_it_is_of() -> None:
    """There are root keys in the parameters: who sees fingerprints must not be able to try."""
    parameters = {"ClientRequestToken": "t", "Key": "00", "At": datetime(2026, 1, 1, tzinfo=UTC)}
    one, other = (attempt(secret, "1", "Create", parameters) for secret in (SECRET, b"x" * 32))
    assert one is not None
    assert other is not None
    assert one.fingerprint != other.fingerprint


def test_every_spelling_of_the_token_in_the_models_is_known() -> None:
    from bittern.api.idempotency import TOKEN_MEMBERS
    from bittern.api.model import service

    found = set()
    for name in ("iotwireless", "cloudcontrol"):
        served = service(name)
        for operation in map(served.operation, served.operation_names):
            if operation.input is not None:
                members = operation.input.members.items()
                found |= {key for key, shape in members if shape.metadata.get("idempotencyToken")}
    assert found <= set(TOKEN_MEMBERS)
    assert found == {"ClientRequestToken", "ClientToken"}
