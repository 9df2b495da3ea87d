"""The embedded broker with the clients that people use: Mosquitto's programs, paho and aiomqtt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bittern.keys.ring import KeyRing
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.port import Message
from bittern.testing.program import free_ports
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
import broker_process

pytestmark = pytest.mark.integration

needs_mosquitto_clients = pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed"
)


@pytest.fixture
def files(tmp_path: Path) -> BrokerFiles:
    return broker_process.files(tmp_path)


@pytest.fixture
async def broker(files: BrokerFiles) -> AsyncIterator[EmbeddedBroker]:
    broker = EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=files,
        sealer=KeyRing({1: b"k" * 32}),
        now=lambda: Instant(time.time()),
    )
    async with broker:
        yield broker


def password_of(files: BrokerFiles) -> str:
    return files.password.read_text().strip()


def client_of(broker: EmbeddedBroker, files: BrokerFiles, **options: object) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username="bittern",
        password=password_of(files),
        **options,  # type: ignore[arg-type]
    )


async def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode()


@needs_mosquitto_clients
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_mosquitto_sub_receives_what_is_published(
    broker: EmbeddedBroker, files: BrokerFiles, qos: int
) -> None:
    receiving = asyncio.create_task(
        run(
            *["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "#", "-v"],
            *["-u", "bittern", "-P", password_of(files), "-q", str(qos), "-C", "3", "-W", "15"],
        )
    )
    await until(lambda: broker.hub.subscriber_count)
    await broker.publish([Message(f"site/{n}", b'{"n": %d}' % n) for n in range(3)])
    assert await receiving == (0, 'site/0 {"n": 0}\nsite/1 {"n": 1}\nsite/2 {"n": 2}\n')


@needs_mosquitto_clients
@pytest.mark.parametrize("login", [[], ["-u", "bittern", "-P", "bittern"], ["-u", "root"]])
async def test_mosquitto_sub_is_refused_without_the_password(
    broker: EmbeddedBroker, login: list[str]
) -> None:
    code, output = await run(
        *["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "#", "-W", "15"], *login
    )
    assert code not in (0, 27)
    assert "refused" in output.lower()


@needs_mosquitto_clients
async def test_mosquitto_pub_reaches_subscribers_but_no_reserved_topic(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    publish = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-u", "bittern"]
    publish += ["-P", password_of(files), "-m", "x", "-q", "1"]
    async with client_of(broker, files) as client:
        await client.subscribe("#", qos=1)
        await client.subscribe("$aws/#", qos=1)
        # Acknowledged and dropped, as Mosquitto does: MQTT 3.1.1 has no other word for it.
        assert await run(*publish, "-t", "$aws/rules/x") == (0, "")
        assert await run(*publish, "-t", "rules/x") == (0, "")
        message = await anext(client.messages)
        assert message.topic.value == "rules/x"
        assert broker.statistics()["denied_publishes"] == 1


@needs_mosquitto_clients
async def test_mosquitto_sub_of_mqtt_5_is_told_that_it_is_not_spoken(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    code, output = await run(
        *["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "#", "-V", "5"],
        *["-u", "bittern", "-P", password_of(files), "-W", "15"],
    )
    assert code not in (0, 27)
    assert "Unsupported Protocol Version" in output


async def test_aiomqtt_publishes_subscribes_and_unsubscribes(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    async with client_of(broker, files) as client:
        await client.subscribe([("a/+", 1), ("b", 0)])
        for qos in (0, 1, 2):
            await client.publish("a/x", str(qos), qos=qos)
            message = await anext(client.messages)
            assert (message.payload, message.qos) == (str(qos).encode(), min(qos, 1))
        await client.unsubscribe("a/+")
        await client.publish("a/x", "not for us", qos=1)
        await client.publish("b", "for us", qos=1)
        message = await anext(client.messages)
        assert message.payload == b"for us"


async def test_retained_message_and_will_reach_a_later_subscriber(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    will = aiomqtt.Will("state/x", "gone", qos=1, retain=True)
    with contextlib.suppress(aiomqtt.MqttError):
        async with client_of(broker, files, will=will, timeout=1) as client:
            await client.publish("state/y", "on", qos=1, retain=True)
            # The broker ends the connection: the client does not take its leave.
            next(iter(broker.hub.sessions)).link.close("for the test")
    await until(lambda: broker.hub.retained_count == 2)
    async with client_of(broker, files) as client:
        await client.subscribe("state/#", qos=1)
        messages = [await anext(client.messages) for _ in range(2)]
        assert {(m.topic.value, m.payload, m.retain) for m in messages} == {
            ("state/x", b"gone", True),
            ("state/y", b"on", True),
        }


class DurableSubscriber:
    """paho in its own thread, which reconnects by itself. `received` outlives it."""

    def __init__(self, port: int, password: str, received: list[tuple[int, int]]) -> None:
        self._received = received
        self.subscribed = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="lake", clean_session=False
        )
        self._client.username_pw_set("bittern", password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe("site/#", qos=1)

    def _on_subscribe(self, *_: object) -> None:
        self.subscribed = True

    def _on_message(self, client: object, data: object, message: paho.MQTTMessage) -> None:
        device, sequence = message.payload.split()
        self._received.append((int(device), int(sequence)))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def first_copies_of(received: list[tuple[int, int]], device: int) -> list[int]:
    return list(dict.fromkeys(sequence for of, sequence in received if of == device))


@contextlib.asynccontextmanager
async def broker_running(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, broker_process.__file__, str(folder), str(port)],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_durable_subscriber_misses_nothing_over_kills_of_the_server(tmp_path: Path) -> None:
    """The outbox is emptied while the server is killed again and again."""
    count, devices, port = 2000, 20, free_ports(1)[0]
    chance = random.Random(7)
    received: list[tuple[int, int]] = []
    async with broker_running(tmp_path, port) as first:
        password = password_of(broker_process.files(tmp_path))
        subscriber = DurableSubscriber(port, password, received)
        await until(lambda: subscriber.subscribed)
        first.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(first.wait(), 20) == 0
    outbox = broker_process.DiskOutbox(tmp_path / "outbox.db")
    outbox.fill(count, devices)
    kills = 0
    try:
        while outbox.count():
            async with broker_running(tmp_path, port) as process:
                deadline = time.monotonic() + chance.uniform(0.2, 1.2)
                await until(lambda end=deadline: time.monotonic() > end or not outbox.count())
                if outbox.count():
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                    await process.wait()
                else:
                    await until(lambda: len(set(received)) == count)
    finally:
        await asyncio.to_thread(subscriber.close)
        outbox.close()
    assert kills >= 2
    assert {sequence for _, sequence in received} == set(range(1, count + 1))
    for device in range(devices):
        first_copies = first_copies_of(received, device)
        assert first_copies == sorted(first_copies)


async def test_durable_subscriber_that_comes_and_goes_misses_nothing(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    count = 3000
    received: list[tuple[int, int]] = []

    async def come_and_go() -> None:
        while len(set(received)) < count:
            visitor = await asyncio.to_thread(
                DurableSubscriber, broker.port, password_of(files), received
            )
            await asyncio.sleep(0.25)
            await asyncio.to_thread(visitor.close)
            await asyncio.sleep(0.1)

    visits = asyncio.create_task(come_and_go())
    await until(lambda: broker.hub.subscriber_count)
    for start in range(0, count, 10):
        await broker.publish([Message("site/x", b"0 %d" % n) for n in range(start, start + 10)])
        await asyncio.sleep(0.002)
    await asyncio.wait_for(visits, 60)
    first_copies = first_copies_of(received, 0)
    assert first_copies == list(range(count))
    assert len(received) < 2 * count


async def test_ten_subscribers_get_every_message_in_order(
    broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    async def subscribe(qos: int) -> list[int]:
        received: list[int] = []
        async with client_of(broker, files) as client:
            await client.subscribe("#", qos=qos)
            while len(received) < 500:
                received.append(int((await anext(client.messages)).payload))  # type: ignore[arg-type]
        return received

    subscribers = [asyncio.create_task(subscribe(number % 2)) for number in range(10)]
    await until(lambda: broker.hub.subscriber_count == 10)
    for number in range(500):
        await broker.publish([Message("t", b"%d" % number)])
    assert await asyncio.gather(*subscribers) == [list(range(500))] * 10
