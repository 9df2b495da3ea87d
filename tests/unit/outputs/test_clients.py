from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable, StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.outputs import clients
from bittern.outputs.broker.connection import ConnectionLimits
from bittern.outputs.broker.hub import HubLimits
from bittern.outputs.broker.limits import BrokerLimits
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.clients import ClientMessage, EmbeddedClients, ExternalClients, clients_of
from bittern.outputs.mqtt.client import MqttSettings
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.port import NO_FAILURES, Failures, Message
from bittern.types import Instant

NOW = Instant(5.0)
LIMITS = BrokerLimits(
    connection=ConnectionLimits(packet_bytes=1000),
    hub=HubLimits(retained=2),
    write_interval_s=0.0,
)


@pytest.fixture
def build(tmp_path: Path) -> Callable[[], EmbeddedBroker]:
    files = BrokerFiles(
        password=tmp_path / "password", users=tmp_path / "users", sessions=tmp_path / "mqtt.db"
    )
    return lambda: EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=files,
        sealer=KeyRing({1: b"k" * 32}),
        now=lambda: NOW,
        limits=LIMITS,
    )


@pytest.fixture
async def broker(build: Callable[[], EmbeddedBroker]) -> AsyncIterator[EmbeddedBroker]:
    async with build() as broker:
        yield broker


def message(topic: str = "t", payload: bytes = b"1", **more: Any) -> ClientMessage:
    return ClientMessage(topic=topic, payload=payload, **more)


async def test_a_retained_message_is_there_after_a_restart(
    build: Callable[[], EmbeddedBroker],
) -> None:
    async with build() as broker:
        own = clients_of(broker)
        assert own.tells_retained
        await own.publish(message("a", retain=True, qos=1))
        await own.publish(message("b", b"2"))
        loaded = broker._log.load(NOW)[1]
        assert [one.topic for one in loaded] == ["a"]
    async with build() as broker:
        own = clients_of(broker)
        found = own.retained("a")
        assert found is not None
        assert (found.payload, found.qos, found.at) == (b"1", 1, NOW)
        assert [one.topic for one in own.retained_page("", 10)] == ["a"]
        await own.publish(message("a", b"", retain=True))
        assert own.retained("a") is None


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (message("$aws/x"), "publish nothing there"),
        (message("a/#"), "no topic"),
        (message(payload=b"x" * 1000), "larger"),
    ],
)
async def test_what_no_client_may_publish_is_rejected(
    broker: EmbeddedBroker, refused: ClientMessage, why: str
) -> None:
    with pytest.raises(DeliveryRejected, match=why):
        await EmbeddedClients(broker).publish(refused)


async def test_there_is_no_room_for_ever_more_retained_messages(broker: EmbeddedBroker) -> None:
    own = EmbeddedClients(broker)
    for topic in ("a", "b"):
        await own.publish(message(topic, retain=True))
    with pytest.raises(DeliveryRejected, match="no room"):
        await own.publish(message("c", retain=True))
    await own.publish(message("b", b"2", retain=True))


async def test_a_disk_that_writes_nothing_is_told(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(changes: object) -> dict[str, int]:
        raise StoreUnavailable("disk is full")

    write = broker._log.write
    monkeypatch.setattr(broker._log, "write", refuse)
    monkeypatch.setattr(clients, "ANSWER_S", 0.01)
    with pytest.raises(DeliveryUnavailable, match="in time"):
        await EmbeddedClients(broker).publish(message(retain=True))
    monkeypatch.setattr(broker._log, "write", write)


class Output(MqttOutput):
    """Keeps what it is given, or answers what it is told to."""

    def __init__(self) -> None:
        settings = MqttSettings(host="127.0.0.1", port=1, client_id="c")
        super().__init__(settings, lambda: 0.5)
        self.given: list[Message] = []
        self.failures: Failures = NO_FAILURES
        self.silent = False

    async def publish(self, messages: Any) -> Failures:
        self.given += messages
        if self.silent:
            await asyncio.Event().wait()
        return self.failures


async def test_an_external_broker_gets_it_with_its_flag() -> None:
    output = Output()
    other = clients_of(output)
    await other.publish(message(retain=True))
    await other.publish(message())
    assert [(one.topic, one.payload, one.retain) for one in output.given] == [
        ("t", b"1", True),
        ("t", b"1", False),
    ]
    assert len({one.message_id for one in output.given}) == 2
    assert (other.tells_retained, other.retained("t"), other.retained_page("", 1)) == (
        False,
        None,
        [],
    )


async def test_what_an_external_broker_does_not_take_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = Output()
    output.failures = {0: DeliveryRejected("too large")}
    with pytest.raises(DeliveryRejected, match="too large"):
        await ExternalClients(output).publish(message())
    output.silent = True
    monkeypatch.setattr(clients, "ANSWER_S", 0.0)
    with pytest.raises(DeliveryUnavailable, match="in time"):
        await ExternalClients(output).publish(message())
