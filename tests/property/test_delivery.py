"""Whatever fails and whenever the process ends: every message reaches every receiver or is buried,
and of each device a receiver sees none for the first time before an elder one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable, StoreUnavailable
from bittern.outputs.actions import Prepared
from bittern.outputs.backoff import Backoff
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.lane import Limits
from bittern.outputs.parts import opened
from bittern.outputs.port import Failures, Health, Message
from bittern.outputs.routing import DestinationRouter
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import DeadLetterFilter, RuleRecord
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, DevEUI, Instant

DEVICES = 3
RECEIVERS = ("broker", "lake", "pond", "errors")

Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(1, 12)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.sampled_from(["down", "up", "slow", "reject", "flaky"]), st.integers(0, 3)),
        st.tuples(st.just("store fails"), st.integers(1, 3)),
        st.tuples(st.just("kill"), st.just(0)),
    ),
    max_size=40,
)


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> Instant:
        return Instant(self.at)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return await asyncio.sleep(0)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.at + seconds, sleeper))
        await sleeper

    def advance(self, seconds: float) -> None:
        self.at += seconds
        for due, sleeper in self.sleepers:
            if due <= self.at and not sleeper.done():
                sleeper.set_result(None)
        self.sleepers = [one for one in self.sleepers if not one[1].done()]


class Store(MemoryStore):
    """One that fails now and then, and one destination."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.seen: list[Delivery] = []

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        self._may_fail()
        await asyncio.sleep(0)
        return await super().owed(after_sequence, limit, lane)

    async def delivered(self, sequences: Sequence[int]) -> None:
        self._may_fail()
        await super().delivered(sequences)

    async def settle(self, **written: Any) -> None:
        self._may_fail()
        await asyncio.sleep(0)
        if written:
            delivered = written.pop("delivered")
            await super().settle(**written)
            await super().delivered(delivered)

    def _may_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("locked")

    async def destination(self, account: str, name: str) -> Destination:
        return Destination(name=name, expression="site", created_at=Instant(0))

    def owe(self) -> Delivery:
        sequence = next(self._sequences)
        delivery = self._outbox[sequence] = Delivery(
            message_id=f"m{sequence}",
            dev_eui=DevEUI(EUI64.from_int(sequence % DEVICES)),
            destination="d",
            document=b"%d" % sequence,
            created_at=Instant(0.0),
            sequence=sequence,
        )
        self.seen.append(delivery)
        return delivery


class Receiver:
    def __init__(self, name: str) -> None:
        self.name = name
        self.mode = "up"
        self.calls = 0
        self.received: list[int] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        self.calls += 1
        if self.mode == "down":
            raise DeliveryUnavailable("down")
        if self.mode == "slow":
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        failures: dict[int, DeliveryError] = {}
        behind: set[object] = set()
        for place, message in enumerate(messages):
            number = _number(message.payload)
            if self.mode == "reject" and number % 3 == 0:
                failures[place] = DeliveryRejected("a third is refused")
            elif self.mode == "flaky" and (
                message.device in behind or (number + self.calls) % 4 == 0
            ):
                behind.add(message.device)
                failures[place] = DeliveryUnavailable("throttled")
            else:
                self.received.append(number)
        return failures

    def health(self) -> Health:
        return Health(True, "")

    def statistics(self) -> Mapping[str, int]:
        return {}


def _number(payload: bytes) -> int:
    value = msgspec.json.decode(payload)
    if isinstance(value, dict):
        return int(value["cloudwatchTraceId"][1:])
    return int(value)


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.receivers = {name: Receiver(name) for name in RECEIVERS}
        self.dispatcher: Dispatcher | None = None

    def prepare(self, document: Mapping[str, Any]) -> Prepared:
        [(kind, parameters)] = document.items()
        return Prepared(
            kind=kind,
            parameters=parameters,
            templates={},
            make=lambda _: self.receivers[parameters["to"]],
        )

    async def start(self) -> None:
        router = DestinationRouter(self.store, self.receivers["broker"], self.store, self.prepare)
        self.dispatcher = Dispatcher(
            self.store,
            router,
            now=self.clock.now,
            chance=lambda: 0.5,
            settings=DispatchSettings(
                capacity=16,
                page=4,
                lane_capacity=4,
                strike_interval_s=0,
                drain_s=0,
                relieve_s=1,
                anchor_after_s=3,
                backoff=Backoff(first_s=0.5, ceiling_s=4),
                limits=Limits(batch_messages=4, batches=2),
            ),
            sleep=self.clock.sleep,
        )
        await self.dispatcher.__aenter__()

    async def kill(self) -> None:
        """Nothing more is written: tasks are cancelled where they are."""
        assert self.dispatcher is not None
        for channel in self.dispatcher._channels:
            await channel.carrier.stop()
        tasks = list(self.dispatcher._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def turn(self, seconds: float) -> None:
        self.clock.advance(seconds)
        assert self.dispatcher is not None
        for channel in list(self.dispatcher._channels):
            channel.carrier.wake()
        for _ in range(15):
            await asyncio.sleep(0)

    async def take(self, step: Step) -> None:
        what, number = step
        assert self.dispatcher is not None
        if what == "offer":
            for _ in range(number):
                self.dispatcher.offer(self.store.owe())
                if number % 2:
                    await asyncio.sleep(0)
        elif what == "wait":
            await self.turn(number / 4)
        elif what == "store fails":
            self.store.failures = number
        elif what == "kill":
            await self.kill()
            await self.start()
        else:
            self.receivers[RECEIVERS[number]].mode = what

    async def finish(self) -> None:
        for receiver in self.receivers.values():
            receiver.mode = "up"
        self.store.failures = 0
        for _ in range(400):
            if not await self.store.owed_count():
                return
            await self.turn(5)
        raise AssertionError(f"{await self.store.owed_count()} messages are still owed")


async def played(steps: list[Step]) -> World:
    world = World()
    action: Callable[[str], dict[str, Any]] = lambda to: {"record": {"to": to}}  # noqa: E731
    await world.store.add_rule(
        RuleRecord(
            name="r",
            sql="SELECT VALUE * FROM 'site'",
            actions=(action("lake"), action("pond")),
            error_action=action("errors"),
            created_at=Instant(0),
        )
    )
    await world.start()
    for step in steps:
        await world.take(step)
    await world.finish()
    await world.kill()
    return world


@settings(deadline=None, max_examples=150)
@given(STEPS)
def test_nothing_is_lost_and_nothing_overtakes(steps: list[Step]) -> None:
    async def work() -> None:
        world = await played(steps)
        sent = {one.sequence for one in world.store.seen}
        letters = await world.store.dead_letters(DeadLetterFilter(), limit=10_000)
        told = set(world.receivers["errors"].received)
        buried: dict[str, set[int]] = {}
        for letter in letters:
            buried.setdefault(letter.lane, set()).add(letter.owed_as)
            assert _number(opened(letter.document).document) == letter.owed_as
        assert set(world.receivers["broker"].received) | buried.get("mqtt", set()) == sent
        for place, name in enumerate(("lake", "pond")):
            lane = f"000000000000/r/{place}/record"
            there = set(world.receivers[name].received)
            assert there | buried.get(lane, set()) | told == sent | told
            assert there <= sent
        for name in ("broker", "lake", "pond"):
            _in_order(world.receivers[name].received)

    _run(work)


def _in_order(received: list[int]) -> None:
    for device in range(DEVICES):
        firsts = list(dict.fromkeys(n for n in received if n % DEVICES == device))
        assert firsts == sorted(firsts)


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def running() -> None:
        await work()

    asyncio.run(running())
