from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.outputs.sns import KIND, SnsForm, SnsOutput

Make = Callable[..., Message]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:uplinks"
ENDPOINT = "arn:aws:sns:eu-west-1:123456789012:endpoint/APNS/app/1"
ATTRIBUTES = {"Bittern-Message-Id": {"DataType": "String", "StringValue": "m1"}}


@pytest.fixture
def sns(stubbed_aws: Any) -> Any:
    return stubbed_aws("sns")


def made(sns: Any, target: str = TOPIC, **more: object) -> SnsOutput:
    form = read({"targetArn": target, **more}, SnsForm)
    return SnsOutput("rule/1", form, Aws(calls=1), connect=sns.connect)


async def test_messages_go_to_a_topic_together(sns: Any, make_message: Make) -> None:
    entries = [
        {"Id": str(place), "Message": "text", "MessageAttributes": ATTRIBUTES} for place in (0, 1)
    ]
    failed = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    sns.answers(
        "publish_batch",
        {"Successful": [{"Id": "0"}], "Failed": [failed]},
        TopicArn=TOPIC,
        PublishBatchRequestEntries=entries,
    )
    async with made(sns) as output:
        failures = await output.publish([make_message("text"), make_message("text")])
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryUnavailable)
    assert sns.asked_for == ("sns", "eu-west-1")


async def test_json_is_a_text_for_each_protocol(sns: Any, make_message: Make) -> None:
    text = '{"default": "hot", "sms": "very hot"}'
    entry = {
        "Id": "0",
        "Message": text,
        "MessageStructure": "json",
        "MessageAttributes": ATTRIBUTES,
    }
    sns.answers("publish_batch", {}, TopicArn=TOPIC, PublishBatchRequestEntries=[entry])
    async with made(sns, messageFormat="JSON") as output:
        failures = await output.publish([make_message(text), make_message('{"sms": "hot"}')])
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryRejected)
    sns.done()


async def test_a_fifo_topic_has_a_group_for_each_device(sns: Any, make_message: Make) -> None:
    sns.answers("publish_batch", {"Failed": []})
    sns.answers("publish_batch", {"Failed": []})
    async with made(sns, TOPIC + ".fifo") as output:
        assert await output.publish([make_message(), make_message(number=2)]) == {}
    sns.done()


async def test_an_endpoint_takes_one_message_in_a_call(sns: Any, make_message: Make) -> None:
    sns.answers(
        "publish",
        {"MessageId": "1"},
        TargetArn=ENDPOINT,
        Message="text",
        MessageAttributes=ATTRIBUTES,
    )
    async with made(sns, ENDPOINT) as output:
        failures = await output.publish([make_message("text"), make_message(b"\xff")])
    assert isinstance(failures[1], DeliveryRejected)
    sns.done()


def test_the_target_is_a_template() -> None:
    parameters = {"targetArn": TOPIC, "messageFormat": "RAW"}
    assert KIND.templates(parameters) == {"targetArn": TOPIC}


@pytest.mark.parametrize(
    "parameters", [{"targetArn": "uplinks"}, {"targetArn": TOPIC, "messageFormat": "XML"}]
)
def test_parameters_that_cannot_be_used_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(RuleError, match=r"targetArn|messageFormat"):
        checked({"sns": parameters})
