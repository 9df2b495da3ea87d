"""An external broker: Mosquitto, started here on a free loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from bittern.config.settings import Mqtt, Secret
from bittern.errors import DeliveryUnavailable
from bittern.outputs.actions import Prepared
from bittern.outputs.backoff import Backoff
from bittern.outputs.dispatch import Dispatcher, DispatchSettings
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings
from bittern.outputs.mqtt.subscriber import MqttSubscriber
from bittern.outputs.port import Message
from bittern.outputs.routing import DestinationRouter
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import RuleRecord
from bittern.testing.program import free_ports
from bittern.types import EUI64, DevEUI, Instant

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed"),
]


class Mosquitto:
    """A broker that can be stopped and started again with what it kept."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_ports(1)[0]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "max_queued_messages 0",
                    *(["user root"] if os.geteuid() == 0 else []),
                    *(lines or ["allow_anonymous true"]),
                    "",
                ]
            )
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(
            *[PROGRAM, "-c", str(self._configuration)],
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until(self._listens)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    async def stop(self) -> None:
        """It writes what it keeps."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


async def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(folder: Path, *lines: str) -> AsyncIterator[Mosquitto]:
    mosquitto = Mosquitto(folder, *lines)
    await mosquitto.start()
    try:
        yield mosquitto
    finally:
        await mosquitto.stop()


def output_for(settings: Mqtt) -> MqttOutput:
    quick = {"backoff": Backoff(first_s=0.05, ceiling_s=0.2)}

    return MqttOutput(msgspec.structs.replace(mqtt_settings(settings), **quick), lambda: 0.5)


class Subscriber:
    """paho in its own thread, with a durable session."""

    def __init__(self, port: int) -> None:
        self.received: list[bytes] = []
        self.subscribed = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="lake", clean_session=False
        )
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
        self.received.append(message.payload)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def no_actions(document: object) -> Prepared:
    raise AssertionError(document)


class Outbox:
    """Owed messages in memory, with one destination."""

    def __init__(self) -> None:
        self.rows: dict[int, Delivery] = {}

    def owe(self, sequence: int, devices: int) -> Delivery:
        device = sequence % devices
        delivery = self.rows[sequence] = Delivery(
            message_id=f"m{sequence}",
            dev_eui=DevEUI(EUI64.from_int(device)),
            destination="meters",
            document=b"%d %d" % (device, sequence),
            created_at=Instant(0.0),
            sequence=sequence,
        )
        return delivery

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        return [self.rows[s] for s in sorted(self.rows) if s > after_sequence][:limit]

    async def delivered(self, sequences: Sequence[int]) -> None:
        for sequence in sequences:
            self.rows.pop(sequence, None)

    async def lanes(self) -> list[str]:
        return []

    async def settle(self, **_: object) -> None:
        raise AssertionError("nothing is diverted without rules")

    async def rules(self, account: str) -> list[RuleRecord]:
        return []

    async def rule(self, account: str, name: str) -> None: ...

    async def destination(self, account: str, name: str) -> Destination:
        return Destination(name=name, expression="site/meters", created_at=Instant(0.0))


async def test_broker_restarted_under_load_loses_nothing_and_order_holds(tmp_path: Path) -> None:
    count, devices = 6000, 50
    outbox = Outbox()
    async with running(tmp_path) as mosquitto:
        subscriber = Subscriber(mosquitto.port)
        await until(lambda: subscriber.subscribed)
        output = output_for(Mqtt(url=f"mqtt://127.0.0.1:{mosquitto.port}"))
        dispatcher = Dispatcher(
            outbox,
            DestinationRouter(outbox, output, outbox, no_actions),
            now=lambda: Instant(time.time()),
            chance=lambda: 0.5,
            settings=DispatchSettings(
                capacity=500, page=100, backoff=Backoff(first_s=0.05, ceiling_s=0.2)
            ),
        )
        restarts = 0
        async with output, dispatcher:
            for sequence in range(1, count + 1):
                dispatcher.offer(outbox.owe(sequence, devices))
                if sequence % 20 == 0:
                    await asyncio.sleep(0.01)
                if sequence % 1500 == 700:
                    await mosquitto.stop()
                    restarts += 1
                if sequence % 1500 == 1000:
                    await mosquitto.start()
            await until(lambda: not outbox.rows)
            assert output.statistics()["connections"] == restarts + 1
            assert dispatcher.statistics()["failed"] == 0
        await until(lambda: len(set(subscriber.received)) == count)
        await asyncio.to_thread(subscriber.close)
    received = [tuple(map(int, payload.split())) for payload in subscriber.received]
    assert restarts == 4
    for device in range(devices):
        first_copies = list(dict.fromkeys(s for of, s in received if of == device))
        assert first_copies == sorted(first_copies)
    assert len(received) - count < 4 * 500


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def write_certificates(folder: Path, authority: trustme.CA) -> tuple[str, ...]:
    """Files for both sides, and the lines of Mosquitto's configuration that name its own."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("127.0.0.1", "lns.example"):
        issued = authority.issue_cert(name)
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
    return (
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/127.0.0.1.pem",
        f"keyfile {folder}/127.0.0.1.key",
        "require_certificate true",
        "allow_anonymous true",
    )


async def test_tls_with_client_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    lines = write_certificates(tmp_path, authority)
    async with running(tmp_path, *lines) as mosquitto:
        settings = Mqtt(
            url=f"mqtts://127.0.0.1:{mosquitto.port}",
            ca=tmp_path / "ca.pem",
            certificate=tmp_path / "lns.example.pem",
            key=tmp_path / "lns.example.key",
        )
        async with output_for(settings) as output:
            await until(lambda: output.health().working)
            messages = [Message("site/x", b"%d" % number) for number in range(2000)]
            assert await output.publish(messages) == {}
            assert output.statistics()["acknowledged"] == 2000


async def test_broker_refuses_us_without_our_certificate(
    tmp_path: Path, authority: trustme.CA
) -> None:
    lines = write_certificates(tmp_path, authority)
    async with running(tmp_path, *lines) as mosquitto:
        settings = Mqtt(url=f"mqtts://127.0.0.1:{mosquitto.port}", ca=tmp_path / "ca.pem")
        async with output_for(settings) as output:
            await until(lambda: output.health().detail != "not connected yet")
            assert not output.health().working
            with pytest.raises(DeliveryUnavailable):
                await output.publish([Message("t", b"1")])


async def test_we_refuse_a_broker_of_another_authority(
    tmp_path: Path, authority: trustme.CA
) -> None:
    lines = write_certificates(tmp_path, authority)
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    async with running(tmp_path, *lines) as mosquitto:
        settings = Mqtt(url=f"mqtts://127.0.0.1:{mosquitto.port}", ca=tmp_path / "other.pem")
        async with output_for(settings) as output:
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in output.health().detail)


async def password_file(folder: Path) -> Path:
    """Of one user, `lns`, with the password `right`."""
    path, tool = folder / "passwords", shutil.which("mosquitto_passwd")
    assert tool is not None
    process = await asyncio.create_subprocess_exec(
        *[tool, "-b", "-c", str(path), "lns", "right"], stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    return path


@pytest.mark.parametrize(
    ("password", "shows_certificate", "told"),
    [("right", True, "connected"), ("wrong", True, "refused the login"), ("right", False, "")],
)
async def test_password_and_certificate_are_both_wanted(
    tmp_path: Path,
    authority: trustme.CA,
    password: str,
    shows_certificate: bool,
    told: str,
) -> None:
    *tls, _anonymous = write_certificates(tmp_path, authority)
    passwords = await password_file(tmp_path)
    lines = (*tls, "allow_anonymous false", f"password_file {passwords}")
    async with running(tmp_path, *lines) as mosquitto:
        settings = Mqtt(
            url=f"mqtts://127.0.0.1:{mosquitto.port}",
            ca=tmp_path / "ca.pem",
            certificate=tmp_path / "lns.example.pem" if shows_certificate else None,
            key=tmp_path / "lns.example.key" if shows_certificate else None,
            username="lns",
            password=Secret(password),
        )
        async with output_for(settings) as output:
            await until(lambda: output.health().detail != "not connected yet")
            if told == "connected":
                await until(lambda: output.health().working)
                assert await output.publish([Message("site/x", b"1")]) == {}
            else:
                assert not output.health().working
                assert told in output.health().detail
                with pytest.raises(DeliveryUnavailable):
                    await output.publish([Message("site/x", b"1")])


async def test_wrong_password_is_told(tmp_path: Path) -> None:
    passwords = await password_file(tmp_path)
    lines = ("allow_anonymous false", f"password_file {passwords}")
    async with running(tmp_path, *lines) as mosquitto:
        url = f"mqtt://127.0.0.1:{mosquitto.port}"
        wrong = Mqtt(url=url, username="lns", password=Secret("wrong"))
        async with output_for(wrong) as output:
            await until(lambda: "refused the login" in output.health().detail)
        right = Mqtt(url=url, username="lns", password=Secret("right"))
        async with output_for(right) as output:
            await until(lambda: output.health().working)
            assert await output.publish([Message("t", b"1")]) == {}


async def test_broker_that_takes_no_large_message_has_it_rejected(tmp_path: Path) -> None:
    lines = ("allow_anonymous true", "max_packet_size 1000")
    async with (
        running(tmp_path, *lines) as mosquitto,
        output_for(Mqtt(url=f"mqtt://127.0.0.1:{mosquitto.port}")) as output,
    ):
        large = Message("t", b"x" * 2000, "large")
        reasons: list[str] = []
        async with asyncio.timeout(30):
            while not reasons:
                await until(lambda: output.health().working)
                with contextlib.suppress(DeliveryUnavailable):
                    failures = await output.publish([large, Message("t", b"1", "small")])
                    reasons = [failure.reason for failure in failures.values()]
        assert len(reasons) == 1
        assert "closes the connection over it" in reasons[0]


class Taker:
    """Takes what is published on `site/…/down`; the first time not, if it is told so."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refusals = 0

    def wants(self, topic: str) -> bool:
        return topic.startswith("site/")

    def take(self, topic: str, payload: bytes, done: Callable[[str | None], None]) -> None:
        if self.refusals:
            self.refusals -= 1
            done("no room")
        else:
            self.taken.append(payload)
            done(None)


def subscriber_for(mosquitto: Mosquitto, taker: Taker) -> MqttSubscriber:
    settings = msgspec.structs.replace(
        mqtt_settings(Mqtt(url=f"mqtt://127.0.0.1:{mosquitto.port}")),
        backoff=Backoff(first_s=0.05, ceiling_s=0.2),
    )
    return MqttSubscriber(settings, "site/+/down", taker, lambda: 0.5)


async def test_messages_to_devices_outlast_absence_refusal_and_a_restart(tmp_path: Path) -> None:
    taker = Taker()
    async with running(tmp_path) as mosquitto:

        def publish(payload: bytes, *, retain: bool = False) -> None:
            client = paho.Client(CallbackAPIVersion.VERSION2)
            client.connect("127.0.0.1", mosquitto.port)
            client.loop_start()
            client.publish("site/d1/down", payload, qos=1, retain=retain).wait_for_publish(10)
            client.disconnect()
            client.loop_stop()

        async with subscriber_for(mosquitto, taker) as subscriber:
            await until(lambda: subscriber.health().working)
            await asyncio.to_thread(publish, b"live")
            await until(lambda: taker.taken == [b"live"])
            taker.refusals = 2
            await asyncio.to_thread(publish, b"again")
            await until(lambda: taker.taken == [b"live", b"again"])
        await asyncio.to_thread(publish, b"while away")
        await mosquitto.stop()
        await mosquitto.start()
        async with subscriber_for(mosquitto, taker) as subscriber:
            await until(lambda: len(taker.taken) == 3)
            await asyncio.to_thread(publish, b"kept", retain=True)
            await until(lambda: len(taker.taken) == 4)
        async with subscriber_for(mosquitto, taker) as subscriber:
            await until(lambda: subscriber.health().working)
            await asyncio.to_thread(publish, b"last")
            await until(lambda: len(taker.taken) == 5)
    assert taker.taken == [b"live", b"again", b"while away", b"kept", b"last"]
