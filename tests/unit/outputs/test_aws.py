from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryUnavailable
from bittern.outputs.aws import AwsClient, connect, endpoint_of, region_of
from bittern.outputs.aws_errors import AwsRejected, Unreachable


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")


async def test_an_answer_comes_from_a_thread(stubbed_aws: Any) -> None:
    sqs = stubbed_aws("sqs")
    sqs.answers("get_queue_url", {"QueueUrl": "http://q"}, QueueName="q")
    client = AwsClient("sqs", Aws(), region="eu-west-1", connect=sqs.connect)
    assert (await client.call("get_queue_url", QueueName="q"))["QueueUrl"] == "http://q"
    assert sqs.asked_for == ("sqs", "eu-west-1")
    assert client.calls == 1
    await client.close()


async def test_an_error_is_put_into_our_words(stubbed_aws: Any) -> None:
    sqs = stubbed_aws("sqs")
    sqs.fails("get_queue_url", "QueueDoesNotExist")
    client = AwsClient("sqs", Aws(), connect=sqs.connect)
    with pytest.raises(AwsRejected, match="get_queue_url: QueueDoesNotExist"):
        await client.call("get_queue_url", QueueName="q")
    await client.close()


async def test_one_client_is_made_and_calls_are_bounded() -> None:
    running, most, made = 0, 0, 0
    lock, gate = threading.Lock(), threading.Event()

    class Service:
        def work(self) -> dict[str, Any]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
                if running == 3:
                    gate.set()
            gate.wait(5)
            with lock:
                running -= 1
            return {}

        def close(self) -> None: ...

    def connected(*_: object) -> Service:
        nonlocal made
        made += 1
        return Service()

    client = AwsClient("sqs", Aws(calls=3), connect=connected)
    await asyncio.gather(*(client.call("work") for _ in range(9)))
    assert (most, made) == (3, 1)
    await client.close()


async def test_a_closed_client_takes_no_calls(stubbed_aws: Any) -> None:
    client = AwsClient("sqs", Aws(), connect=stubbed_aws("sqs").connect)
    await client.close()
    with pytest.raises(DeliveryUnavailable):
        await client.call("list_queues")


async def test_what_only_an_operator_can_mend_waits_for_it() -> None:
    missing = AwsClient("sqs", Aws(profile="missing", region="eu-west-1"), connect=connect)
    with pytest.raises(Unreachable, match="missing"):
        await missing.call("list_queues")
    nowhere = AwsClient("sqs", Aws(), connect=connect)
    with pytest.raises(Unreachable, match="region"):
        await nowhere.call("list_queues")


def test_a_client_is_made_as_configured() -> None:
    settings = Aws(endpoints={"s3": "http://127.0.0.1:9"}, connect_timeout_s=2, read_timeout_s=3)
    client = connect("s3", settings, None)
    about = client.meta.config
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "us-east-1"
    assert (about.connect_timeout, about.read_timeout) == (2, 3)
    assert about.retries["total_max_attempts"] == 1
    assert about.s3["addressing_style"] == "path"
    client.close()


def test_the_region_of_the_receiver_goes_first() -> None:
    client = connect("sns", Aws(region="eu-west-1"), "ap-northeast-1")
    assert client.meta.endpoint_url == "https://sns.ap-northeast-1.amazonaws.com"
    client.close()


def test_credentials_are_in_no_text() -> None:
    client = AwsClient("sqs", Aws(), connect=connect)
    assert "secret" not in repr(client) + repr(client.__dict__)


def test_an_endpoint_of_a_service_goes_before_that_of_all() -> None:
    settings = Aws(endpoint_url="http://all", endpoints={"sqs": "http://queues"})
    assert endpoint_of("sqs", settings) == "http://queues"
    assert endpoint_of("s3", settings) == "http://all"
    assert endpoint_of("s3", Aws()) is None


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:t", "eu-west-1"),
        ("arn:aws:sns:${region}:123456789012:t", None),
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/q", "eu-central-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("http://127.0.0.1:5000/123456789012/q", None),
        ("function-name", None),
        ("arn:aws", None),
    ],
)
def test_a_name_tells_its_region(name: str, region: str | None) -> None:
    assert region_of(name) == region
