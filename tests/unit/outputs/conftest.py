"""Fakes for the outbox and the outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import botocore.session
import msgspec
import pytest
from botocore.stub import Stubber

from bittern.config import Aws
from bittern.errors import DeliveryError, StoreUnavailable
from bittern.outputs.actions import Prepared, ReadyRule, lane_of
from bittern.outputs.port import DeadLetter, Failures, Health, Message
from bittern.outputs.routing import DestinationRouter, Route
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import RuleRecord
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
        self.in_lanes: dict[str, dict[int, Any]] = {}
        self.letters: list[DeadLetter] = []
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

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Any]:
        self._may_fail()
        rows = self.in_lanes.get(lane, {}) if lane else self.rows
        if not lane:
            self.reads.append((after_sequence, limit))
        page = [rows[s] for s in sorted(rows) if s > after_sequence][:limit]
        if self.during_read is not None:
            self.during_read()
        await asyncio.sleep(0)
        return page

    async def delivered(self, sequences: Sequence[int]) -> None:
        self._may_fail()
        self.struck.append(list(sequences))
        for sequence in sequences:
            self.rows.pop(sequence, None)

    async def lanes(self) -> list[str]:
        self._may_fail()
        return sorted(lane for lane, rows in self.in_lanes.items() if rows)

    async def settle(
        self,
        *,
        delivered: Sequence[int],
        delivered_in: Mapping[str, Sequence[int]],
        owed: Sequence[Any],
        letters: Sequence[DeadLetter],
    ) -> None:
        self._may_fail()
        for one in owed:
            self.in_lanes.setdefault(one.lane, {}).setdefault(one.sequence, one)
        self.letters += letters
        for lane, sequences in delivered_in.items():
            for sequence in sequences:
                self.in_lanes[lane].pop(sequence, None)
        for sequence in delivered:
            self.rows.pop(sequence, None)


class RecordingOutput:
    """Takes everything, unless the test says otherwise."""

    def __init__(self, name: str = "recording") -> None:
        self.name = name
        self.is_open = False
        self.batches: list[list[Message]] = []
        self.error: DeliveryError | Exception | None = None
        self.failures: dict[bytes, DeliveryError] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def documents(self) -> list[int]:
        return [int(message.payload) for batch in self.batches for message in batch]

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_open = False

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
    """Destinations and rules as tables. An action is ``{"record": {"to": NAME, …}}``: a recording
    output of that name; its other parameters are templates."""

    def __init__(self, output: RecordingOutput) -> None:
        self.topics = {"meters": "site/meters"}
        self.records: dict[str, RuleRecord] = {}
        self.by_rule: dict[str, str] = {}
        self.broker = output
        self.outputs: dict[str, RecordingOutput] = {}
        self.lookups = 0
        self.fail_next = 0

    @property
    def has_rules(self) -> bool:
        return bool(self.records)

    def prepare(self, document: Mapping[str, Any]) -> Prepared:
        [(kind, parameters)] = document.items()
        templates = {name: text for name, text in parameters.items() if name != "to"}

        def make(name: str) -> RecordingOutput:
            return self.outputs.setdefault(parameters["to"], RecordingOutput(name))

        return Prepared(kind=kind, parameters=parameters, templates=templates, make=make)

    def add_rule(self, name: str, sql: str, *to: str, **different: Any) -> None:
        actions = tuple({"record": {"to": one}} for one in to)
        record = RuleRecord(name=name, sql=sql, actions=actions, created_at=Instant(0.0))
        self.records[name] = msgspec.structs.replace(record, **different)

    async def route(self, account: str, destination: str) -> Route:
        self.lookups += 1
        if self.fail_next:
            self.fail_next -= 1
            raise StoreUnavailable("locked")
        return await DestinationRouter(self, self.broker, self, self.prepare).route(
            account, destination
        )

    async def destination(self, account: str, name: str) -> Destination | None:
        if name in self.topics:
            return Destination(name=name, expression=self.topics[name], created_at=Instant(0.0))
        if name in self.by_rule:
            return Destination(
                name=name,
                expression_type="RuleName",
                expression=self.by_rule[name],
                created_at=Instant(0.0),
            )
        return None

    async def rules(self, account: str) -> list[RuleRecord]:
        return list(self.records.values())

    async def rule(self, account: str, name: str) -> Any:
        record = self.records.get(name)
        return None if record is None else ReadyRule(record, self.prepare)

    async def action(self, lane: str) -> Any:
        account, name = lane_of(lane)
        rule = await self.rule(account, name)
        if rule is None:
            return None
        return next((one for one in rule.all_actions() if one.lane == lane), None)

    def forget(self) -> None: ...


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
