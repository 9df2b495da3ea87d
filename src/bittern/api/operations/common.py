"""What many operations do: identities, times, creation that may be asked for again, refusals."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from bittern.api import idempotency, paging
from bittern.api.errors import ApiError, conflict, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.services import Randomness, Services
from bittern.api.paging import Page
from bittern.errors import Conflict, NotFound
from bittern.store.forgetting import forget
from bittern.store.names import checked_name
from bittern.store.notes import Note
from bittern.types import Instant

Answer = dict[str, Any]
Operation = Callable[[Services, Call, Parameters], Awaitable[Mapping[str, Any] | None]]
"""One operation, before it is bound to its services."""
Keep = Callable[[str, Answer], list[Note]]
"""The notes of a new resource, from its name in the ARN and the answer: to be added with it."""

KINDS: Mapping[str, str] = {
    "device": "WirelessDevice",
    "gateway": "WirelessGateway",
    "destination": "Destination",
    "device profile": "DeviceProfile",
    "service profile": "ServiceProfile",
    "firmware definition": "WirelessGatewayTaskDefinition",
    "firmware task": "WirelessGatewayTask",
    "certificate": "Certificate",
    "downlink": "DownlinkQueueMessage",
    "multicast group": "MulticastGroup",
    "fuota task": "FuotaTask",
    "analyzer": "NetworkAnalyzerConfiguration",
}
"""AWS's names of what the store names."""

ATTEMPTS = 5
"""How often something is decided again because others have changed it meanwhile."""

TRIM_BITS = 6
"""Of so many creations as these bits count, one forgets the answers that are too old."""

T = TypeVar("T")


def new_id(randomness: Randomness) -> str:
    """A random UUID (RFC 9562, 5.4)."""
    return str(uuid.UUID(int=randomness.getrandbits(128), version=4))


def downlink_message_id(randomness: Randomness) -> str:
    """32 hexadecimal digits in groups of 8, 8, 4 and 4, as AWS writes it."""
    digits = f"{randomness.getrandbits(96):024x}"
    return f"{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:]}"


def iso_text(at: Instant) -> str:
    """RFC 3339 in UTC with nine digits, where the model has a string: the clock knows six."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def moment(at: Instant) -> datetime:
    """Where the model has a timestamp."""
    return datetime.fromtimestamp(at, UTC)


def present(**members: Any) -> Answer:
    """Members that are there: absent ones, empty text and empty boxes are left out."""
    return {name: value for name, value in members.items() if value not in (None, "", {}, [])}


def check_name(name: str | None) -> str:
    """Of devices, gateways and profiles. ApiError."""
    try:
        return checked_name(name or "")
    except ValueError as error:
        raise wrong("name", f"Member {error}") from None


def no_sidewalk(parameters: Parameters) -> None:
    """ApiError where Amazon Sidewalk is wanted."""
    if "Sidewalk" in parameters or parameters.get("Type") == "Sidewalk":
        raise invalid("Amazon Sidewalk is not offered by this server; LoRaWAN is")


def lorawan(parameters: Parameters) -> Mapping[str, Any]:
    """The member of that name. ApiError without it."""
    no_sidewalk(parameters)
    found: Mapping[str, Any] | None = parameters.get("LoRaWAN")
    if found is None:
        raise missing("loRaWAN")
    return found


def missing(path: str) -> ApiError:
    return invalid(
        f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
        "Member must not be null"
    )


def wrong(path: str, reason: str) -> ApiError:
    return invalid(
        f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {reason}"
    )


@contextmanager
def told() -> Iterator[None]:
    """What the store refuses, in the words of the API."""
    try:
        yield
    except Conflict as error:
        kind = KINDS.get(error.kind, error.kind)
        text = f"{kind} {error.identity} {error.reason}"
        raise conflict(kind, error.identity, text) from None
    except NotFound as error:
        raise not_found(KINDS.get(error.kind, error.kind), error.identity) from None


async def settled(attempt: Callable[[], Awaitable[T | None]], kind: str, identity: str) -> T:
    """What `attempt` gives. None means that what it had read has changed, and it has to read and
    decide again. ApiError where others are always faster, and for what the store refuses."""
    with told():
        for _ in range(ATTEMPTS):
            outcome = await attempt()
            if outcome is not None:
                return outcome
    raise conflict(kind, identity, f"{kind} {identity} is being changed by others")


def page_of(
    services: Services, call: Call, parameters: Parameters, default: int = paging.DEFAULT_SIZE
) -> Page:
    return paging.page(services.tokens, call.account, call.operation.name, parameters, default)


def split(
    page: Page, items: Sequence[T], key: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """A page of a list that is at hand as a whole, in order of `key`."""
    after = page.after
    behind = items if after is None else [one for one in items if key(one) > after]
    return page.split(behind[: page.fetch], key)


async def once(
    services: Services,
    call: Call,
    parameters: Parameters,
    make: Callable[[Keep], Awaitable[Answer]],
) -> Answer:
    """What `make` makes and answers, or what was answered to the same token within
    ten minutes. The answer is kept in the transaction that makes the resource."""
    operation = call.operation.name
    attempt = idempotency.attempt(services.secret, call.account, operation, parameters)
    if services.randomness.getrandbits(TRIM_BITS) == 0:
        await services.store.trim_notes("attempt", idempotency.expired_before(call.now))
    earlier = await _earlier(services, call, attempt)
    if earlier is not None:
        return earlier

    def keep(rest: str, answer: Answer) -> list[Note]:
        notes = [] if attempt is None else [_remembered(call, attempt, answer)]
        return [*notes, *tag_notes(call, rest, parameters.get("Tags", ()))]

    try:
        with told():
            return await make(keep)
    except ApiError as error:
        # Of two that come together, the second finds out when it stores.
        if error.members.get("ResourceType") == "attempt":
            earlier = await _earlier(services, call, attempt)
            if earlier is not None:
                return earlier
        raise


async def _earlier(
    services: Services, call: Call, attempt: idempotency.Attempt | None
) -> Answer | None:
    if attempt is None:
        return None
    note = await services.store.note(call.account, "attempt", _name(attempt))
    if note is None:
        return None
    remembered = msgspec.json.decode(note.body, type=idempotency.Remembered)
    return idempotency.earlier_answer(attempt, remembered, call.now)


def _remembered(call: Call, attempt: idempotency.Attempt, answer: Answer) -> Note:
    kept = idempotency.Remembered(attempt.fingerprint, answer, call.now)
    return Note(
        account=call.account,
        kind="attempt",
        name=_name(attempt),
        at=call.now,
        body=msgspec.json.encode(kept).decode(),
        only_if_older_than=idempotency.expired_before(call.now),
    )


def _name(attempt: idempotency.Attempt) -> str:
    return f"{attempt.operation}/{attempt.token}"


def tag_notes(call: Call, rest: str, tags: Sequence[Mapping[str, str]]) -> list[Note]:
    """The tags of a new resource. A name that is free again must not inherit any."""
    if not tags and not rest.startswith(_NAMED):
        return []
    return [tags_note(call, rest, checked_tags(tags))]


_NAMED = ("Destination/", "NetworkAnalyzerConfiguration/")
"""What is known by a name that its owner chooses."""


def tags_note(call: Call, rest: str, tags: Mapping[str, str]) -> Note:
    body = msgspec.json.encode(tags).decode()
    return Note(account=call.account, kind="tags", name=rest, at=call.now, body=body)


async def tags_of(services: Services, call: Call, rest: str) -> dict[str, str]:
    """In the order in which they were given."""
    note = await services.store.note(call.account, "tags", rest)
    return {} if note is None else msgspec.json.decode(note.body, type=dict[str, str])


MOST_TAGS = 50


def checked_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By key. ApiError for a key that is there twice, or is AWS's own, or for too many."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) != len(tags):
        raise wrong("tags", "Member must not have the same key twice")
    if any(key.lower().startswith("aws:") for key in found):
        raise wrong("tags", "Member must not have keys that begin with aws:")
    if len(found) > MOST_TAGS:
        raise wrong("tags", f"Member must have length less than or equal to {MOST_TAGS}")
    return found


async def forget_tags(services: Services, call: Call, rest: str) -> None:
    """Behind the removal of what they were of; and what else was said of it."""
    await forget(services.store, call.account, rest)
