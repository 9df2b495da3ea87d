"""How many messages a second pass a rule to a republish: ``python -m bench.delivery``.

A component benchmark, the process held to one core: messages are owed by the store (SQLite,
synchronous, sealed) with the session of their device, and offered to the dispatcher as the network
does it; the rule selects from each, and what has arrived is struck off. The receiver takes
everything at once: what a broker costs beyond that is not in these figures, nor what an uplink
costs before (``bench.micro``). First the dispatcher alone, over a store that costs nothing, then
both together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.rules import STATEMENTS, UPLINK
from bittern.outputs.actions import Prepared
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.evaluation import Evaluator
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message, Output
from bittern.outputs.routing import DestinationRouter
from bittern.store.ports.sessions import Deliver
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import RuleRecord
from bittern.store.sqlite import SqliteStore
from bittern.store.vault import KeyRing
from bittern.testing.examples import (
    dev_eui,
    device,
    join_state,
    next_session,
    register,
    session,
)
from bittern.types import EUI64, DevEUI, Instant

DEVICES = 200
DOCUMENT = msgspec.json.encode(UPLINK)
SQL = STATEMENTS["the usual rule"].replace(" FROM 'x'", "")


class Taking:
    """Takes everything at once."""

    name = "taking"

    def __init__(self) -> None:
        self.taken = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        self.taken += len(messages)
        return NO_FAILURES

    def health(self) -> Health:
        return Health(True, "taking")

    def statistics(self) -> Mapping[str, int]:
        return {"taken": self.taken}


class Result(NamedTuple):
    what: str
    per_second: float
    cpu_us: float
    """Of the whole process, for one message."""


def preparing(output: Output) -> Any:
    def prepare(document: Mapping[str, Any]) -> Prepared:
        [(kind, parameters)] = document.items()
        return Prepared(
            kind=kind,
            parameters=parameters,
            templates={"topic": parameters["topic"]},
            make=lambda _: output,
        )

    return prepare


class Memory:
    """An outbox that costs nothing: what the dispatcher costs alone."""

    def __init__(self, rule: RuleRecord | None) -> None:
        self._rule = rule
        self.left = 0
        self.empty = asyncio.Event()

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        return []

    async def lanes(self) -> list[str]:
        return []

    async def delivered(self, sequences: Sequence[int]) -> None:
        self.left -= len(sequences)
        if not self.left:
            self.empty.set()

    async def settle(self, **written: Any) -> None:
        raise AssertionError("nothing fails here")

    async def destination(self, account: str, name: str) -> Destination:
        return destination(self._rule)

    async def rules(self, account: str) -> list[RuleRecord]:
        return [] if self._rule is None else [self._rule]

    async def rule(self, account: str, name: str) -> RuleRecord | None:
        return self._rule


def destination(rule: RuleRecord | None) -> Destination:
    if rule is None:
        return Destination(name="plant", expression="plant/up", created_at=Instant(0))
    return Destination(
        name="plant", expression_type="RuleName", expression=rule.name, created_at=Instant(0)
    )


def rule(topic: str) -> RuleRecord:
    return RuleRecord(
        name="bench",
        sql=SQL,
        actions=({"republish": {"topic": topic}},),
        created_at=Instant(0),
    )


def dispatcher(store: Any, output: Output) -> Dispatcher:
    router = DestinationRouter(store, output, store, preparing(output))
    now = lambda: Instant(time.time())  # noqa: E731
    return Dispatcher(
        store,
        router,
        now=now,
        chance=random.random,
        evaluator=Evaluator(now=now, random_bytes=os.urandom),
    )


async def alone(what: str, count: int, record: RuleRecord | None) -> Result:
    """The dispatcher, from `offer` to striking off."""
    store = Memory(record)
    store.left = count
    messages = [message(sequence) for sequence in range(1, count + 1)]
    async with dispatcher(store, Taking()) as dispatching:
        await asyncio.sleep(0.1)
        began, cpu = time.perf_counter(), cpu_s()
        for at in range(0, count, 100):
            for one in messages[at : at + 100]:
                dispatching.offer(one)
            while dispatching.statistics()["in_memory"] > 10_000:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
        await store.empty.wait()
        return result(what, count, began, cpu)


async def together(what: str, count: int, record: RuleRecord | None) -> Result:
    """Store and dispatcher: the session of each device is advanced, and its message owed."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "bittern.db", KeyRing({1: bytes(32)}))
        await store.open()
        await register(store, DEVICES)
        if record is not None:
            await store.add_rule(record)
        await store.replace_destination(destination(record))
        sessions = {}
        for number in range(DEVICES):
            assert device(number).dev_eui == dev_eui(number)
            sessions[number] = session(number)
            await store.activate(None, join_state(number), sessions[number])
        async with dispatcher(store, Taking()) as dispatching:

            async def uplinks(number: int) -> None:
                for _ in range(count // DEVICES):
                    before = sessions[number]
                    after = sessions[number] = next_session(before)
                    owed = msgspec.structs.replace(message(0), dev_eui=before.dev_eui)
                    sequence = await store.advance(before, after, Deliver(owed))
                    assert sequence is not None
                    dispatching.offer(msgspec.structs.replace(owed, sequence=sequence))

            began, cpu = time.perf_counter(), cpu_s()
            await asyncio.gather(*(uplinks(number) for number in range(DEVICES)))
            while await store.owed_count():
                await asyncio.sleep(0.005)
            measured = result(what, count, began, cpu)
        await store.close()
        return measured


def message(sequence: int) -> Delivery:
    return Delivery(
        message_id=f"{sequence:08x}-0000-4000-8000-000000000000",
        dev_eui=DevEUI(EUI64.from_int(sequence % DEVICES)),
        destination="plant",
        document=DOCUMENT,
        created_at=Instant(time.time()),
        sequence=sequence,
    )


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def result(what: str, count: int, began: float, cpu: float) -> Result:
    took = time.perf_counter() - began
    return Result(what, count / took, 1e6 * (cpu_s() - cpu) / count)


async def measure(count: int) -> list[Result]:
    plain, templated = rule("plant/up"), rule("plant/${WirelessDeviceId}")
    return [
        await alone("dispatcher, to a topic without a rule", count, None),
        await alone("dispatcher, a rule to a republish", count, plain),
        await alone("dispatcher, a rule to a republish by a template", count, templated),
        await together("store and dispatcher, to a topic without a rule", count, None),
        await together("store and dispatcher, a rule to a republish", count, plain),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=60_000)
    count = parser.parse_args().messages // DEVICES * DEVICES
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    shown = Table("what", title=f"{count} messages of {len(DOCUMENT)} bytes, one core")
    shown.add_column("messages/s", justify="right")
    shown.add_column("CPU µs each", justify="right")
    for one in uvloop.run(measure(count)):
        shown.add_row(one.what, f"{one.per_second:,.0f}", f"{one.cpu_us:.1f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
