"""What operations work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from bittern.api.paging import Tokens
from bittern.outputs.clients import Clients
from bittern.pki.authority import Authority
from bittern.store.event_settings import INITIAL, EventDefaults
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant


class Randomness(Protocol):
    """The operating system's, or a seeded one in tests."""

    def getrandbits(self, k: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where gateways connect to: ``https://…`` and ``wss://…``."""

    cups_uri: str
    lns_uri: str
    mqtt: str = "localhost"
    """Where MQTT clients do: a host, and ``:port`` where that is not 8883."""


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told beside the store's change feed."""

    owed: Callable[[], None] = _nothing
    """A message was added to the outbox."""
    metrics: Callable[[], None] = _nothing
    """An account has said whether it wants summary metrics."""
    logs: Callable[[], None] = _nothing
    """An account has said which lines of the log it wants."""


@dataclass(frozen=True)
class Services:
    """The same for every request. `secret`, of 32 bytes, is the same on all nodes."""

    store: Store = field(repr=False)
    now: Callable[[], Instant] = field(repr=False)
    randomness: Randomness = field(repr=False)
    secret: bytes = field(repr=False)
    authority: Callable[[], Authority] = field(repr=False)
    """Signs certificates of gateways, and is what gateways trust: one gives way to the next while
    the server runs."""
    endpoints: Endpoints
    notify: Notify = Notify()
    events: EventDefaults = INITIAL
    """Where an account has said nothing."""
    broker: Clients | None = field(default=None, repr=False)
    broker_account: str = DEFAULT_ACCOUNT
    """Whose programs may publish there, and read what it retains."""

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.secret)
