from __future__ import annotations

import logging
from unittest.mock import Mock

import msgspec
import pytest

from bittern.app.deliveries import codecs_of, limits_of, mqtt_of, surroundings_of
from bittern.app.gateways import transport_of
from bittern.config import Configuration, Mqtt
from bittern.config.settings import Delivery
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.codecs.workers import CodecWorkers
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.retention import Limits
from bittern.testing.examples import CODEC, NOW
from bittern.testing.memory_store import MemoryStore

VAULT = KeyRing({1: bytes(32)})


def broker(configuration: Configuration, mqtt: Mqtt) -> EmbeddedBroker | MqttOutput:
    configured = msgspec.structs.replace(configuration, mqtt=mqtt)
    return mqtt_of(configured, transport_of(configured, VAULT, lambda: NOW), VAULT, lambda: NOW)


def test_without_a_url_there_is_a_broker_inside(configuration: Configuration) -> None:
    assert isinstance(broker(configuration, Mqtt(port=0)), EmbeddedBroker)


def test_the_operators_broker_takes_its_place(configuration: Configuration) -> None:
    made = broker(configuration, Mqtt(url="mqtt://broker.example:1883"))
    assert isinstance(made, MqttOutput)


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", 0), ("192.0.2.1", 1)])
def test_whoever_wants_passwords_in_the_clear_on_a_network_is_told(
    configuration: Configuration, caplog: pytest.LogCaptureFixture, host: str, told: int
) -> None:
    with caplog.at_level(logging.WARNING):
        broker(configuration, Mqtt(host=host, port=0))
    assert len(caplog.records) == told
    assert all("not at 192.0.2.1" in record.getMessage() for record in caplog.records)


def test_actions_know_the_broker_and_the_data_directory(configuration: Configuration) -> None:
    made = broker(configuration, Mqtt(port=0))
    surroundings = surroundings_of(configuration, made)
    assert surroundings.broker is made
    assert surroundings.data_dir == configuration.data_dir


@pytest.mark.parametrize("registered", [False, True])
async def test_workers_run_before_the_first_device_that_needs_them(
    configuration: Configuration, registered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, started = MemoryStore(), Mock()
    monkeypatch.setattr(CodecWorkers, "start", lambda self: started())
    if registered:
        await store.add_codec(CODEC)
    async with codecs_of(configuration, store, lambda: NOW):
        assert started.called is registered


def test_what_stays_is_told_in_days_and_mebibytes() -> None:
    delivery = Delivery(dead_letter_days=2, dead_letter_mib=3, disk_budget_mib=5)
    assert limits_of(delivery) == Limits(
        dead_letter_s=172_800, dead_letter_bytes=3_145_728, budget_bytes=5_242_880
    )
