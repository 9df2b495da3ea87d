"""A NATS server, started here on a free loopback port."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
import trustme

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Failures, Message, Output

sys.path.insert(0, str(Path(__file__).parent))
from chaos_proxy import Proxy
from output_chaos import Program, carry, check_arrivals, free_port, made

PROGRAM = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="nats-server is not installed"),
]


def server(folder: Path, text: str = "") -> Program:
    assert PROGRAM is not None
    port = free_port()
    configuration = folder / "nats.conf"
    configuration.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}/kept" }}\n{text}'
    )
    return Program([PROGRAM, "-c", str(configuration)], port)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    async with server(tmp_path) as program:
        yield program


@pytest.fixture
async def proxy(running: Program) -> AsyncIterator[Proxy]:
    """In front of the server; busy, it says what a server says that has too many clients."""
    busy = b"-ERR 'maximum connections exceeded'\r\n"
    async with Proxy(free_port(), running.port, busy=busy) as way:
        yield way


def parameters(running: Program | Proxy, **more: Any) -> dict[str, Any]:
    return {"servers": [f"nats://127.0.0.1:{running.port}"], "subject": "up.${x}", **more}


def subject(device: int, number: int) -> Mapping[str, str]:
    return {"subject": f"up.{device}"}


async def with_stream(running: Program, **options: Any) -> nats.NATS:
    client = await nats.connect(f"nats://127.0.0.1:{running.port}")
    await client.jetstream().add_stream(name="UP", subjects=["up.>"], **options)
    return client


async def stored(running: Program) -> list[tuple[int, int]]:
    client = await nats.connect(f"nats://127.0.0.1:{running.port}")
    subscription = await client.jetstream().subscribe("up.>", ordered_consumer=True)
    info = await client.jetstream().stream_info("UP")
    found = [read((await subscription.next_msg(5)).data) for _ in range(info.state.messages)]
    await client.close()
    return found


def read(data: bytes) -> tuple[int, int]:
    document = json.loads(data)
    return document["device"], document["n"]


async def be_full(running: Program, seconds: float = 0.5) -> None:
    """The stream takes only a little more for a while, and loses nothing of what it has."""
    client = await nats.connect(f"nats://127.0.0.1:{running.port}")
    streams = client.jetstream()
    info = await streams.stream_info("UP")
    await streams.update_stream(info.config, max_msgs=info.state.messages + 200)
    await asyncio.sleep(seconds)
    await streams.update_stream(info.config, max_msgs=-1)
    await client.close()


async def test_stream_gets_everything_once_and_in_order_through_all_troubles(
    tmp_path: Path, running: Program, proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    await (await with_stream(running, discard="new")).close()

    async def full() -> None:
        await be_full(running)

    output = made("nats", parameters(proxy, jetStream=True, stream="UP"), tmp_path)
    async with output:
        result = await carry(
            output,
            each=160,
            fill=subject,
            troubles=[
                running.restart,
                proxy.slow,
                full,
                running.freeze,
                proxy.be_busy,
                running.restart,
                proxy.lose_answers,
                running.kill,
            ],
        )
    again = check_arrivals(await stored(running), 20, 160)
    assert result.rejected == []
    assert result.unavailable > 0
    assert again == 0
    assert all(proxy.spoiled[kind] for kind in ("slow", "busy", "loses_answers"))
    with capsys.disabled():
        print(f"\nnats, JetStream: {result}, {again} twice, {proxy.spoiled}")


class Subscriber:
    """Writes down what comes, and since when the server knows it after a restart."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, int]] = []
        self.back_at = 0.0

    @asynccontextmanager
    async def listening(self, running: Program) -> AsyncIterator[nats.NATS]:
        async def take(message: Any) -> None:
            self.arrived.append(read(message.data))

        async def back() -> None:
            await client.flush()
            self.back_at = time.monotonic()

        async def complained(_: Exception) -> None:
            pass  # That the server is away.

        client = await nats.connect(
            f"nats://127.0.0.1:{running.port}",
            reconnect_time_wait=0.05,
            max_reconnect_attempts=-1,
            reconnected_cb=back,
            error_cb=complained,
        )
        await client.subscribe("up.>", cb=take)
        await client.flush()
        yield client
        await client.flush()
        await client.close()


async def test_subscriber_that_stays_gets_everything_in_order_through_all_troubles(
    tmp_path: Path, running: Program, proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    subscriber = Subscriber()
    async with (
        subscriber.listening(running),
        made("nats", parameters(proxy), tmp_path) as output,
    ):
        result = await carry(
            output,
            each=160,
            fill=subject,
            troubles=[
                proxy.restart,
                proxy.slow,
                proxy.be_busy,
                running.freeze,
                proxy.lose_answers,
            ],
        )
    again = check_arrivals(subscriber.arrived, 20, 160)
    assert result.rejected == []
    assert result.unavailable > 0
    assert all(proxy.spoiled[kind] for kind in ("closed", "slow", "busy", "loses_answers"))
    with capsys.disabled():
        print(f"\nnats, subscriber: {result}, {again} twice, {proxy.spoiled}")


class Watch:
    """An output, and from when to when each message was on its way to the server."""

    def __init__(self, output: Output) -> None:
        self.name = output.name
        self.health = output.health
        self.statistics = output.statistics
        self.times: dict[tuple[int, int], tuple[float, float]] = {}
        self._output = output

    async def __aenter__(self) -> Watch:
        await self._output.__aenter__()
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await self._output.__aexit__(*reason)

    async def publish(self, messages: Sequence[Message]) -> Failures:
        began = time.monotonic()
        failures = await self._output.publish(messages)
        for place, message in enumerate(messages):
            if place not in failures:
                self.times[read(message.payload)] = began, time.monotonic()
        return failures


@pytest.mark.parametrize("signal", [15, 9])
async def test_without_a_stream_only_what_came_while_nobody_subscribed_is_lost(
    signal: int, tmp_path: Path, running: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server has it and gives it to nobody; that is all that NATS promises without a stream."""
    subscriber, stopped_at = Subscriber(), 0.0

    async def stop_and_start() -> None:
        nonlocal stopped_at
        stopped_at = time.monotonic()
        await running.stop(signal)
        await running.start()
        while subscriber.back_at < stopped_at:
            await asyncio.sleep(0.01)

    async with (
        subscriber.listening(running),
        Watch(made("nats", parameters(running), tmp_path)) as output,
    ):
        result = await carry(output, each=80, fill=subject, troubles=[stop_and_start])
    lost = set(output.times) - set(subscriber.arrived)
    assert result.rejected == []
    for message in lost:
        began, ended = output.times[message]
        assert began <= subscriber.back_at
        assert ended >= stopped_at
    firsts = list(dict.fromkeys(subscriber.arrived))
    for device in range(20):
        numbers = [number for of, number in firsts if of == device]
        assert numbers == sorted(numbers)
    again = len(subscriber.arrived) - len(firsts)
    with capsys.disabled():
        away = subscriber.back_at - stopped_at
        print(f"\nnats, signal {signal}: {result}, {again} twice, {len(lost)} in {away:.2f} s lost")


async def test_message_that_nobody_subscribes_to_counts_as_delivered(
    tmp_path: Path, running: Program
) -> None:
    async with made("nats", parameters(running), tmp_path) as output:
        assert await output.publish([Message("", b"1", "m1", {"subject": "up.a"})]) == {}
    client = await nats.connect(f"nats://127.0.0.1:{running.port}")
    subscription = await client.subscribe("up.*")
    with pytest.raises(nats.errors.TimeoutError):
        await subscription.next_msg(0.2)
    await client.close()


async def test_user_who_may_not_ask_for_streams_loses_nothing(tmp_path: Path) -> None:
    """It is not known whether a stream will be there; the message waits, until it is too old."""
    users = (
        "authorization { users = [{ user: lns, password: right,"
        ' permissions: { publish: ["up.a"] } }] }'
    )
    async with server(tmp_path, users) as running:
        login = parameters(running, username="lns", passwordFile="password", jetStream=True)
        async with made("nats", login, tmp_path) as output:
            (tmp_path / "secrets/password").write_text("right\n")
            messages = [Message("", b"1", f"m{name}", {"subject": f"up.{name}"}) for name in "ab"]
            began = time.monotonic()
            failures = await output.publish(messages[:1])
            failures |= {1: (await output.publish(messages[1:]))[0]}
            took_s = time.monotonic() - began
    assert isinstance(failures[0], DeliveryUnavailable)
    assert isinstance(failures[1], DeliveryRejected)
    assert took_s < 2


async def test_message_goes_to_subscribers_with_its_id_and_headers(
    tmp_path: Path, running: Program
) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{running.port}")
    subscription = await client.subscribe("up.*")
    await client.flush()
    with_headers = parameters(running, headers=[{"key": "Site", "value": "${site}"}])
    async with made("nats", with_headers, tmp_path) as output:
        filled = {"subject": "up.a", "headers.0.value": "lake"}
        assert await output.publish([Message("", b"1", "m1", filled)]) == {}
    received = await subscription.next_msg(5)
    assert (received.subject, received.data) == ("up.a", b"1")
    assert received.headers == {"Nats-Msg-Id": "m1", "Site": "lake"}
    await client.close()


async def test_second_copy_is_dropped_by_the_stream(tmp_path: Path, running: Program) -> None:
    client = await with_stream(running)
    async with made("nats", parameters(running, jetStream=True), tmp_path) as output:
        for _ in range(2):
            assert await output.publish([Message("", b"1", "m1", {"subject": "up.a"})]) == {}
    assert (await client.jetstream().stream_info("UP")).state.messages == 1
    await client.close()


async def test_what_a_stream_does_not_take_is_rejected(tmp_path: Path, running: Program) -> None:
    client = await with_stream(running, max_msg_size=100)
    async with made("nats", parameters(running, jetStream=True), tmp_path) as output:
        filled = {"subject": "up.a"}
        messages = [
            Message("", b"x" * 200, "large", filled),
            Message("", b"1", "small", filled),
            Message("", b"1", "lost", {"subject": "elsewhere"}),
            Message("", b"x" * 2_000_000, "huge", filled),
        ]
        failures = await output.publish(messages)
    assert sorted(failures) == [0, 2, 3]
    assert all(isinstance(failure, DeliveryRejected) for failure in failures.values())
    assert "no stream" in failures[2].reason
    await client.close()


async def test_full_stream_is_tried_again(tmp_path: Path, running: Program) -> None:
    client = await with_stream(running, max_msgs=1, discard="new")
    async with made("nats", parameters(running, jetStream=True), tmp_path) as output:
        filled = {"subject": "up.a"}
        messages = [Message("", b"1", "m1", filled), Message("", b"2", "m2", filled)]
        failures = await output.publish(messages)
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryUnavailable)
    await client.close()


async def test_login_is_by_name_and_password_and_has_its_permissions(tmp_path: Path) -> None:
    users = (
        "authorization { users = [{ user: lns, password: right,"
        ' permissions: { publish: ["up.a"] } }] }'
    )
    async with server(tmp_path, users) as running:
        login = parameters(running, username="lns", passwordFile="password")
        async with made("nats", login, tmp_path) as output:
            (tmp_path / "secrets/password").write_text("wrong\n")
            with pytest.raises(DeliveryUnavailable, match=r"(?i)authorization"):
                await output.publish([Message("", b"1", "m1", {"subject": "up.a"})])
            (tmp_path / "secrets/password").write_text("right\n")
            messages = [Message("", b"1", "m", {"subject": f"up.{name}"}) for name in "ab"]
            failures = await output.publish(messages)
        assert {place: failure.reason for place, failure in failures.items()} == {
            1: "not allowed to publish to up.b"
        }


async def test_certificates_of_both_sides(tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "secrets").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "secrets/ca.pem")
    for name, folder in (("127.0.0.1", tmp_path), ("lns", tmp_path / "secrets")):
        issued = authority.issue_cert(name)
        issued.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    tls = (
        f'tls {{ cert_file: "{tmp_path}/own.pem", key_file: "{tmp_path}/own.pem",'
        f' ca_file: "{tmp_path}/secrets/ca.pem", verify: true }}'
    )
    async with server(tmp_path, tls) as running:
        own = {"ca": "ca.pem", "certificate": "own.pem", "key": "own.pem"}
        message = Message("", b"1", "m1", {"subject": "up.a"})
        async with (
            made("nats", parameters(running, tls=own), tmp_path) as known,
            made("nats", parameters(running, tls={"ca": "ca.pem"}), tmp_path) as unknown,
            made("nats", parameters(running, tls={}), tmp_path) as distrustful,
        ):
            assert await known.publish([message]) == {}
            for output in (unknown, distrustful):
                with pytest.raises(DeliveryUnavailable):
                    await output.publish([message])
