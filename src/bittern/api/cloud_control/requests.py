"""What became of requests: progress events, kept for a day.

A request is carried out before it is answered, so most events are final when they are told. An
event has nothing of the resource but its identifier: properties may be keys, and are read when they
are asked for. The token of a client and the account make the token of the request, so that asking
again finds the answer that was given.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bittern.api import idempotency
from bittern.api.errors import ACCESS_DENIED, INTERNAL, VALIDATION, ApiError
from bittern.api.front import Call
from bittern.errors import Conflict
from bittern.store.notes import Note, NoteKind
from bittern.types import Instant

if TYPE_CHECKING:
    from bittern.api.operations.services import Services

KEPT_S = 86_400
KIND: NoteKind = "resource_request"
MAX_MESSAGE = 2048
"""Characters, as the model has it."""
TRIM_BITS = 6
"""Of so many requests as these bits count, one forgets the events that are too old."""

OperationName = Literal["CREATE", "UPDATE", "DELETE"]
Status = Literal["SUCCESS", "FAILED", "IN_PROGRESS", "CANCEL_COMPLETE"]

_CODES: Mapping[str, str] = {
    VALIDATION: "InvalidRequest",
    ACCESS_DENIED: "AccessDenied",
    INTERNAL: "ServiceInternalError",
    "ResourceNotFoundException": "NotFound",
    "NotUpdatableException": "NotUpdatable",
    "ThrottlingException": "Throttling",
    "TooManyTagsException": "ServiceLimitExceeded",
    "LimitExceededException": "ServiceLimitExceeded",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request."""

    token: str
    """Of the request."""
    fingerprint: bytes
    """Of its parameters; keyed, for there may be keys among them."""
    type_name: str
    operation: OperationName
    status: Status
    at: Instant
    identifier: str = ""
    """Empty: no resource was made."""
    error: str = ""
    message: str = ""

    def document(self) -> dict[str, Any]:
        """As the API tells it, without the resource's properties."""
        told = {
            "TypeName": self.type_name,
            "Identifier": self.identifier,
            "RequestToken": self.token,
            "Operation": self.operation,
            "OperationStatus": self.status,
            "EventTime": datetime.fromtimestamp(self.at, UTC),
            "ErrorCode": self.error,
            "StatusMessage": self.message,
        }
        return {name: value for name, value in told.items() if value != ""}


def error_code(error: ApiError, operation: OperationName) -> str:
    """What a progress event calls it."""
    if error.code == "ConflictException":
        return "AlreadyExists" if operation == "CREATE" else "ResourceConflict"
    return _CODES.get(error.code, "GeneralServiceException")


def is_kept(event: Event, now: Instant) -> bool:
    return now - event.at <= KEPT_S


class Attempt(msgspec.Struct, frozen=True):
    """One request: by what token it is known, and what it asks for."""

    token: str
    fingerprint: bytes


def attempt(services: Services, call: Call, parameters: Mapping[str, Any]) -> Attempt:
    """A request without a token of its client stands for itself."""
    operation = call.operation.name
    made = idempotency.attempt(services.secret, call.account, operation, parameters)
    if made is None:
        own = uuid.UUID(int=services.randomness.getrandbits(128), version=4)
        return Attempt(str(own), b"")
    named = msgspec.json.encode(["cloudcontrol", call.account, made.token])
    digest = hmac.digest(services.secret, named, "sha256")
    # The operation is of the fingerprint: a token is for one request of whatever kind.
    fingerprint = hmac.digest(services.secret, operation.encode() + made.fingerprint, "sha256")
    return Attempt(str(uuid.UUID(bytes=digest[:16], version=4)), fingerprint)


async def earlier(services: Services, call: Call, made: Attempt) -> Event | None:
    """What became of the same request. ApiError if the token stood for another."""
    event = await find(services, call, made.token)
    if event is not None and not hmac.compare_digest(event.fingerprint, made.fingerprint):
        raise ApiError(
            "ClientTokenConflictException", "ClientToken was used before with other parameters"
        )
    return event


async def find(services: Services, call: Call, token: str) -> Event | None:
    note = await services.store.note(call.account, KIND, token)
    if note is None:
        return None
    event = msgspec.json.decode(note.body, type=Event)
    return event if is_kept(event, call.now) else None


async def found(services: Services, call: Call, token: str) -> Event:
    """ApiError where the account has made no such request in the last day."""
    event = await find(services, call, token)
    if event is None:
        raise ApiError("RequestTokenNotFoundException", f"Request {token} is not known")
    return event


async def keep(services: Services, call: Call, event: Event) -> Event:
    """The event, or that of the same request that was quicker."""
    if services.randomness.getrandbits(TRIM_BITS) == 0:
        await services.store.trim_notes(KIND, Instant(call.now - KEPT_S))
    try:
        await services.store.put_notes(_note(call, event, Instant(call.now - KEPT_S)))
    except Conflict:
        return await found(services, call, event.token)
    return event


async def renew(services: Services, call: Call, event: Event) -> None:
    """In place of the earlier one."""
    await services.store.put_notes(_note(call, event, None))


def _note(call: Call, event: Event, only_if_older_than: Instant | None) -> Note:
    return Note(
        account=call.account,
        kind=KIND,
        name=event.token,
        at=event.at,
        body=msgspec.json.encode(event).decode(),
        only_if_older_than=only_if_older_than,
    )
