from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import trustme

from bittern.config import Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.mqtt.packets import PacketStream
from bittern.outputs.port import Failures, Health, Message, Output
from bittern.outputs.republish import (
    KIND,
    HeadersForm,
    RepublishForm,
    addressed,
    broker_settings,
    properties_of,
    read,
    topic_of,
)


class OwnBroker:
    """Records what it is given."""

    name = "own"

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.failures: dict[int, DeliveryRejected] = {}

    async def __aenter__(self) -> Self:
        raise AssertionError("the server enters its broker")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raise AssertionError("the server leaves its broker")

    async def publish(self, messages: Sequence[Message]) -> Failures:
        self.taken += messages
        return self.failures

    def health(self) -> Health:
        return Health(True, "own broker")

    def statistics(self) -> Mapping[str, int]:
        return {}


@pytest.fixture
def own() -> OwnBroker:
    return OwnBroker()


@pytest.fixture
def world(own: OwnBroker, tmp_path: Path) -> Surroundings:
    (tmp_path / "secrets").mkdir()
    return Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=own, chance=lambda: 0.0
    )


def filled_in(topic: str, payload: bytes = b"{}") -> Message:
    return Message("", payload, "m1", {"topic": topic})


async def test_message_goes_to_its_topic_of_the_own_broker(
    own: OwnBroker, world: Surroundings
) -> None:
    async with KIND.make("r/0", {"topic": "a/${b}", "qos": 1}, world) as output:
        assert await output.publish([filled_in("a/1"), filled_in("a/2")]) == {}
        assert [message.topic for message in own.taken] == ["a/1", "a/2"]
        assert output.health().detail == "own broker"
        assert output.statistics() == {"delivered": 2, "rejected": 0}


async def test_messages_without_a_topic_hold_up_nobody(own: OwnBroker, world: Surroundings) -> None:
    own.failures = {1: DeliveryRejected("too large")}
    async with KIND.make("r/0", {"topic": "${b}"}, world) as output:
        messages = [filled_in(topic) for topic in ("", "a", "a/#", "b", "$$aws/rules/x")]
        failures = await output.publish(messages)
    assert [message.topic for message in own.taken] == ["a", "b"]
    assert sorted(failures) == [0, 2, 3, 4]
    assert failures[3].reason == "too large"
    assert "reserved" in failures[4].reason


@pytest.mark.parametrize("topic", ["$aws/rules/x", "$$aws/rules/x", "$aws/iotwireless/events/x"])
def test_reserved_topics_of_the_own_broker_are_refused(topic: str) -> None:
    with pytest.raises(DeliveryRejected, match="reserved"):
        topic_of(topic, own=True)
    assert topic_of(topic, own=False).startswith("$aws/")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "missing required field topic"),
        ({"topic": "a", "qos": 2}, "qos"),
        ({"topic": "a/#"}, "topic: .*wildcard"),
        ({"topic": "$aws/rules/x"}, "topic: .*reserved"),
        ({"topic": "a", "headers": {"messageExpiry": "soon"}}, "messageExpiry"),
        ({"topic": "a", "headers": {"messageExpiry": "4294967296"}}, "messageExpiry"),
        ({"topic": "a", "headers": {"correlationData": "?"}}, "correlationData"),
        ({"topic": "a", "headers": {"payloadFormatIndicator": "1"}}, "payloadFormatIndicator"),
        ({"topic": "a", "broker": {"url": "http://x", "clientId": "c"}}, r"broker\.url"),
        ({"topic": "a", "broker": {"url": "mqtt://a:b@x", "clientId": "c"}}, "no name"),
        ({"topic": "a", "broker": {"url": "mqtt://x:99999", "clientId": "c"}}, "port"),
        (
            {"topic": "a", "broker": {"url": "mqtts://x", "clientId": "c", "key": "k"}},
            "come together",
        ),
        ({"topic": "a", "broker": {"url": "mqtt://x", "clientId": "c", "iotCore": True}}, "mqtts"),
        (
            {
                "topic": "a/b/c/d/e/f/g/h/i",
                "broker": {"url": "mqtts://x", "clientId": "c", "iotCore": True},
            },
            "7 slashes",
        ),
        (
            {"topic": "a", "broker": {"url": "mqtts://x", "clientId": "ü" * 65, "iotCore": True}},
            "128 bytes",
        ),
        (
            {"topic": "a", "broker": {"url": "mqtts://x", "clientId": "c", "ca": "/etc/passwd"}},
            r"broker\.ca",
        ),
        (
            {"topic": "a", "broker": {"url": "mqtt://x", "clientId": "c", "passwordFile": "p"}},
            "needs a name",
        ),
        (
            {
                "topic": "a",
                "broker": {
                    "url": "mqtt://x",
                    "clientId": "c",
                    "username": "u",
                    "passwordEnvironment": "HOME",
                },
            },
            "BITTERN_SECRET_",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(
    parameters: dict[str, Any], told: str
) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"republish": parameters})


def test_parameters_of_aws_are_taken() -> None:
    parameters = {
        "roleArn": "arn:aws:iam::123456789012:role/x",
        "topic": "a/${topic(1)}",
        "qos": 1,
        "headers": {
            "payloadFormatIndicator": "UTF8_DATA",
            "contentType": "application/json",
            "messageExpiry": "${x}",
            "userProperties": [{"key": "k", "value": "${v}"}],
        },
    }
    checked({"republish": parameters})
    assert KIND.templates(parameters) == {
        "topic": "a/${topic(1)}",
        "headers.payloadFormatIndicator": "UTF8_DATA",
        "headers.contentType": "application/json",
        "headers.messageExpiry": "${x}",
        "headers.userProperties.0.key": "k",
        "headers.userProperties.0.value": "${v}",
    }


def test_headers_are_those_of_the_message() -> None:
    headers = HeadersForm(message_expiry="${x}", correlation_data="AAE=")
    found = properties_of(Message("", b"", "m1", {"headers.messageExpiry": "5"}), headers)
    assert b"\x02\x00\x00\x00\x05" in found
    assert b"\x09\x00\x02\x00\x01" in found
    assert b"Bittern-Message-Id\x00\x02m1" in found


def settings_of(world: Surroundings, **broker: object) -> Any:
    form = read({"topic": "a", "broker": {"clientId": "c"} | broker}, RepublishForm)
    return broker_settings(form, world)


def test_aws_is_reached_with_our_certificate(world: Surroundings) -> None:
    authority = trustme.CA()
    authority.issue_cert("device").private_key_and_cert_chain_pem.write_to_path(
        world.data_dir / "secrets/own.pem"
    )
    url = "mqtts://abc-ats.iot.eu-west-1.amazonaws.com:443"
    settings = settings_of(world, url=url, certificate="own.pem", key="own.pem")
    assert (settings.port, settings.under_way, settings.level) == (443, 100, 4)
    assert settings.per_s == 100
    assert settings.tls.check_hostname


def test_aws_at_a_domain_of_ones_own_is_told(world: Surroundings) -> None:
    settings = settings_of(world, url="mqtts://iot.example", iotCore=True)
    assert (settings.under_way, settings.per_s) == (100, 100)
    settings = settings_of(world, url="mqtts://iot.example")
    assert (settings.under_way, settings.per_s) == (1000, 0)


def test_what_aws_would_close_the_connection_over_is_rejected() -> None:
    broker = {"clientId": "c", "url": "mqtts://abc-ats.iot.eu-west-1.amazonaws.com"}
    form = read({"topic": "a", "broker": broker}, RepublishForm)
    messages = [
        filled_in("a/b", b"x" * 131_072),
        filled_in("a/b", b"x" * 131_073),
        filled_in("a/b/c/d/e/f/g/h/i"),
        filled_in("$$aws/rules/decode/a/b/c/d/e/f/g/h"),
    ]
    ready, places, failures = addressed(messages, form, own=False)
    assert places == [0, 3]
    assert [message.topic for message in ready] == ["a/b", "$aws/rules/decode/a/b/c/d/e/f/g/h"]
    assert all(isinstance(failure, DeliveryRejected) for failure in failures.values())


def test_password_does_not_print(world: Surroundings) -> None:
    (world.data_dir / "secrets/p").write_text("hush\n")
    settings = settings_of(world, url="mqtt://x", username="u", passwordFile="p")
    assert settings.password == b"hush"
    assert "hush" not in repr(settings)


async def test_absent_file_makes_the_broker_unavailable_until_it_is_there(
    world: Surroundings,
) -> None:
    broker = {"url": "mqtts://127.0.0.1:1", "clientId": "c", "ca": "ca.pem"}
    async with KIND.make("r/0", {"topic": "a", "broker": broker}, world) as output:
        assert output.health() == (False, "secrets/ca.pem: No such file or directory")
        with pytest.raises(DeliveryUnavailable, match=r"ca\.pem"):
            await output.publish([filled_in("a")])
        trustme.CA().cert_pem.write_to_path(world.data_dir / "secrets/ca.pem")
        with pytest.raises(DeliveryUnavailable):
            await output.publish([filled_in("a")])
        assert "ca.pem" not in output.health().detail


class Broker5:
    """MQTT 5 by hand: greets, and answers each PUBLISH by the code that is next."""

    def __init__(self, greeting: bytes, codes: list[int]) -> None:
        self.greeting = greeting
        self.codes = codes
        self.packets: list[tuple[int, bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = PacketStream(1 << 20)
        while data := await reader.read(65_536):
            for first, body in stream.feed(data):
                self.packets.append((first, body))
                if first == 0x10:
                    writer.write(self.greeting)
                elif first == 0x32:
                    at = 2 + int.from_bytes(body[:2], "big")
                    code = self.codes.pop(0) if self.codes else 0
                    writer.write(b"\x40\x03" + body[at : at + 2] + bytes((code,)))
        writer.close()


@pytest.fixture
async def serve(world: Surroundings) -> AsyncIterator[Any]:
    servers: list[asyncio.Server] = []

    async def start(broker: Broker5, **parameters: Any) -> Output:
        server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        named = {"url": f"mqtt://127.0.0.1:{port}", "clientId": "c"}
        return KIND.make("r/0", {"topic": "a", "broker": named, **parameters}, world)

    yield start
    for server in servers:
        server.close()


async def connected(output: Output) -> None:
    async with asyncio.timeout(5):
        while not output.health().working:
            await asyncio.sleep(0)


GREETING = b"\x20\x03\0\0\0"


async def test_reason_codes_are_told_message_by_message(serve: Any) -> None:
    broker = Broker5(GREETING, [0, 0x87, 0x97])
    async with await serve(broker, qos=1, headers={"contentType": "x"}) as output:
        await connected(output)
        failures = await output.publish([filled_in("a")] * 4)
    assert {place: type(failure) for place, failure in failures.items()} == {
        1: DeliveryRejected,
        2: DeliveryUnavailable,
    }
    assert broker.packets[0][1][:7] == b"\0\x04MQTT\x05"


async def test_message_larger_than_the_broker_takes_is_rejected(serve: Any) -> None:
    broker = Broker5(b"\x20\x08\0\0\x05\x27\0\0\0\x64", [])
    async with await serve(broker, qos=1, headers={"contentType": "x"}) as output:
        await connected(output)
        failures = await output.publish([filled_in("a", b"x" * 100), filled_in("a")])
    assert failures[0].reason == "the broker takes 100 bytes"
    assert list(failures) == [0]


async def test_quality_of_service_0_waits_for_nobody(serve: Any) -> None:
    broker = Broker5(GREETING, [])
    async with await serve(broker, qos=0, headers={"contentType": "x"}) as output:
        await connected(output)
        assert await output.publish([filled_in("a"), filled_in("b")]) == {}
        async with asyncio.timeout(5):
            while len(broker.packets) < 3:
                await asyncio.sleep(0)
    assert [first for first, _ in broker.packets[1:3]] == [0x30, 0x30]


async def test_refused_login_is_told(serve: Any) -> None:
    broker = Broker5(b"\x20\x03\0\x87\0", [])
    async with await serve(broker, headers={"contentType": "x"}) as output:
        async with asyncio.timeout(5):
            while "not authorized" not in output.health().detail:
                await asyncio.sleep(0)
