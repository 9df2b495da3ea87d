"""What needs no broker; with one: tests/integration/test_output_kafka.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
)

from bittern.config import Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kafka import KIND, KafkaForm, KafkaOutput, failure_of
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message, Output
from bittern.types import EUI64

CLIENT = {"bootstrap.servers": "127.0.0.1:1"}
BASE: dict[str, Any] = {"topic": "up", "clientProperties": CLIENT}


@pytest.fixture
def world(output: Output, tmp_path: Path) -> Surroundings:
    return Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )


def record(world: Surroundings, message: Message, **more: Any) -> dict[str, Any]:
    output = KafkaOutput("r/0", read({**BASE, **more}, KafkaForm), world)
    return output._record(message)


def test_key_is_the_device_unless_the_action_says_otherwise(world: Surroundings) -> None:
    message = Message("", b"1", "m1", {"key": "k"}, EUI64.from_int(5))
    assert record(world, message)["key"] == str(EUI64.from_int(5)).encode()
    assert record(world, message, key="${k}")["key"] == b"k"


def test_record_has_its_id_headers_and_partition(world: Surroundings) -> None:
    message = Message("", b"1", "m1", {"partition": "3", "headers.0.value": "ü"})
    headers = [{"key": "site", "value": "${s}"}]
    found = record(world, message, partition="${p}", headers=headers)
    assert found["headers"] == [("Bittern-Message-Id", b"m1"), ("site", "ü".encode())]
    assert found["partition"] == 3


@pytest.mark.parametrize("filled", [{"topic": "a b"}, {"topic": ".."}, {"partition": "-1"}])
def test_what_is_no_record_is_rejected(world: Surroundings, filled: dict[str, str]) -> None:
    with pytest.raises(DeliveryRejected):
        record(world, Message("", b"1", "m1", filled), partition="${p}", topic="${t}")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MessageSizeTooLargeError(), DeliveryRejected),
        (TopicAuthorizationFailedError(), DeliveryRejected),
        (NotLeaderForPartitionError(), DeliveryUnavailable),
        (KafkaTimeoutError(), DeliveryUnavailable),
        (ConnectionResetError(), DeliveryUnavailable),
    ],
)
def test_errors_say_whether_to_try_again(error: Exception, kind: type[Exception]) -> None:
    assert isinstance(failure_of(error), kind)


async def test_nobody_there_is_unavailable_and_the_cause_is_told(world: Surroundings) -> None:
    async with KIND.make("r/0", BASE, world) as output:
        with pytest.raises(DeliveryUnavailable, match="Connect call failed"):
            await output.publish([Message("", b"1", "m1")])
        assert not output.health().working


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"topic": "a b"}, "topic"),
        ({"clientProperties": {}}, r"bootstrap\.servers"),
        ({"clientProperties": {"bootstrap.servers": "x"}}, "HOST:PORT"),
        ({"clientProperties": {**CLIENT, "acks": "0"}}, "could be lost"),
        ({"clientProperties": {**CLIENT, "security.protocol": "X"}}, "one of PLAINTEXT"),
        ({"clientProperties": {**CLIENT, "security.protocol": "SASL_SSL"}}, "SASL needs"),
        ({"clientProperties": {**CLIENT, "sasl.password": "hush"}}, r"sasl\.password"),
        ({"tls": {"key": "x"}}, "come together"),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(more: dict[str, Any], told: str) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"kafka": {**BASE, **more}})
