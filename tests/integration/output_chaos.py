"""A receiver that is stopped, slowed, returns errors and is restarted, and messages on their way.

What every kind of action has to show: nothing is lost, and what a device sent arrives in its order.
A second copy of a message may come, behind the first or not: receivers know it by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bittern.config import Configuration
from bittern.errors import DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.kinds import Parameters, Surroundings, kind
from bittern.outputs.lane import Batch, Lane, Limits, Outcome
from bittern.outputs.mqtt.client import MqttSettings
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.port import Message, Output
from bittern.store.records import Delivery
from bittern.testing.program import free_ports
from bittern.types import EUI64, DevEUI, Instant

QUICK = Backoff(first_s=0.05, ceiling_s=0.3)


@dataclass
class Result:
    """What became of a run. `seconds` is its time, `unavailable` batches met trouble."""

    delivered: int = 0
    rejected: list[str] = field(default_factory=list)
    batches: int = 0
    unavailable: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.delivered / self.seconds if self.seconds else 0.0
        return (
            f"{self.delivered} delivered in {self.seconds:.1f} s ({rate:.0f}/s), "
            f"{self.batches} batches, {self.unavailable} unavailable, {len(self.rejected)} rejected"
        )


Fill = Callable[[int, int], Mapping[str, str]]
"""The parameters of a message by its device and number."""
Trouble = Callable[[], Awaitable[None]]


def nothing_filled(device: int, number: int) -> Mapping[str, str]:
    return {}


def payload(device: int, number: int) -> bytes:
    return b'{"device":%d,"n":%d}' % (device, number)


async def carry(
    output: Output,
    *,
    devices: int = 20,
    each: int = 50,
    fill: Fill = nothing_filled,
    troubles: Sequence[Trouble] = (),
    batch: int = 25,
    at_once: int = 4,
    within_s: float = 90.0,
    pause_s: float = 0.03,
) -> Result:
    """All messages through a lane, as the server does it; each trouble comes after a share of them.

    Returns when everything is delivered or rejected. Raises TimeoutError when that takes too long.
    """
    lane = Lane(QUICK, lambda: 0.5, Limits(batch_messages=batch, batches=at_once))
    result, started = Result(), time.monotonic()
    work = _Work(output, lane, result, fill)
    async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
        sender = group.create_task(work.run(devices * each))
        shares = [each * (place + 1) // (len(troubles) + 1) for place in range(len(troubles))]
        last: asyncio.Task[None] | None = None
        for number in range(each):
            for device in range(devices):
                lane.add(_owed(device, number, devices))
            work.more.set()
            if number in shares:
                # Messages keep coming while it lasts; the next trouble comes when it is over.
                last = group.create_task(_after(last, troubles[shares.index(number)]))
            await asyncio.sleep(pause_s)
        await sender
    result.seconds = time.monotonic() - started
    return result


async def _after(last: asyncio.Task[None] | None, trouble: Trouble) -> None:
    if last is not None:
        await last
    await trouble()


class _Work:
    """What `Carrier` does, with time that is real and messages that have parameters."""

    def __init__(self, output: Output, lane: Lane, result: Result, fill: Fill) -> None:
        self.output = output
        self.lane = lane
        self.result = result
        self.fill = fill
        self.more = asyncio.Event()

    async def run(self, count: int) -> None:
        tasks: set[asyncio.Task[None]] = set()
        while self.result.delivered + len(self.result.rejected) < count:
            while (taken := self.lane.take(_now())) is not None:
                task = asyncio.create_task(self._publish(taken))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            self.more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await self.more.wait()

    async def _publish(self, taken: Batch) -> None:
        self.result.batches += 1
        try:
            failures = await self.output.publish([self._message(one) for one in taken.deliveries])
        except DeliveryUnavailable:
            self.result.unavailable += 1
            self.lane.unavailable(taken, _now())
        else:
            self.result.unavailable += bool(failures)
            self._settled(self.lane.came_back(taken, failures, _now()))
        self.more.set()

    def _settled(self, outcome: Outcome) -> None:
        self.result.delivered += len(outcome.delivered)
        self.result.rejected += [rejection[1] for rejection in outcome.rejected]

    def _message(self, delivery: Delivery) -> Message:
        device = int.from_bytes(delivery.dev_eui, "big")
        number = int(delivery.message_id.partition("-")[2])
        return Message(
            "", delivery.document, delivery.message_id, self.fill(device, number), delivery.dev_eui
        )


def _owed(device: int, number: int, devices: int) -> Delivery:
    return Delivery(
        message_id=f"{device}-{number}",
        dev_eui=DevEUI(EUI64.from_int(device)),
        destination="d",
        document=payload(device, number),
        created_at=Instant(0.0),
        sequence=number * devices + device + 1,
    )


def _now() -> Instant:
    return Instant(time.monotonic())


def check_arrivals(arrived: Sequence[tuple[int, int]], devices: int, each: int) -> int:
    """Devices and numbers as the receiver has them, in its order. Returns the second copies.

    Nothing is missing, and first copies are in the order in which their device sent them.
    """
    firsts = list(dict.fromkeys(arrived))
    for device in range(devices):
        numbers = [number for of, number in firsts if of == device]
        assert sorted(numbers) == list(range(each)), f"device {device} lost some"
        assert numbers == sorted(numbers), f"device {device} is out of order"
    return len(arrived) - len(firsts)


def surroundings(data_dir: Path, configuration: Configuration | None = None) -> Surroundings:
    """With a broker that nobody listens at."""
    (data_dir / "secrets").mkdir(exist_ok=True)
    nowhere = MqttSettings(host="127.0.0.1", port=1, client_id="nowhere")
    return Surroundings(
        configuration=configuration or Configuration(data_dir=data_dir),
        data_dir=data_dir,
        broker=MqttOutput(nowhere, lambda: 0.5),
        chance=lambda: 0.5,
    )


def made(name: str, parameters: Parameters, data_dir: Path) -> Output:
    """The output of an action, its parameters checked."""
    found = kind(name)
    found.check(parameters)
    return found.make(f"chaos/{name}", parameters, surroundings(data_dir))


def free_port() -> int:
    return free_ports(1)[0]


async def listens(port: int, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


class Program:
    """A server that can be stopped, frozen and started again. An async context manager."""

    def __init__(self, command: Sequence[str], port: int, **options: object) -> None:
        self._command = command
        self._options = options
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **self._options,  # type: ignore[arg-type]
        )
        await listens(self.port)

    async def stop(self, sign: int = 15) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(sign)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def restart(self) -> None:
        await self.stop()
        await asyncio.sleep(0.3)
        await self.start()

    async def kill(self) -> None:
        """Without warning, and back."""
        await self.stop(9)
        await self.start()

    async def freeze(self, seconds: float = 0.7) -> None:
        """It takes connections, and answers nobody."""
        assert self._process is not None
        os.kill(self._process.pid, 19)
        await asyncio.sleep(seconds)
        os.kill(self._process.pid, 18)
