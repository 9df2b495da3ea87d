"""Republishing to a broker that behaves as AWS IoT Core, by mutual TLS.

The broker is Mosquitto with AWS's demands on certificates and quality of service, and, where AWS
does what Mosquitto does not (ALPN, quotas), a door of our own before it. Its name is one of AWS's,
which leads here to this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).parent))
from iot_core import IotCore
from mqtt_services import (
    DEVICES,
    EACH,
    PROGRAM,
    REASON,
    Certificates,
    Mosquitto,
    arrivals,
    collected,
    messages,
    subscribed,
    subscriber,
    topic,
)
from output_chaos import Result, carry, check_arrivals, free_port, made, surroundings

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.parameters import read
from bittern.outputs.port import Message, Output
from bittern.outputs.republish import RepublishForm, addressed, broker_settings

HOST = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason=REASON),
    pytest.mark.timeout(120),
]


@pytest.fixture(autouse=True)
def aws_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of AWS lead to loopback, and nothing leaves this machine."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *about: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == HOST else host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path, HOST)


@pytest.fixture
async def broker(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Mosquitto]:
    async with Mosquitto(tmp_path, *certificates.lines) as running:
        yield running


def parameters(port: int, certificates: Certificates, **more: Any) -> dict[str, Any]:
    named = {"url": f"mqtts://{HOST}:{port}", "clientId": "bittern", **certificates.parameters}
    return {"topic": "up/${d}", "qos": 1, "broker": named, **more}


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def one(number: int = 0) -> Message:
    return Message("", b'{"device":0,"n":%d}' % number, f"m{number}", {"topic": "up/0"})


class Intruder:
    """Another client of our name: the broker closes our connection when it comes."""

    def __init__(self, broker: Mosquitto) -> None:
        self._port = broker.open_port
        self.came = 0

    async def comes(self) -> None:
        for _ in range(3):
            client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bittern")
            await asyncio.to_thread(client.connect, "127.0.0.1", self._port)
            client.loop_start()
            await until(client.is_connected)
            self.came += 1
            await asyncio.sleep(0.2)
            await asyncio.to_thread(client.disconnect)
            await asyncio.to_thread(client.loop_stop)
            await asyncio.sleep(0.6)


@pytest.mark.parametrize("headers", [None, {"contentType": "application/json"}])
async def test_everything_arrives_in_order_through_all_troubles(
    broker: Mosquitto,
    certificates: Certificates,
    tmp_path: Path,
    headers: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await subscribed(broker.open_port)
    more = {} if headers is None else {"headers": headers}
    intruder = Intruder(broker)
    output = made("republish", parameters(broker.port, certificates, **more), tmp_path)
    async with output:
        result = await carry(
            output,
            devices=DEVICES,
            each=EACH,
            fill=topic,
            troubles=[broker.restart, broker.freeze, intruder.comes, broker.restart],
            pause_s=0.1,
        )
        connections = output.statistics()["connections"]
    copies = check_arrivals(arrivals(await messages(broker.open_port)), DEVICES, EACH)
    assert result.rejected == []
    assert connections >= 3 + intruder.came
    name = f"AWS IoT Core, MQTT {5 if headers else '3.1.1'}"
    tell(capsys, name, result, copies, f"{connections} connections, {intruder.came} takeovers")


def tell(
    capsys: pytest.CaptureFixture[str], name: str, result: Result, copies: int, more: str
) -> None:
    with capsys.disabled():
        print(f"\n{name}: {result}; {copies} copies; {more}")


@pytest.mark.parametrize("qos", [0, 1])
async def test_both_qualities_of_service_are_taken(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path, qos: int
) -> None:
    output = made("republish", parameters(broker.port, certificates, qos=qos), tmp_path)
    async with subscriber(broker.open_port) as client, output:
        await client.subscribe("up/#", qos=1)
        await until(lambda: output.health().working)
        assert await output.publish([one(number) for number in range(50)]) == {}
        found = await asyncio.wait_for(collected(client, 50), 20)
    assert arrivals(found) == [(0, number) for number in range(50)]


async def refused(output: Output) -> str:
    """Why there is no connection; nothing is lost over it."""
    async with output:
        await until(lambda: output.health().detail != "not connected yet")
        assert not output.health().working
        with pytest.raises(DeliveryUnavailable):
            await output.publish([one()])
        return output.health().detail


async def test_a_certificate_of_another_authority_is_refused(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    certificates.write_client(trustme.CA())
    output = made("republish", parameters(broker.port, certificates), tmp_path)
    assert "UNKNOWN_CA" in await refused(output)


async def test_without_a_certificate_we_are_refused(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    named = {"url": f"mqtts://{HOST}:{broker.port}", "clientId": "bittern", "ca": "ca.pem"}
    output = made("republish", {"topic": "up/0", "broker": named}, tmp_path)
    # The first is TLS 1.2's word, the second 1.3's.
    assert re.search("HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED", await refused(output))


async def test_a_broker_of_another_authority_is_refused(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(certificates.secrets / "ca.pem"))
    output = made("republish", parameters(broker.port, certificates), tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in await refused(output)


async def test_a_broker_of_another_name_is_refused(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, "another-ats.iot.eu-west-1.amazonaws.com")
    async with Mosquitto(tmp_path, *certificates.lines) as broker:
        output = made("republish", parameters(broker.port, certificates), tmp_path)
        assert "CERTIFICATE_VERIFY_FAILED" in await refused(output)


async def test_an_expired_certificate_is_told_and_a_new_one_is_taken_up(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    certificates.write_client(certificates.client_authority, expired=True)
    await subscribed(broker.open_port)
    async with made("republish", parameters(broker.port, certificates), tmp_path) as output:
        await until(lambda: "CERTIFICATE_EXPIRED" in output.health().detail)
        certificates.write_client(certificates.client_authority)
        result = await carry(output, devices=2, each=10, fill=topic)
    assert result.rejected == []
    check_arrivals(arrivals(await messages(broker.open_port, 20)), 2, 10)


async def test_what_is_beyond_its_limits_is_rejected_and_the_connection_stays(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    large = [Message("", b"x" * size, f"m{size}", {"topic": "up/0"}) for size in (131_072, 131_073)]
    deep = [Message("", b"1", f"m{depth}", {"topic": "up" + "/x" * depth}) for depth in (7, 8)]
    async with made("republish", parameters(broker.port, certificates), tmp_path) as output:
        await until(lambda: output.health().working)
        failures = await output.publish([*large, *deep])
        assert output.statistics()["connections"] == 1
    assert sorted(failures) == [1, 3]
    assert all(isinstance(failure, DeliveryRejected) for failure in failures.values())


@contextlib.asynccontextmanager
async def at_443(
    broker: Mosquitto, tmp_path: Path, certificates: Certificates, **changes: Any
) -> AsyncIterator[tuple[IotCore, MqttOutput]]:
    """Settings for port 443, and another port in its stead: that one is not ours."""
    form = read(parameters(443, certificates), RepublishForm)
    settings = broker_settings(form, surroundings(tmp_path))
    async with IotCore(free_port(), broker.open_port, tmp_path / "broker") as door:
        quick = {"backoff": Backoff(first_s=0.05, ceiling_s=0.2), "port": door.port}
        settings = msgspec.structs.replace(settings, **quick, **changes)
        async with MqttOutput(settings, lambda: 0.5, "aws") as output:
            yield door, output


async def test_port_443_by_tls_1_2_is_told_the_protocol_and_the_name(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    async with at_443(broker, tmp_path, certificates) as (door, output):
        await until(lambda: output.health().working)
        assert await output.publish([Message("up/0", b"1", "m1")]) == {}
    assert door.names == [HOST]


async def test_another_port_is_told_no_protocol(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    async with IotCore(free_port(), broker.open_port, tmp_path / "broker") as door:
        output = made("republish", parameters(door.port, certificates), tmp_path)
        await refused(output)
        assert (len(door.names) > 0, door.taken) == (True, 0)


async def test_no_message_comes_too_fast(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    await subscribed(broker.open_port)
    form = read(parameters(443, certificates), RepublishForm)
    ready, _, _ = addressed([one(number) for number in range(500)], form, own=False)
    async with at_443(broker, tmp_path, certificates) as (door, output):
        await until(lambda: output.health().working)
        assert await output.publish(ready) == {}
        assert (door.taken, door.dropped) == (500, 0)
    found = arrivals(await messages(broker.open_port, 500))
    assert found == [(0, number) for number in range(500)]


async def test_without_our_pace_the_door_would_drop_some(
    broker: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    """That the stand-in counts as it should."""
    many = [Message("up/0", b"1", f"m{number}") for number in range(200)]
    async with at_443(broker, tmp_path, certificates, per_s=0) as (door, output):
        await until(lambda: output.health().working)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await output.publish(many)
        assert door.dropped
