"""What one receiver is owed of a message: the share of an action of a rule, or of the broker.

In memory it is a `Part`. In the store its document is an envelope of everything that the receiver
is to get and that an error action is to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from bittern.outputs.port import DeadLetter, Delivery
from bittern.types import EUI64, Instant

Reason = Literal[
    "rejected",
    "gave_up",
    "evaluation",
    "rule_not_found",
    "rule_disabled",
    "rule_unusable",
    "destination_not_found",
]
"""Why a message was given up, in one word: what dead letters are shown with."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message did not get somewhere."""

    reason: Reason
    detail: str
    attempts: int = 0
    action: str = ""
    """What a person calls the action: ``1 http``."""
    failed_action: str = ""
    """As AWS's error actions say it: ``S3Action``."""
    resource: str = ""


class Cause(msgspec.Struct, frozen=True, array_like=True):
    """A part that failed, kept with its error action: should that fail too, it is buried."""

    lane: str
    envelope: bytes
    failure: Failure


class Part(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A `Delivery` for one lane; `document` is what its receiver gets."""

    message_id: str
    account: str
    dev_eui: EUI64
    destination: str
    document: bytes
    created_at: Instant
    sequence: int
    lane: str
    original: bytes
    """The message as the destination was owed it."""
    topic: str = ""
    """Where it was published, or is to be."""
    parameters: Mapping[str, str] = {}
    """The templates of the action that depend on the message, filled in."""
    causes: tuple[Cause, ...] = ()
    """Of an error action."""

    def with_envelope(self) -> OwedPart:
        return OwedPart(
            message_id=self.message_id,
            account=self.account,
            dev_eui=self.dev_eui,
            destination=self.destination,
            document=envelope_of(self),
            created_at=self.created_at,
            sequence=self.sequence,
            lane=self.lane,
        )


class OwedPart(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The same as the store keeps it."""

    message_id: str
    account: str
    dev_eui: EUI64
    destination: str
    document: bytes
    created_at: Instant
    sequence: int
    lane: str


class Envelope(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    document: bytes
    original: bytes | None
    """None: the same."""
    topic: str = ""
    parameters: dict[str, str] = {}
    causes: tuple[Cause, ...] = ()


_NO_PARAMETERS: Mapping[str, str] = {}
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


def envelope_of(part: Part) -> bytes:
    return _encoder.encode(
        Envelope(
            part.document,
            None if part.original == part.document else part.original,
            part.topic,
            dict(part.parameters),
            part.causes,
        )
    )


def opened(envelope: bytes) -> Envelope:
    """Raises `msgspec.DecodeError` for what is none."""
    return _decoder.decode(envelope)


def part_from(owed: Delivery) -> Part:
    """What the store owes in a lane."""
    found = opened(owed.document)
    return Part(
        message_id=owed.message_id,
        account=owed.account,
        dev_eui=owed.dev_eui,
        destination=owed.destination,
        document=found.document,
        created_at=owed.created_at,
        sequence=owed.sequence,
        lane=owed.lane,
        original=found.document if found.original is None else found.original,
        topic=found.topic,
        parameters=found.parameters,
        causes=found.causes,
    )


def part_of(
    delivery: Delivery,
    lane: str,
    topic: str,
    document: bytes | None = None,
    parameters: Mapping[str, str] = _NO_PARAMETERS,
) -> Part:
    """A message for one lane: what a rule made of it, or, without `document`, all of it."""
    if document is None and isinstance(delivery, Part):
        return delivery
    return Part(
        message_id=delivery.message_id,
        account=delivery.account,
        dev_eui=delivery.dev_eui,
        destination=delivery.destination,
        document=delivery.document if document is None else document,
        created_at=delivery.created_at,
        sequence=delivery.sequence,
        lane=lane,
        original=delivery.document,
        topic=topic,
        parameters=parameters,
    )


def letter_of(delivery: Delivery, cause: Cause, rule: str, now: Instant) -> DeadLetter:
    """To be owed again as it was when it failed."""
    failure = cause.failure
    return DeadLetter(
        owed_as=delivery.sequence,
        lane=cause.lane,
        account=delivery.account,
        dev_eui=delivery.dev_eui,
        message_id=delivery.message_id,
        destination=delivery.destination,
        rule=rule,
        action=failure.action,
        reason=failure.reason,
        detail=failure.detail,
        attempts=failure.attempts,
        created_at=delivery.created_at,
        failed_at=now,
        document=cause.envelope,
    )
