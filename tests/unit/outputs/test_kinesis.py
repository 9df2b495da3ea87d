from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.kinesis import KIND, KinesisForm, KinesisOutput
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.types import EUI64

Make = Callable[..., Message]
DONE = {"SequenceNumber": "1", "ShardId": "s"}
BUSY = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "busy"}


@pytest.fixture
def kinesis(stubbed_aws: Any) -> Any:
    return stubbed_aws("kinesis")


def made(kinesis: Any, **more: object) -> KinesisOutput:
    form = read({"streamName": "uplinks", **more}, KinesisForm)
    return KinesisOutput("rule/1", form, Aws(calls=1), connect=kinesis.connect)


async def test_a_call_has_one_record_of_each_device(kinesis: Any, make_message: Make) -> None:
    devices = [str(EUI64.from_int(number)) for number in (1, 2)]
    kinesis.answers(
        "put_records",
        {"Records": [DONE, DONE]},
        StreamName="uplinks",
        Records=[{"Data": b"a", "PartitionKey": key} for key in devices],
    )
    kinesis.answers(
        "put_records",
        {"Records": [DONE]},
        StreamName="uplinks",
        Records=[{"Data": b"b", "PartitionKey": devices[0]}],
    )
    async with made(kinesis) as output:
        messages = [make_message("a"), make_message("b"), make_message("a", device=2)]
        assert await output.publish(messages) == {}
    kinesis.done()


async def test_the_partition_key_is_a_template(kinesis: Any, make_message: Make) -> None:
    record = {"Data": b"a", "PartitionKey": "roof"}
    kinesis.answers("put_records", {"Records": [DONE]}, StreamName="uplinks", Records=[record])
    async with made(kinesis, partitionKey="${place}") as output:
        assert await output.publish([make_message("a", partitionKey="roof")]) == {}
    kinesis.done()


async def test_a_record_that_failed_holds_up_its_device_only(
    kinesis: Any, make_message: Make
) -> None:
    kinesis.answers("put_records", {"Records": [BUSY, DONE]})
    kinesis.answers("put_records", {"Records": [DONE]})
    async with made(kinesis) as output:
        devices = (1, 1, 2, 2)
        failures = await output.publish([make_message(device=device) for device in devices])
    assert set(failures) == {0, 1}
    assert isinstance(failures[0], DeliveryUnavailable)
    kinesis.done()


def test_stream_and_key_are_templates() -> None:
    parameters = {"streamName": "s", "partitionKey": "${k}", "roleArn": "r"}
    assert KIND.templates(parameters) == {"streamName": "s", "partitionKey": "${k}"}


def test_parameters_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(RuleError, match="streamName"):
        checked({"kinesis": {"streamName": ""}})
