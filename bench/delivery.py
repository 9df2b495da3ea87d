"""What a message costs from its uplink's commit to a subscriber: ``python -m bench.delivery``.

A component benchmark, the process held to one core. Messages are owed by the store (SQLite,
synchronous, sealed) with the session of their device and offered to the dispatcher as the network
does it; a rule selects from each and publishes the result again; the server's own broker hands it
to a subscriber, a process of its own on another core, over loopback and with quality of service 1;
what has been acknowledged is struck off. An uplink's way to the store is not in it
(``bench.micro``, ``python -m bench``).

The same is run with one part less each time, so that the differences say what the parts cost. What
counts is processor time of this process, all threads, user and system, over rounds in which all
cases take turns. Exit code 1 where less than 10,000 messages pass per second of it, by the median,
or where one is lost or comes twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.ledger import Ledger
from bench.process import pin
from bench.rules import STATEMENTS, UPLINK
from bittern.cli.serve import spare_the_collector
from bittern.config import Configuration
from bittern.keys.ring import KeyRing
from bittern.mac.session import Session
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.evaluation import Evaluator
from bittern.outputs.kinds import Surroundings
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message, Output
from bittern.outputs.preparing import preparing
from bittern.outputs.routing import DestinationRouter
from bittern.store.ports.sessions import Deliver
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import RuleRecord
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import join_state, next_session, register, session
from bittern.types import Instant

TARGET_PER_SECOND = 10_000.0
"""Of processor time, through the rule to the subscriber."""
DEVICES = 200
STRUCK_AT_ONCE = 200
"""By a dispatcher that costs nothing: about what the real one strikes off at once."""
PATIENCE_S = 10.0
RING = KeyRing({1: bytes(32)})
DOCUMENT = msgspec.json.encode(UPLINK)
SQL = STATEMENTS["the usual rule"].replace(" FROM 'x'", "")
TOPIC = "plant/up"
TEMPLATED = "plant/up/${WirelessDeviceId}"


class Case(NamedTuple):
    """One run: what takes part in it."""

    what: str
    dispatched: bool = True
    rule: str = ""
    """The topic of its action; empty: the destination is a topic."""
    served: bool = False
    """Whether the topic is the broker's, with a subscriber, or of somebody who takes everything."""


STORE = Case("store", dispatched=False)
LANE = Case("store, lane")
RULE = Case("store, lane, rule", rule=TOPIC)
WHOLE = Case("store, lane, rule, broker: the whole", rule=TOPIC, served=True)
DIRECT = Case("store, lane, broker: a topic without a rule", served=True)
FILLED = Case("the whole, to a topic by a template", rule=TEMPLATED, served=True)
CASES = (STORE, LANE, RULE, WHOLE, DIRECT, FILLED)

PARTS = (
    ("store", STORE, None),
    ("lane", LANE, STORE),
    ("rule", RULE, LANE),
    ("broker", WHOLE, RULE),
)
"""Each by a run with it and one without."""


class Used(NamedTuple):
    """Processor time for one message, in microseconds."""

    cpu_us: float
    loop_us: float
    """Of the event loop's thread alone; the rest is the store's and the broker's writer."""


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


class Striking:
    """Where the dispatcher would be: strikes off what is offered, some at once."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._offered: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, delivery: Delivery) -> None:
        self._offered.append(delivery.sequence)
        if len(self._offered) == STRUCK_AT_ONCE:
            self.strike()

    def strike(self) -> None:
        offered, self._offered = self._offered, []
        task = asyncio.create_task(self._store.delivered(offered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Load(NamedTuple):
    """What the devices send, made before the run: each device's messages, with its session before
    and after."""

    run: int
    messages: int
    uplinks: Sequence[Sequence[tuple[Session, Session, Delivery]]]

    @classmethod
    def of(cls, count: int) -> Load:
        run = time.time_ns() // 1_000_000 & 0xFFFFFFFF
        return cls(
            run, count, [list(_uplinks(run, device, count // DEVICES)) for device in range(DEVICES)]
        )


def _uplinks(run: int, device: int, count: int) -> Iterator[tuple[Session, Session, Delivery]]:
    before = session(device)
    for each in range(count):
        number = each * DEVICES + device
        after = next_session(before)
        yield (
            before,
            after,
            Delivery(
                message_id=f"{number:08x}-0000-4000-8000-000000000000",
                dev_eui=before.dev_eui,
                destination="plant",
                document=document(run, number),
                created_at=Instant(time.time()),
            ),
        )
        before = after


def document(run: int, number: int) -> bytes:
    """An uplink's message, with a payload by which the subscriber knows it."""
    payload = run.to_bytes(4, "big") + number.to_bytes(4, "big")
    marked = b64encode(payload.ljust(16, b"\x5a"))
    return DOCUMENT.replace(UPLINK["PayloadData"].encode(), marked)  # type: ignore[attr-defined]


async def run(case: Case, load: Load) -> Used:
    """A fresh store, all messages through it, and what that took. Raises `SystemExit` for a
    message that does not arrive, or arrives twice."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            store = await _store(Path(folder), case)
            stack.push_async_callback(store.close)
            broker: Output = Taking()
            ledger = None
            if case.served:
                ledger = Ledger.create(Path(folder) / "ledger", load.messages, load.run)
                stack.callback(ledger.close)
                broker = await stack.enter_async_context(_serving(Path(folder), ledger))
            offer, finish = await _offering(stack, store, broker, case)
            cpu, loop = cpu_s(), time.thread_time()
            await _send(store, load, offer)
            finish()
            await _until_arrived(store, ledger)
            used = Used(
                1e6 * (cpu_s() - cpu) / load.messages,
                1e6 * (time.thread_time() - loop) / load.messages,
            )
            if ledger is not None and (ledger.received < load.messages or ledger.doubled):
                raise SystemExit(
                    f"{case.what}: {load.messages - ledger.received} lost, {ledger.doubled} doubled"
                )
            return used


async def _store(folder: Path, case: Case) -> SqliteStore:
    store = SqliteStore(folder / "bittern.db", RING)
    await store.open()
    await register(store, DEVICES)
    if case.rule:
        await store.add_rule(rule(case.rule))
    await store.replace_destination(destination(case.rule))
    for number in range(DEVICES):
        await store.activate(None, join_state(number), session(number))
    return store


def destination(of_rule: str) -> Destination:
    if not of_rule:
        return Destination(name="plant", expression=TOPIC, created_at=Instant(0))
    return Destination(
        name="plant", expression_type="RuleName", expression="bench", created_at=Instant(0)
    )


def rule(topic: str) -> RuleRecord:
    action = {"republish": {"roleArn": "arn", "topic": topic, "qos": 1}}
    return RuleRecord(name="bench", sql=SQL, actions=(action,), created_at=Instant(0))


async def _offering(
    stack: AsyncExitStack, store: SqliteStore, broker: Output, case: Case
) -> tuple[Callable[[Delivery], None], Callable[[], None]]:
    """What takes a message that is owed, and what is to be called after the last."""
    if not case.dispatched:
        striking = Striking(store)
        return striking.offer, striking.strike
    dispatching = await stack.enter_async_context(dispatcher(store, broker))
    return dispatching.offer, lambda: None


def dispatcher(store: SqliteStore, broker: Output) -> Dispatcher:
    """As the server makes it."""

    def now() -> Instant:
        return Instant(time.time())

    configuration = Configuration()
    surroundings = Surroundings(
        configuration=configuration,
        data_dir=configuration.data_dir,
        broker=broker,
        chance=random.random,
    )
    return Dispatcher(
        store,
        DestinationRouter(store, broker, store, preparing(surroundings)),
        now=now,
        chance=random.random,
        evaluator=Evaluator(now=now, random_bytes=os.urandom),
    )


async def _send(store: SqliteStore, load: Load, offer: Callable[[Delivery], None]) -> None:
    """A device sends its next uplink when the one before is stored."""

    async def device(uplinks: Sequence[tuple[Session, Session, Delivery]]) -> None:
        for before, after, owed in uplinks:
            sequence = await store.advance(before, after, Deliver(owed))
            assert sequence is not None
            offer(msgspec.structs.replace(owed, sequence=sequence))

    await asyncio.gather(*map(device, load.uplinks))


async def _until_arrived(store: SqliteStore, ledger: Ledger | None) -> None:
    """Or until nothing has arrived for a while."""
    left, since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE_S:
        waiting = await store.owed_count()
        if ledger is not None:
            waiting += ledger.uplinks - ledger.received
        if not waiting:
            return
        if waiting != left:
            left, since = waiting, time.monotonic()
        await asyncio.sleep(0.005)


@asynccontextmanager
async def _serving(folder: Path, ledger: Ledger) -> AsyncIterator[EmbeddedBroker]:
    """The server's own broker with a subscriber, who runs on another core if there is one."""
    files = BrokerFiles(
        password=folder / "password", users=folder / "users", sessions=folder / "sessions"
    )
    async with EmbeddedBroker(
        host="127.0.0.1", port=0, files=files, sealer=RING, now=lambda: Instant(time.time())
    ) as broker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.subscriber", f"--ledger={ledger.path}"),
            *(f"--mqtt=127.0.0.1:{broker.port}", "--topic=plant/up/#", "--username=bittern"),
            f"--password-file={files.password}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None and process.stdout is not None
        pin(process.pid, _other_cores())
        try:
            if await process.stdout.readline() != b"ready\n":
                raise SystemExit("the subscriber did not get to the broker")
            yield broker
        finally:
            process.stdin.close()
            await process.wait()


def _other_cores() -> set[int]:
    own = os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1)) - own or own


def cpu_s() -> float:
    """Of all threads of this process, and of no other."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(count: int, rounds: int) -> dict[Case, list[Used]]:
    """Of each case every round. Cases take turns, so that a busy machine is so for all."""
    load = Load.of(count)
    spare_the_collector()
    found: dict[Case, list[Used]] = {case: [] for case in CASES}
    for _ in range(rounds):
        for case, used in found.items():
            used.append(await run(case, load))
    return found


def least(rounds: Sequence[Used]) -> Used:
    """What others do to the caches meanwhile only adds."""
    return Used(min(one.cpu_us for one in rounds), min(one.loop_us for one in rounds))


def per_second(rounds: Sequence[Used]) -> float:
    """Messages, by the median."""
    return 1e6 / statistics.median(one.cpu_us for one in rounds)


def table(found: Mapping[Case, Sequence[Used]], count: int) -> Table:
    shown = Table(
        "what", title=f"{count} messages of {len(document(0, 0))} bytes, processor time of a server"
    )
    for column in ("least µs/message", "of it event loop", "median messages/s"):
        shown.add_column(column, justify="right")
    for part, with_it, without in PARTS:
        used, less = least(found[with_it]), Used(0, 0) if without is None else least(found[without])
        cpu_us, loop_us = used.cpu_us - less.cpu_us, used.loop_us - less.loop_us
        shown.add_row(part, f"{cpu_us:.1f}", f"{loop_us:.1f}", "")
    shown.add_section()
    for case, rounds in found.items():
        used = least(rounds)
        shown.add_row(
            case.what, f"{used.cpu_us:.1f}", f"{used.loop_us:.1f}", f"{per_second(rounds):,.0f}"
        )
    return shown


def main(arguments: Sequence[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=__doc__)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    count = max(options.messages // DEVICES, 1) * DEVICES
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = uvloop.run(measure(count, options.rounds))
    Console().print(table(found, count))
    sys.exit(0 if per_second(found[WHOLE]) >= TARGET_PER_SECOND else 1)


if __name__ == "__main__":
    main()
