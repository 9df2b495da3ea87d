"""Fakes for the outbox and the outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import botocore.session
import pytest
from botocore.stub import Stubber

from bittern.config import Aws
from bittern.errors import DeliveryError, DeliveryRejected, StoreUnavailable
from bittern.outputs.port import Failures, Health, Message
from bittern.outputs.routing import Route
from bittern.store.records import Delivery
from bittern.types import EUI64, DevEUI, Instant


def delivery(sequence: int, device: int = 1, destination: str = "meters") -> Delivery:
    return Delivery(
        message_id=f"m{sequence}",
        dev_eui=DevEUI(EUI64.from_int(device)),
        destination=destination,
        document=str(sequence).encode(),
        created_at=Instant(0.0),
        sequence=sequence,
    )


class ManualClock:
    """Time that the test moves. `sleep` ends when the time has come."""

    def __init__(self) -> None:
        self.at = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> Instant:
        return Instant(self.at)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.at + seconds, sleeper))
        await sleeper

    def advance(self, seconds: float) -> None:
        self.at += seconds
        for due, sleeper in self._sleepers:
            if due <= self.at and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [pair for pair in self._sleepers if not pair[1].done()]


class MemoryOutbox:
    """The outbox as a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[int, Delivery] = {}
        self.struck: list[list[int]] = []
        self.reads: list[tuple[int, int]] = []
        self.fail_next = 0
        self.during_read: Callable[[], None] | None = None

    def owe(self, *deliveries: Delivery) -> None:
        self.rows.update((one.sequence, one) for one in deliveries)

    def _may_fail(self) -> None:
        if self.fail_next:
            self.fail_next -= 1
            raise StoreUnavailable("disk full")

    async def owed(self, after_sequence: int, limit: int) -> list[Delivery]:
        self._may_fail()
        self.reads.append((after_sequence, limit))
        page = [self.rows[s] for s in sorted(self.rows) if s > after_sequence][:limit]
        if self.during_read is not None:
            self.during_read()
        await asyncio.sleep(0)
        return page

    async def delivered(self, sequences: Sequence[int]) -> None:
        self._may_fail()
        self.struck.append(list(sequences))
        for sequence in sequences:
            self.rows.pop(sequence, None)


class RecordingOutput:
    """Takes everything, unless the test says otherwise."""

    name = "recording"

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []
        self.error: DeliveryError | Exception | None = None
        self.failures: dict[bytes, DeliveryError] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def documents(self) -> list[int]:
        return [int(message.payload) for batch in self.batches for message in batch]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        self.batches.append(list(messages))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {
            place: self.failures[message.payload]
            for place, message in enumerate(messages)
            if message.payload in self.failures
        }

    def health(self) -> Health:
        return Health(True, "recording")

    def statistics(self) -> dict[str, int]:
        return {}


class TableRouter:
    def __init__(self, output: RecordingOutput) -> None:
        self.topics = {"meters": "site/meters"}
        self.output = output
        self.lookups = 0
        self.fail_next = 0

    async def route(self, account: str, destination: str) -> Route:
        self.lookups += 1
        if self.fail_next:
            self.fail_next -= 1
            raise StoreUnavailable("locked")
        if destination not in self.topics:
            raise DeliveryRejected(f"no destination {destination!r}")
        return Route(self.output, self.topics[destination])


async def settle(turns: int = 30) -> None:
    """Let everything that can run do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    return delivery


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
async def output() -> RecordingOutput:
    return RecordingOutput()


@pytest.fixture
def router(output: RecordingOutput) -> TableRouter:
    return TableRouter(output)


@pytest.fixture
def settled() -> Callable[..., object]:
    return settle


class StubbedAws:
    """A service of AWS that answers as it is told, in that order, and checks what it is asked."""

    def __init__(self, service: str) -> None:
        session = botocore.session.Session()
        session.set_credentials("stub", "stub")
        endpoint = "http://127.0.0.1:9"
        self._client = session.create_client(
            service, region_name="eu-west-1", endpoint_url=endpoint
        )
        self.stub = Stubber(self._client)
        self.stub.activate()
        self.asked_for: tuple[str, str | None] | None = None

    def answers(self, operation: str, answer: dict[str, Any], **expected: object) -> None:
        self.stub.add_response(operation, answer, expected or None)

    def fails(self, operation: str, code: str, status: int = 400, **more: Any) -> None:
        self.stub.add_client_error(operation, code, "no", status, modeled_fields=more or None)

    def connect(self, service: str, settings: Aws, region: str | None) -> Any:
        self.asked_for = (service, region)
        return self._client

    def done(self) -> None:
        self.stub.assert_no_pending_responses()


def message(
    payload: bytes | str = b'{"x": 1}', device: int | None = 1, number: int = 1, **parameters: str
) -> Message:
    """`parameters` are paths, with ``__`` for a full stop."""
    return Message(
        "",
        payload if isinstance(payload, bytes) else payload.encode(),
        f"m{number}",
        {path.replace("__", "."): text for path, text in parameters.items()},
        None if device is None else EUI64.from_int(device),
    )


@pytest.fixture
def make_message() -> Callable[..., Message]:
    return message


@pytest.fixture
def stubbed_aws() -> type[StubbedAws]:
    return StubbedAws
