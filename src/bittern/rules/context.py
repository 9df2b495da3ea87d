"""What an evaluation knows beside the message, and what it asks of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from bittern.errors import ExternalCallFailed, RuleError
from bittern.rules.document import to_json
from bittern.types import Instant

_EPOCH = Instant(0)
BASIC_INGEST = "$aws/rules/"


def _no_randomness(_: int) -> bytes:
    raise RuleError("this evaluation has no source of randomness")


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """A function that somebody outside has to answer: a codec, an HTTP endpoint, a table.

    ``arguments`` are values as in ``values.py``, none of them Undefined.
    """

    function: str
    arguments: tuple[object, ...]

    @property
    def key(self) -> str:
        """The same for the same call: it is asked once for a message."""
        return f"{self.function}{to_json(list(self.arguments)).decode()}"


Resolve = Callable[[ExternalCall], object]
"""Answers at once, or raises `ExternalCallFailed`."""


def _nobody_answers(call: ExternalCall) -> object:
    raise ExternalCallFailed(f"{call.function} is not available here")


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message's circumstances. The shell fills it in; nothing here is looked up. A struct: one
    is made for each message and rule."""

    now: Instant = _EPOCH
    """``timestamp()``; seconds."""

    topic: str = ""
    """``topic()``; the prefix ``$aws/rules/<rule>/`` of Basic Ingest is hidden from the rule."""

    client_id: str | None = None
    """``clientid()``; None: the message did not come over MQTT."""

    principal: str | None = None
    source_ip: str | None = None
    trace_id: str | None = None
    account_id: str | None = None

    mqtt_properties: Mapping[str, str] = {}
    """By the names of ``get_mqtt_property``: content_type, format_indicator, response_topic,
    correlation_data (base64)."""

    user_properties: tuple[tuple[str, str], ...] = ()

    random_bytes: Callable[[int], bytes] = _no_randomness
    """The source of ``rand()`` and ``newuuid()``."""

    resolve: Resolve = _nobody_answers
    """Used by `Rule.evaluate` and by templates; `Rule.begin` leaves calls to its caller."""

    @property
    def visible_topic(self) -> str:
        if not self.topic.startswith(BASIC_INGEST):
            return self.topic
        return "".join(self.topic.split("/", 3)[3:])
