"""The output with a broker that does what each test says, over loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from bittern.config.settings import Mqtt, Secret
from bittern.errors import ConfigurationError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.client import MqttSettings
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings
from bittern.outputs.mqtt.packets import Connect, PacketStream, Publish, decode
from bittern.outputs.port import Message


class ScriptedBroker:
    """Acknowledges everything, but closes the connection over the payloads in `hated`."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.hated: set[bytes] = set()
        self.silent = False
        self.logins = 0
        self.server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def port(self) -> int:
        assert self.server is not None
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = PacketStream(1 << 20)
        self._writers.append(writer)
        while data := await reader.read(65_536):
            for first, body in stream.feed(data):
                packet = decode(first, body)
                if isinstance(packet, Connect):
                    self.logins += 1
                    writer.write(mqtt.encode_connack(0))
                elif isinstance(packet, Publish) and packet.payload in self.hated:
                    writer.close()
                    return
                elif isinstance(packet, Publish) and not self.silent:
                    self.taken.append(packet.payload)
                    writer.write(mqtt.encode_acknowledgement(mqtt.PUBACK, packet.packet_id))
        writer.close()

    def drop(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker()
    broker.server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    yield broker
    broker.drop()
    broker.server.close()
    await broker.server.wait_closed()


@pytest.fixture
async def output(broker: ScriptedBroker) -> AsyncIterator[MqttOutput]:
    settings = MqttSettings(
        host="127.0.0.1",
        port=broker.port,
        client_id="bittern",
        backoff=Backoff(first_s=0.001, ceiling_s=0.001),
        blamed=3,
    )
    async with MqttOutput(settings, lambda: 0.0) as output:
        yield output


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def connected(output: MqttOutput) -> None:
    await until(lambda: output.health().working)


def messages(*numbers: int) -> list[Message]:
    return [Message("t", b"%d" % number, f"m{number}") for number in numbers]


async def test_messages_are_delivered_when_the_broker_has_them(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    await connected(output)
    assert await output.publish(messages(1, 2, 3)) == {}
    assert broker.taken == [b"1", b"2", b"3"]
    assert output.statistics() == {
        "connected": 1,
        "connections": 1,
        "acknowledged": 3,
        "under_way": 0,
    }


async def test_output_without_connection_is_unavailable_at_once(broker: ScriptedBroker) -> None:
    settings = MqttSettings(host="127.0.0.1", port=1, client_id="bittern")
    async with MqttOutput(settings, lambda: 0.0) as output:
        with pytest.raises(DeliveryUnavailable):
            await output.publish(messages(1))
        await until(lambda: "not connected" not in output.health().detail)
        assert "refused" in output.health().detail.lower()


async def test_connection_comes_back_and_what_was_lost_is_reported(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    await connected(output)
    broker.silent = True
    publishing = asyncio.create_task(output.publish(messages(1)))
    await until(lambda: output.statistics()["under_way"])
    broker.drop()
    with pytest.raises(DeliveryUnavailable):
        await publishing
    broker.silent = False
    await until(lambda: broker.logins == 2)
    await connected(output)
    assert await output.publish(messages(1)) == {}
    assert output.statistics()["connections"] == 2


async def test_what_was_acknowledged_before_the_loss_is_delivered(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    await connected(output)
    broker.hated.add(b"2")
    failures = await output.publish(messages(1, 2, 3))
    assert sorted(failures) == [1, 2]
    assert broker.taken == [b"1"]


async def test_message_that_the_broker_will_not_have_is_rejected_in_the_end(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    broker.hated.add(b"2")
    rejected = None
    waiting = messages(2, 3)
    while rejected is None:
        await connected(output)
        try:
            failures = await output.publish(waiting)
        except DeliveryUnavailable:
            continue
        rejected = failures.get(0)
    assert isinstance(rejected, DeliveryRejected)
    assert broker.logins == 4
    assert broker.taken == [b"3"]


async def test_broker_that_restarts_often_does_not_make_a_message_suspect(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    for number in range(10):
        await connected(output)
        logins = broker.logins
        broker.silent = True
        publishing = asyncio.create_task(output.publish(messages(number)))
        await until(lambda: output.statistics()["under_way"])
        broker.drop()
        with pytest.raises(DeliveryUnavailable):
            await publishing
        broker.silent = False
        await until(lambda before=logins: broker.logins > before)
        await connected(output)
        assert await output.publish(messages(number)) == {}


async def test_broker_that_takes_nothing_is_tried_afresh_when_the_caller_gives_up(
    output: MqttOutput, broker: ScriptedBroker
) -> None:
    await connected(output)
    broker.silent = True
    publishing = asyncio.create_task(output.publish(messages(1)))
    await until(lambda: output.statistics()["under_way"])
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    await until(lambda: broker.logins == 2)


async def test_settings_are_read_for_each_further_connection(broker: ScriptedBroker) -> None:
    settings = MqttSettings(
        host="127.0.0.1",
        port=broker.port,
        client_id="bittern",
        backoff=Backoff(first_s=0.001, ceiling_s=0.001),
    )
    nowhere = msgspec.structs.replace(settings, port=1)
    found: list[MqttSettings | None] = [None, nowhere, settings]

    def renewed() -> MqttSettings:
        settings = found.pop(0)
        if settings is None:
            raise DeliveryUnavailable("secrets/ca.pem: No such file or directory")
        return settings

    async with MqttOutput(nowhere, lambda: 0.0, renewed=renewed) as output:
        await connected(output)
        assert await output.publish(messages(1)) == {}
    assert found == []


def settings_of(**changes: Any) -> MqttSettings:
    return mqtt_settings(Mqtt(**changes))


def test_settings_come_from_the_configuration() -> None:
    settings = settings_of(
        url="mqtt://broker.example",
        username="lns",
        password=Secret("secret"),
        client_id="site-7",
    )
    assert (settings.host, settings.port, settings.tls) == ("broker.example", 1883, None)
    assert (settings.username, settings.password) == ("lns", b"secret")
    assert settings.client_id == "site-7"
    assert settings_of(url="mqtt://[::1]:1884").host == "::1"


def test_secure_url_checks_the_broker_and_shows_our_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("lns.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    settings = settings_of(
        url="mqtts://broker.example",
        ca=tmp_path / "ca.pem",
        certificate=tmp_path / "cert.pem",
        key=tmp_path / "key.pem",
    )
    assert settings.port == 8883
    assert settings.tls is not None
    assert settings.tls.verify_mode is ssl.CERT_REQUIRED
    assert settings.tls.check_hostname
    assert len(settings.tls.get_ca_certs()) == 1


@pytest.mark.parametrize("place", ["ca", "certificate"])
def test_file_that_is_no_certificate_is_told_by_its_setting(tmp_path: Path, place: str) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not a certificate")
    files = {"ca": tmp_path / "ca.pem", "certificate": wrong, "key": wrong} | {place: wrong}
    with pytest.raises(ConfigurationError, match=rf"mqtt\.{place}: "):
        settings_of(url="mqtts://broker.example", **files)
