from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.outputs.s3 import KIND, S3Form, S3Output

Make = Callable[..., Message]
PARAMETERS = {"bucketName": "uplinks", "key": "${topic(3)}/latest", "roleArn": "arn:aws:iam::1:r"}


@pytest.fixture
def s3(stubbed_aws: Any) -> Any:
    return stubbed_aws("s3")


def made(s3: Any, **more: object) -> S3Output:
    return S3Output("rule/1", read(PARAMETERS | more, S3Form), Aws(calls=1), connect=s3.connect)


async def test_a_message_becomes_an_object(s3: Any, make_message: Make) -> None:
    s3.answers(
        "put_object",
        {},
        Bucket="uplinks",
        Key="a/latest",
        Body=b"1",
        ACL="private",
        Metadata={"Bittern-Message-Id": "m1"},
    )
    async with made(s3, cannedAcl="private") as output:
        assert await output.publish([make_message("1", key="a/latest")]) == {}
    s3.done()


async def test_the_bucket_may_be_a_template(s3: Any, make_message: Make) -> None:
    metadata = {"Bittern-Message-Id": "m1"}
    s3.answers("put_object", {}, Bucket="b2", Key="k", Body=b"1", Metadata=metadata)
    async with made(s3) as output:
        assert await output.publish([make_message("1", key="k", bucketName="b2")]) == {}
    s3.done()


async def test_under_one_key_the_last_message_of_a_device_stays(
    s3: Any, make_message: Make
) -> None:
    for number in (1, 2):
        s3.answers(
            "put_object",
            {},
            Bucket="uplinks",
            Key="k",
            Body=str(number).encode(),
            Metadata={"Bittern-Message-Id": f"m{number}"},
        )
    async with made(s3) as output:
        messages = [make_message(str(number), number=number, key="k") for number in (1, 2)]
        assert await output.publish(messages) == {}
    s3.done()


async def test_failures_are_told_from_each_other(s3: Any, make_message: Make) -> None:
    s3.fails("put_object", "NoSuchBucket", 404)
    s3.fails("put_object", "SlowDown", 503)
    async with made(s3) as output:
        failures = await output.publish([make_message(key="k"), make_message(device=2, key="k")])
    assert isinstance(failures[0], DeliveryRejected)
    assert isinstance(failures[1], DeliveryUnavailable)


@pytest.mark.parametrize("key", ["", "k" * 1025])
async def test_a_key_that_none_can_be_is_rejected(s3: Any, make_message: Make, key: str) -> None:
    async with made(s3) as output:
        failures = await output.publish([make_message(key=key)])
    assert isinstance(failures[0], DeliveryRejected)


def test_bucket_and_key_are_templates() -> None:
    assert KIND.templates(PARAMETERS) == {"bucketName": "uplinks", "key": "${topic(3)}/latest"}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"cannedAcl": "everyone"}, "cannedAcl"),
        ({"key": ""}, "key"),
        ({"bucket": "x"}, "bucket"),
        ({"key": 1}, "key"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(more: dict[str, object], problem: str) -> None:
    with pytest.raises(RuleError, match=problem):
        checked({"s3": PARAMETERS | more})
