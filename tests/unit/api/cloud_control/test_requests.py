from __future__ import annotations

import random
from typing import Any, cast

import pytest

from bittern.api.cloud_control import requests
from bittern.api.cloud_control.requests import KEPT_S, Attempt, Event
from bittern.api.errors import ApiError
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.operations import Endpoints, Services
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

NOW = Instant(1_800_000_000.0)
ASKED = {"TypeName": "AWS::IoTWireless::Destination", "ClientToken": "once", "DesiredState": "{}"}


@pytest.fixture
def services() -> Services:
    return Services(
        store=MemoryStore(),
        now=lambda: NOW,
        randomness=random.Random(1),
        secret=bytes(32),
        authority=cast(Any, None),
        endpoints=Endpoints("", ""),
    )


def call(operation: str = "CreateResource", account: str = "123456789012", at: float = 0.0) -> Call:
    caller = Caller(account, "AKID", "arn", policy(READY["administrator"]), SecretAccessKey("x"))
    made = service("cloudcontrol").operation(operation)
    return Call(made, caller, "eu-west-1", "request", Instant(NOW + at))


def event_of(made: Attempt, at: float = 0.0, **fields: Any) -> Event:
    fields = {"operation": "CREATE", "status": "SUCCESS", "type_name": "T", **fields}
    return Event(token=made.token, fingerprint=made.fingerprint, at=Instant(NOW + at), **fields)


def test_the_token_of_a_client_makes_that_of_the_request(services: Services) -> None:
    first, again = (requests.attempt(services, call(), ASKED) for _ in range(2))
    assert first == again
    others = [
        requests.attempt(services, call(account="210987654321"), ASKED),
        requests.attempt(services, call(), ASKED | {"ClientToken": "twice"}),
        *(requests.attempt(services, call(), {"DesiredState": "{}"}) for _ in range(2)),
    ]
    assert len({first.token, *(one.token for one in others)}) == 5


async def test_the_same_request_finds_what_became_of_it(services: Services) -> None:
    made = requests.attempt(services, call(), ASKED)
    assert await requests.earlier(services, call(), made) is None
    event = await requests.keep(services, call(), event_of(made))
    assert await requests.earlier(services, call(), made) == event
    assert await requests.earlier(services, call(account="210987654321"), made) is None


@pytest.mark.parametrize(
    ("operation", "asked"),
    [("CreateResource", ASKED | {"DesiredState": "[]"}), ("UpdateResource", ASKED)],
)
async def test_a_token_is_for_one_request(
    services: Services, operation: str, asked: dict[str, str]
) -> None:
    made = requests.attempt(services, call(), ASKED)
    await requests.keep(services, call(), event_of(made))
    other = requests.attempt(services, call(operation), asked)
    with pytest.raises(ApiError) as refused:
        await requests.earlier(services, call(operation), other)
    assert refused.value.code == "ClientTokenConflictException"


async def test_of_two_at_the_same_time_the_first_is_told(services: Services) -> None:
    made = requests.attempt(services, call(), ASKED)
    first = await requests.keep(services, call(), event_of(made, identifier="first"))
    second = await requests.keep(services, call(), event_of(made, status="FAILED"))
    assert second == first


async def test_an_event_is_kept_for_a_day(services: Services) -> None:
    made = requests.attempt(services, call(), ASKED)
    await requests.keep(services, call(), event_of(made))
    assert (await requests.found(services, call(at=KEPT_S), made.token)).type_name == "T"
    late = call(at=KEPT_S + 1)
    with pytest.raises(ApiError) as refused:
        await requests.found(services, late, made.token)
    assert refused.value.code == "RequestTokenNotFoundException"
    anew = event_of(made, at=KEPT_S + 1, status="FAILED")
    assert await requests.keep(services, late, anew) == anew


async def test_old_events_are_forgotten_in_passing(services: Services) -> None:
    for number in range(300):
        made = requests.attempt(services, call(), {"DesiredState": "{}"})
        at = number * 3600.0
        await requests.keep(services, call(at=at), event_of(made, at))
    assert len(await services.store.notes("123456789012", requests.KIND)) < 200


async def test_an_event_may_end_later(services: Services) -> None:
    made = requests.attempt(services, call(), ASKED)
    await requests.keep(services, call(), event_of(made, status="IN_PROGRESS"))
    await requests.renew(services, call(), event_of(made, at=5))
    assert (await requests.found(services, call(), made.token)).status == "SUCCESS"


@pytest.mark.parametrize(
    ("code", "operation", "told"),
    [
        ("ValidationException", "CREATE", "InvalidRequest"),
        ("AccessDeniedException", "CREATE", "AccessDenied"),
        ("ConflictException", "CREATE", "AlreadyExists"),
        ("ConflictException", "DELETE", "ResourceConflict"),
        ("ResourceNotFoundException", "UPDATE", "NotFound"),
        ("NotUpdatableException", "UPDATE", "NotUpdatable"),
        ("ThrottlingException", "UPDATE", "Throttling"),
        ("TooManyTagsException", "UPDATE", "ServiceLimitExceeded"),
        ("InternalServerException", "DELETE", "ServiceInternalError"),
        ("SomethingElse", "DELETE", "GeneralServiceException"),
    ],
)
def test_errors_have_names_of_their_own_in_events(code: str, operation: Any, told: str) -> None:
    assert requests.error_code(ApiError(code, "why"), operation) == told
    codes = service("cloudcontrol").shape("ProgressEvent").members["ErrorCode"].enum
    assert told in codes


def test_an_event_tells_nothing_that_is_empty() -> None:
    document = event_of(Attempt("t", b"")).document()
    assert document.keys() == {
        "TypeName", "RequestToken", "Operation", "OperationStatus", "EventTime",
    }  # fmt: skip
