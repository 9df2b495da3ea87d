"""A NATS server, started here on a free loopback port."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import nats
import pytest
import trustme

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Message

sys.path.insert(0, str(Path(__file__).parent))
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


def parameters(running: Program, **more: Any) -> dict[str, Any]:
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
    found = []
    for _ in range(info.state.messages):
        document = json.loads((await subscription.next_msg(5)).data)
        found.append((document["device"], document["n"]))
    await client.close()
    return found


@pytest.mark.xfail(
    strict=False, reason="after a restart the stream lacks messages in about one run of three"
)
async def test_stream_gets_everything_once_and_in_order_through_all_troubles(
    tmp_path: Path, running: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    await (await with_stream(running)).close()
    output = made("nats", parameters(running, jetStream=True, stream="UP"), tmp_path)
    async with output:
        result = await carry(
            output,
            each=80,
            fill=subject,
            # Not killed: a single server answers before its own buffers are written.
            troubles=[running.restart, running.freeze, running.restart],
        )
    again = check_arrivals(await stored(running), 20, 80)
    assert result.rejected == []
    assert result.unavailable > 0
    assert again == 0
    with capsys.disabled():
        print(f"\nnats, JetStream: {result}, {again} twice")


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
