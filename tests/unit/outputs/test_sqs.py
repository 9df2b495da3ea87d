from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.outputs.sqs import KIND, SqsForm, SqsOutput

Make = Callable[..., Message]
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/uplinks"
FIFO = QUEUE + ".fifo"


@pytest.fixture
def sqs(stubbed_aws: Any) -> Any:
    return stubbed_aws("sqs")


def made(sqs: Any, url: str = QUEUE, **more: object) -> SqsOutput:
    form = read({"queueUrl": url, **more}, SqsForm)
    return SqsOutput("rule/1", form, Aws(calls=1), connect=sqs.connect)


def entry(number: int, body: str, **more: str) -> dict[str, Any]:
    value = {"DataType": "String", "StringValue": f"m{number}"}
    return {
        "Id": str(number),
        "MessageBody": body,
        "MessageAttributes": {"Bittern-Message-Id": value},
        **more,
    }


def arrived(*ids: str, **failed: str) -> dict[str, Any]:
    """``x3="code"``: entry 3 failed; an upper-case code is the sender's fault."""
    done = [{"Id": one, "MessageId": one, "MD5OfMessageBody": "x"} for one in ids]
    return {
        "Successful": done,
        "Failed": [
            {"Id": name[1:], "Code": code, "SenderFault": code.isupper()}
            for name, code in failed.items()
        ],
    }


async def test_ten_messages_go_in_a_call(sqs: Any, make_message: Make) -> None:
    for first, last in ((0, 10), (10, 12)):
        sqs.answers(
            "send_message_batch",
            arrived(*map(str, range(first, last))),
            QueueUrl=QUEUE,
            Entries=[entry(number, "body") for number in range(first, last)],
        )
    async with made(sqs) as output:
        messages = [make_message("body", number=number) for number in range(12)]
        assert await output.publish(messages) == {}
    assert sqs.asked_for == ("sqs", "eu-west-1")
    sqs.done()


async def test_messages_may_be_in_base64(sqs: Any, make_message: Make) -> None:
    entries = [entry(0, "/w==")]
    sqs.answers("send_message_batch", arrived("0"), QueueUrl=QUEUE, Entries=entries)
    async with made(sqs, useBase64=True) as output:
        assert await output.publish([make_message(b"\xff", number=0)]) == {}
    sqs.done()


async def test_what_is_no_text_is_rejected_and_the_others_go(sqs: Any, make_message: Make) -> None:
    entries = [entry(1, "text")]
    sqs.answers("send_message_batch", arrived("1"), QueueUrl=QUEUE, Entries=entries)
    async with made(sqs) as output:
        messages = [make_message(payload, number=n) for n, payload in enumerate((b"\xff", b"text"))]
        failures = await output.publish([*messages, make_message("", number=2)])
    assert {place: type(one) for place, one in failures.items()} == dict.fromkeys(
        (0, 2), DeliveryRejected
    )
    sqs.done()


async def test_entries_that_failed_are_found_by_their_positions(
    sqs: Any, make_message: Make
) -> None:
    sqs.answers("send_message_batch", arrived("0", x1="TOOLONG", x2="InternalError"))
    async with made(sqs) as output:
        failures = await output.publish([make_message(number=number) for number in range(3)])
    assert isinstance(failures[1], DeliveryRejected)
    assert isinstance(failures[2], DeliveryUnavailable)
    assert set(failures) == {1, 2}


async def test_a_queue_that_is_not_there_rejects_all(sqs: Any, make_message: Make) -> None:
    sqs.fails("send_message_batch", "AWS.SimpleQueueService.NonExistentQueue")
    async with made(sqs) as output:
        failures = await output.publish([make_message(number=number) for number in range(3)])
    assert all(isinstance(failures[place], DeliveryRejected) for place in range(3))
    sqs.done()


async def test_a_fifo_queue_is_told_of_devices_and_copies(sqs: Any, make_message: Make) -> None:
    seen: list[dict[str, Any]] = []
    sqs._client.meta.events.register(
        "before-parameter-build.sqs.SendMessageBatch",
        lambda params, **_: seen.append(params["Entries"]),
    )
    sqs.answers("send_message_batch", arrived("0", "2"))
    sqs.answers("send_message_batch", arrived("1"))
    async with made(sqs, FIFO) as output:
        messages = [make_message(device=1 + number // 2, number=number) for number in range(3)]
        assert await output.publish(messages) == {}
    groups = [[(one["Id"], one["MessageGroupId"][-1]) for one in entries] for entries in seen]
    assert groups == [[("0", "1"), ("2", "2")], [("1", "1")]]
    ids = {one["MessageDeduplicationId"] for entries in seen for one in entries}
    assert len(ids) == 3


async def test_in_a_fifo_queue_nothing_overtakes(sqs: Any, make_message: Make) -> None:
    sqs.answers("send_message_batch", arrived("2", x0="InternalError"))
    async with made(sqs, FIFO) as output:
        messages = [make_message(device=1 + number // 2, number=number) for number in range(3)]
        failures = await output.publish(messages)
    assert set(failures) == {0, 1}
    sqs.done()


def test_the_queue_is_a_template() -> None:
    assert KIND.templates({"queueUrl": QUEUE, "useBase64": True}) == {"queueUrl": QUEUE}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"queueUrl": "uplinks"}, {"queueUrl": QUEUE, "useBase64": "yes"}],
)
def test_parameters_that_cannot_be_used_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(RuleError, match=r"queueUrl|queue_url|useBase64"):
        checked({"sqs": parameters})
