"""What deliveries need of the world around them, and what every output promises.

The store and the registry are seen through the few methods that are used of them; the records of
`store/` fit these shapes as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import msgspec

from bittern.errors import DeliveryError
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


class OwedMessages(Protocol):
    """The outbox: what the store still owes. Each method may raise `StoreUnavailable`."""

    async def owed(self, after_sequence: int, limit: int) -> Sequence[Delivery]:
        """Undelivered messages in order of sequence."""
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


class Sealer(Protocol):
    """Encrypts what is written to disk. `where` names the place; elsewhere it does not open."""

    def seal(self, plaintext: bytes, where: str) -> bytes: ...

    def open(self, sealed: bytes, where: str) -> bytes:
        """Raises `SealBroken`."""
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
