from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from bittern.config import Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.http import KIND
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.port import Message, Output
from bittern.types import EUI64


class Receiver:
    """Answers by its script, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[web.Response] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.path_qs, dict(request.headers), await request.read()))
        return self.answers.pop(0) if self.answers else web.Response()


Serve = Callable[..., Awaitable[None]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = await started(receiver)
    yield receiver
    await runner.cleanup()


async def started(receiver: Receiver, context: ssl.SSLContext | None = None) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
    return runner


@pytest.fixture
def world(output: Output, tmp_path: Path) -> Surroundings:
    (tmp_path / "secrets").mkdir()
    return Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )


def message(number: int, device: int = 1, **parameters: str) -> Message:
    body = json.dumps({"n": number}).encode()
    return Message("", body, f"m{number}", parameters, EUI64.from_int(device))


async def test_message_is_posted_as_json_with_its_id(
    receiver: Receiver, world: Surroundings
) -> None:
    parameters = {
        "url": receiver.url + "/${x}",
        "headers": [{"key": "X-Site", "value": "${site}"}],
    }
    assert KIND.templates(parameters).keys() == {"url", "headers.0.key", "headers.0.value"}
    filled = {"url": receiver.url + "/a?b=c d", "headers.0.value": "lake"}
    async with KIND.make("r/0", parameters, world) as output:
        sent = message(1, **filled)
        assert await output.publish([sent, Message("", b"\xff", "m2", filled)]) == {}
    first, second = sorted(receiver.requests, key=lambda one: one[1]["Bittern-Message-Id"])
    assert first[0] == "/a?b=c%20d" or first[0] == "/a?b=c+d"
    assert first[1]["X-Site"] == "lake"
    assert first[1]["Content-Type"] == "application/json"
    assert first[2] == b'{"n": 1}'
    assert second[1]["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, DeliveryRejected),
        (403, DeliveryRejected),
        (307, DeliveryRejected),
        (408, DeliveryUnavailable),
        (429, DeliveryUnavailable),
        (500, DeliveryUnavailable),
        (503, DeliveryUnavailable),
    ],
)
async def test_status_says_whether_to_try_again(
    receiver: Receiver, world: Surroundings, status: int, kind: type[Exception]
) -> None:
    headers = {"Location": receiver.url + "/elsewhere"}
    receiver.answers = [web.Response(status=status, text="word " * 100, headers=headers)]
    async with KIND.make("r/0", {"url": receiver.url}, world) as output:
        failures = await output.publish([message(1)])
    assert isinstance(failures[0], kind)
    assert f"status {status}" in failures[0].reason
    assert len(failures[0].reason) < 250
    assert len(receiver.requests) == 1


async def test_behind_a_message_that_waits_its_device_waits(
    receiver: Receiver, world: Surroundings
) -> None:
    receiver.answers = [web.Response(status=503)]
    async with KIND.make("r/0", {"url": receiver.url}, world) as output:
        failures = await output.publish([message(1), message(2), message(3)])
    assert sorted(failures) == [0, 1, 2]
    assert [json.loads(body)["n"] for _, _, body in receiver.requests] == [1]


async def test_nobody_there_is_unavailable(world: Surroundings) -> None:
    async with KIND.make("r/0", {"url": "http://127.0.0.1:1"}, world) as output:
        failures = await output.publish([message(1), message(2, device=2)])
        assert all(isinstance(failure, DeliveryUnavailable) for failure in failures.values())
        assert len(failures) == 2
        assert not output.health().working


async def test_batches_are_json_arrays_in_order(receiver: Receiver, world: Surroundings) -> None:
    parameters = {
        "url": receiver.url,
        "enableBatching": True,
        "batchConfig": {"maxBatchSize": 3, "maxBatchSizeBytes": 1000},
    }
    messages = [message(number) for number in range(5)]
    messages.insert(4, Message("", b"raw", "raw"))
    async with KIND.make("r/0", parameters, world) as output:
        assert await output.publish(messages) == {}
    assert [body for _, _, body in receiver.requests] == [
        b'[{"n": 0},{"n": 1},{"n": 2}]',
        b'[{"n": 3}]',
        b"raw",
        b'[{"n": 4}]',
    ]
    assert receiver.requests[0][1]["Bittern-Message-Id"] == "m0,m1,m2"


async def test_batch_has_no_more_bytes_than_it_may(receiver: Receiver, world: Surroundings) -> None:
    parameters = {
        "url": receiver.url,
        "enableBatching": True,
        "batchConfig": {"maxBatchSizeBytes": 100},
    }
    messages = [Message("", b'"%s"' % (b"x" * 40), f"m{n}") for n in range(4)]
    async with KIND.make("r/0", parameters, world) as output:
        assert await output.publish(messages) == {}
    assert all(len(body) <= 100 for _, _, body in receiver.requests)
    assert len(receiver.requests) == 2


async def test_behind_a_batch_that_waits_all_wait(receiver: Receiver, world: Surroundings) -> None:
    receiver.answers = [web.Response(), web.Response(status=500)]
    parameters = {"url": receiver.url, "enableBatching": True, "batchConfig": {"maxBatchSize": 2}}
    async with KIND.make("r/0", parameters, world) as output:
        failures = await output.publish([message(number) for number in range(6)])
    assert sorted(failures) == [2, 3, 4, 5]
    assert len(receiver.requests) == 2


async def test_message_does_not_choose_another_receiver(
    receiver: Receiver, world: Surroundings
) -> None:
    parameters = {"url": receiver.url + "/${x}", "confirmationUrl": receiver.url + "/"}
    async with KIND.make("r/0", parameters, world) as output:
        failures = await output.publish([message(1, url="http://127.0.0.1:1/")])
    assert isinstance(failures[0], DeliveryRejected)


async def test_header_that_would_be_two_is_rejected(
    receiver: Receiver, world: Surroundings
) -> None:
    parameters = {"url": receiver.url, "headers": [{"key": "a", "value": "${x}"}]}
    async with KIND.make("r/0", parameters, world) as output:
        failures = await output.publish([message(1, **{"headers.0.value": "x\r\nHost: y"})])
    assert isinstance(failures[0], DeliveryRejected)
    assert receiver.requests == []


async def test_token_is_read_for_each_batch(receiver: Receiver, world: Surroundings) -> None:
    parameters = {"url": receiver.url, "auth": {"bearer": {"tokenFile": "token"}}}
    async with KIND.make("r/0", parameters, world) as output:
        with pytest.raises(DeliveryUnavailable, match="secrets/token"):
            await output.publish([message(1)])
        for token in ("one", "two"):
            (world.data_dir / "secrets/token").write_text(token)
            assert await output.publish([message(1)]) == {}
    sent = [headers["Authorization"] for _, headers, _ in receiver.requests]
    assert sent == ["Bearer one", "Bearer two"]


async def test_request_is_signed_as_aws_wants_it(
    receiver: Receiver, world: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    signing = {"signingRegion": "eu-west-1", "serviceName": "execute-api", "roleArn": "arn"}
    async with KIND.make("r/0", {"url": receiver.url, "auth": {"sigv4": signing}}, world) as output:
        assert await output.publish([message(1)]) == {}
    [(_, headers, _)] = receiver.requests
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert "hush" not in str(headers)


async def test_certificates_of_both_sides(world: Surroundings) -> None:
    authority = trustme.CA()
    folder = world.data_dir / "secrets"
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("x").private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    receiver = Receiver()
    runner = await started(receiver, context)
    tls = {"ca": "ca.pem", "certificate": "own.pem", "key": "own.pem"}
    async with (
        KIND.make("r/0", {"url": receiver.url, "tls": tls}, world) as known,
        KIND.make("r/1", {"url": receiver.url, "tls": {"ca": "ca.pem"}}, world) as unknown,
        KIND.make("r/2", {"url": receiver.url}, world) as distrustful,
    ):
        assert await known.publish([message(1)]) == {}
        assert isinstance((await unknown.publish([message(2)]))[0], DeliveryUnavailable)
        assert isinstance((await distrustful.publish([message(3)]))[0], DeliveryUnavailable)
    await runner.cleanup()
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "missing required field url"),
        ({"url": "ftp://x"}, "url: http"),
        ({"url": "http://a:b@x/"}, "no name or password"),
        ({"url": "http://x/", "confirmationUrl": "http://y/"}, "confirmationUrl"),
        ({"url": "http://x${y}/", "confirmationUrl": "http://x/"}, "confirmationUrl"),
        ({"url": "http://x", "headers": [{"key": "Host", "value": "y"}]}, "no header"),
        ({"url": "http://x", "headers": [{"key": "a b", "value": "y"}]}, "no header"),
        ({"url": "http://x", "headers": [{"key": "a", "value": "\n"}]}, "control character"),
        ({"url": "http://x", "auth": {"bearer": {}}}, "one of tokenFile"),
        ({"url": "http://x", "auth": {"bearer": {"tokenFile": "/x"}}}, "tokenFile"),
        ({"url": "http://x", "batchConfig": {"maxBatchSize": 11}}, "maxBatchSize"),
        ({"url": "http://x", "tls": {"key": "x"}}, "come together"),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(
    parameters: dict[str, Any], told: str
) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"http": parameters})
