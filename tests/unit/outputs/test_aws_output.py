from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs import in_order
from bittern.outputs.aws_errors import Unreachable
from bittern.outputs.aws_output import MESSAGE_ID, PUBLISH_S, AwsOutput, attributes, text_of
from bittern.outputs.port import Failures, Message

Make = Callable[..., Message]


class Output(AwsOutput):
    service = "sqs"
    failures: Failures = {}  # noqa: RUF012

    async def send(self, messages: Sequence[Message]) -> Failures:
        return self.failures


@pytest.fixture
def output(stubbed_aws: Any) -> Output:
    return Output("rule/1", Aws(), connect=stubbed_aws("sqs").connect)


async def test_what_arrived_is_counted(output: Output, make_message: Make) -> None:
    async with output:
        output.failures = {0: DeliveryRejected("no")}
        assert await output.publish([make_message(), make_message()]) == output.failures
    assert output.statistics() == {"delivered": 1, "rejected": 1, "failed": 0, "calls": 0}
    assert output.health().working


@pytest.mark.parametrize("devices", [(1, 2), (1, 1)])
async def test_where_nothing_gets_through_the_output_is_unavailable(
    output: Output, make_message: Make, devices: tuple[int, int]
) -> None:
    messages = [make_message(device=device) for device in devices]
    output.failures = {0: Unreachable("connection refused"), 1: DeliveryUnavailable("waits")}
    with pytest.raises(DeliveryUnavailable, match="connection refused"):
        await output.publish(messages)
    assert not output.health().working


async def test_a_device_that_waits_does_not_stop_the_others(
    output: Output, make_message: Make
) -> None:
    output.failures = {0: DeliveryUnavailable("throttled")}
    assert await output.publish([make_message()]) == output.failures
    output.failures = {0: DeliveryUnavailable("throttled"), 1: DeliveryRejected("no")}
    assert await output.publish([make_message(), make_message(device=2)]) == output.failures


def test_only_text_is_text() -> None:
    assert text_of("grün".encode()) == "grün"
    with pytest.raises(DeliveryRejected):
        text_of(b"\xff")


def test_a_message_is_known_by_its_id(make_message: Make) -> None:
    value = attributes(make_message(number=7))["MessageAttributes"][MESSAGE_ID]
    assert value == {"DataType": "String", "StringValue": "m7"}
    assert attributes(Message("", b"")) == {}


def test_what_is_begun_ends_before_a_batch_is_given_up() -> None:
    call_s = Aws().connect_timeout_s + Aws().read_timeout_s
    assert in_order.WAVE_S + in_order.START_S + call_s < PUBLISH_S
