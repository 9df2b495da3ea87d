"""What deliveries need of the world around them, and what every output promises.

The store and the registry are seen through the few methods that are used of them; the records of
`store/` fit these shapes as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import msgspec

from bittern.errors import DeliveryError
from bittern.rules import ExternalCall
from bittern.types import EUI64, Instant


class Delivery(Protocol):
    """A message owed to a destination."""

    @property
    def message_id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def dev_eui(self) -> EUI64: ...
    @property
    def destination(self) -> str: ...
    @property
    def document(self) -> bytes: ...
    @property
    def created_at(self) -> Instant: ...
    @property
    def sequence(self) -> int:
        """Given by the store, more than zero; the messages of a device go out in this order."""
        ...

    @property
    def lane(self) -> str:
        """The one receiver that it is owed to; empty: to wherever its destination says."""
        ...


class Intake(Protocol):
    """Whoever takes messages that clients of a broker publish."""

    def wants(self, topic: str) -> bool: ...

    def take(self, topic: str, payload: bytes, done: Callable[[str | None], None]) -> None:
        """`done` is called once, with what failed or None, when the message is taken over: only
        then is it acknowledged."""
        ...


class DeadLetter(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message that is given up, on its way to where a person finds it."""

    owed_as: int
    lane: str
    account: str
    dev_eui: EUI64
    message_id: str
    destination: str
    rule: str = ""
    action: str = ""
    reason: str
    detail: str
    attempts: int = 0
    created_at: Instant
    failed_at: Instant
    document: bytes


class OwedMessages(Protocol):
    """The outbox: what the store still owes. Each method may raise `StoreUnavailable`."""

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> Sequence[Delivery]:
        """Undelivered messages in order of sequence, of the outbox or of one lane."""
        ...

    async def lanes(self) -> Sequence[str]:
        """Those that something is owed in."""
        ...

    async def settle(
        self,
        *,
        delivered: Sequence[int],
        delivered_in: Mapping[str, Sequence[int]],
        owed: Sequence[Delivery],
        letters: Sequence[DeadLetter],
    ) -> None:
        """All or nothing: `owed` is owed in lanes from now on, `letters` are kept, the others are
        struck off the outbox and off lanes. What a lane is owed already stays as it is."""
        ...

    async def delivered(self, sequences: Sequence[int]) -> None:
        """Strike off what was delivered; unknown sequences are ignored."""
        ...


class Destination(Protocol):
    """Where the messages of devices go."""

    @property
    def expression_type(self) -> str: ...
    @property
    def expression(self) -> str: ...


class Destinations(Protocol):
    """The registry of destinations. May raise `StoreError`."""

    async def destination(self, account: str, name: str) -> Destination | None: ...


class RuleRecord(Protocol):
    """A rule as an operator wrote it."""

    @property
    def account(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sql(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def actions(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def error_action(self) -> Mapping[str, Any] | None: ...


class Rules(Protocol):
    """The registry of rules. May raise `StoreError`."""

    async def rule(self, account: str, name: str) -> RuleRecord | None: ...
    async def rules(self, account: str) -> Sequence[RuleRecord]: ...


class Resolver(Protocol):
    """Answers what rules ask outside: ``aws_lambda(…)``, codecs, tables."""

    async def resolve(self, call: ExternalCall, account: str) -> object:
        """For a message of the account: a value as in ``rules/values.py``. Raises
        `ExternalCallFailed`."""
        ...


class Sealer(Protocol):
    """Encrypts what is written to disk. `where` names the place; elsewhere it does not open."""

    def seal(self, plaintext: bytes, where: str) -> bytes: ...

    def open(self, sealed: bytes, where: str, formerly: str | None = None) -> bytes:
        """`formerly` is how an earlier version named the place. Raises `SealBroken`."""
        ...


_NO_PARAMETERS: Mapping[str, str] = {}


class Message(msgspec.Struct, frozen=True, gc=False):
    """What an output publishes. `message_id` lets a receiver recognise a second copy."""

    topic: str
    """Of an MQTT message; empty for outputs that know no topics."""
    payload: bytes
    message_id: str = ""
    parameters: Mapping[str, str] = _NO_PARAMETERS
    """The templates of a rule's action, filled in for this message, by their paths: ``key``,
    ``headers.0.value``."""
    device: EUI64 | None = None
    """Whose it is: messages of one device arrive in their order. None: of nobody known, and they
    are as those of one device."""
    retain: bool = False
    """Of an MQTT message: whether new subscribers get it, too."""


Failures = Mapping[int, DeliveryError]
"""Positions in a batch that did not reach their receiver, and why."""

NO_FAILURES: Failures = {}


class Health(NamedTuple):
    """Whether an output works now, and a word for the person who asks."""

    working: bool
    detail: str


class Output(Protocol):
    """A receiver of messages: an async context manager that connects and disconnects."""

    @property
    def name(self) -> str:
        """For logs and metric labels."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        """Deliver a batch, in its order; return when the fate of each message is known.

        Everything that is not named as a failure has reached its receiver. Raises
        `DeliveryUnavailable` when the receiver as a whole cannot be reached: then nothing is known
        of any message and all are sent again. Calls may overlap; they never share a device.
        """
        ...

    def health(self) -> Health: ...

    def statistics(self) -> Mapping[str, int]: ...
