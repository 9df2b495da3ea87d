"""The embedded broker's TLS listener with the clients that people use: by password, and by
certificates as the command line issues them."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from bittern.cli import app
from bittern.config import Configuration, Mqtt, Secret
from bittern.config.layout import Layout
from bittern.installation import authorities, server_certificate
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings
from bittern.outputs.port import Message
from bittern.pki.fingerprints import certificate_id
from bittern.pki.issuing import issue_gateway_certificate
from bittern.pki.rotation import state_changed_at
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.servers.transport import Identity, Transport
from bittern.types import EUI64, GatewayEUI, Instant

pytestmark = pytest.mark.integration

needs_mosquitto_clients = pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed"
)
NOT_AUTHORIZED, RECEIVED_IN_VAIN = 5, 27
"""How mosquitto_sub ends: refused, or nothing came in the time of -W."""


def bittern(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITTERN_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def password(data_dir: Path) -> str:
    return bittern("mqtt", "user", "add", "lake", "--subscribe", "site/#", "--publish", "in/%u/#")


@pytest.fixture
def shown(data_dir: Path, password: str, tmp_path: Path) -> Path:
    """Folder of the files of the user `lake`."""
    bittern("mqtt", "certificate", "lake", "--files", tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
async def broker(data_dir: Path, shown: Path) -> AsyncIterator[EmbeddedBroker]:
    configuration, layout = Configuration(data_dir=data_dir), Layout(data_dir)
    now = Instant(time.time())

    def opened() -> Identity:
        signed_by = authorities(configuration, now)
        return Identity(signed_by, server_certificate(configuration, signed_by, now))

    transport = Transport(opened, lambda: state_changed_at(layout.pki))
    broker = EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=BrokerFiles(
            password=layout.mqtt_password,
            users=layout.mqtt_users,
            sessions=layout.mqtt_sessions,
        ),
        sealer=KeyRing({1: b"k" * 32}),
        now=lambda: Instant(time.time()),
        tls=lambda make, on_failed: Acceptor(
            make,
            transport.client_listener(),
            host="127.0.0.1",
            port=0,
            limits=AcceptorLimits(),
            on_failed=on_failed,
        ),
    )
    async with broker:
        yield broker


async def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def run(*command: object) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *[str(one) for one in command],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode()


def program(name: str, broker: EmbeddedBroker, shown: Path, *arguments: object) -> list[object]:
    return [
        *[name, "-h", "127.0.0.1", "-p", broker.tls_port, "--cafile", shown / "ca.crt"],
        *arguments,
    ]


def by_certificate(shown: Path) -> list[object]:
    return ["--cert", shown / "lake.crt", "--key", shown / "lake.key"]


@needs_mosquitto_clients
@pytest.mark.parametrize("means", ["password", "certificate", "certificate and name"])
async def test_mosquitto_sub_and_pub_log_in_over_tls(
    broker: EmbeddedBroker, shown: Path, password: str, means: str
) -> None:
    login = {
        "password": ["-u", "lake", "-P", password],
        "certificate": by_certificate(shown),
        "certificate and name": [*by_certificate(shown), "-u", "lake"],
    }[means]
    sub = program("mosquitto_sub", broker, shown, *login, "-t", "site/#", "-q", "1")
    receiving = asyncio.create_task(run(*sub, "-C", "2", "-W", "15"))
    await until(lambda: broker.hub.subscriber_count)
    await broker.publish([Message("site/x", b"1"), Message("site/y", b"2")])
    assert await receiving == (0, "1\n2\n")
    pub = program("mosquitto_pub", broker, shown, *login, "-q", "1", "-m", "x")
    assert await run(*pub, "-t", "in/lake/x") == (0, "")
    assert broker.statistics()["denied_publishes"] == 0
    assert await run(*pub, "-t", "in/other/x") == (0, "")
    assert broker.statistics()["denied_publishes"] == 1


@needs_mosquitto_clients
@pytest.mark.parametrize(
    "login",
    [[], ["-u", "lake"], ["-u", "lake", "-P", "wrong"], ["-u", "bittern", "-P", "bittern"]],
)
async def test_mosquitto_sub_is_refused_over_tls_without_either(
    broker: EmbeddedBroker, shown: Path, login: list[str]
) -> None:
    code, output = await run(
        *program("mosquitto_sub", broker, shown, *login, "-t", "site/#", "-W", "15")
    )
    assert code not in (0, RECEIVED_IN_VAIN)
    assert "refused" in output.lower()


@needs_mosquitto_clients
async def test_mosquitto_sub_is_told_what_it_may_not_subscribe_to(
    broker: EmbeddedBroker, shown: Path
) -> None:
    sub = program("mosquitto_sub", broker, shown, *by_certificate(shown), "-d", "-W", "2")
    for topic_filter in ("#", "$aws/#", "other/x"):
        _, output = await run(*sub, "-t", topic_filter)
        assert "All subscription requests were denied" in output
    assert broker.statistics()["denied_subscriptions"] == 3


@needs_mosquitto_clients
async def test_certificate_of_a_gateway_logs_nobody_in(
    broker: EmbeddedBroker, shown: Path, data_dir: Path, tmp_path: Path
) -> None:
    now = Instant(time.time())
    signer = authorities(Configuration(data_dir=data_dir), now).issuing
    issued = issue_gateway_certificate(signer, GatewayEUI(EUI64.from_int(1)), now)
    (tmp_path / "gateway.crt").write_bytes(issued.certificate_pem)
    (tmp_path / "gateway.key").write_bytes(issued.private_key_pem())
    files = ["--cert", tmp_path / "gateway.crt", "--key", tmp_path / "gateway.key"]
    code, output = await run(
        *program("mosquitto_sub", broker, shown, *files, "-t", "site/#", "-W", "15")
    )
    assert (code, "not authorised" in output) == (NOT_AUTHORIZED, True)


@needs_mosquitto_clients
async def test_revoked_certificate_ends_its_connection_and_gets_in_no_more(
    broker: EmbeddedBroker, shown: Path
) -> None:
    sub = program("mosquitto_sub", broker, shown, *by_certificate(shown), "-t", "site/#")
    receiving = asyncio.create_task(run(*sub, "-W", "15"))
    await until(lambda: broker.hub.subscriber_count)
    der = ssl.PEM_cert_to_DER_cert((shown / "lake.crt").read_text())
    await asyncio.to_thread(bittern, "mqtt", "revoke", "lake", certificate_id(der))
    code, output = await receiving
    assert (code, "not authorised" in output) == (NOT_AUTHORIZED, True)


@needs_mosquitto_clients
async def test_client_that_does_not_trust_the_authority_is_told_of_in_the_log(
    broker: EmbeddedBroker, shown: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    trustme.CA().cert_pem.write_to_path(str(shown / "ca.crt"))
    code, _ = await run(*program("mosquitto_sub", broker, shown, "-t", "site/#", "-W", "15"))
    assert code != 0
    await until(lambda: broker.statistics()["failed_handshakes"])
    assert "TLS refused by the other end" in caplog.text


def context(shown: Path, *, certificate: bool) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=shown / "ca.crt")
    if certificate:
        made.load_cert_chain(shown / "lake.crt", shown / "lake.key")
    return made


@pytest.mark.parametrize("by", ["password", "certificate"])
async def test_aiomqtt_logs_in_over_tls(
    broker: EmbeddedBroker, shown: Path, password: str, by: str
) -> None:
    login = {"username": "lake", "password": password} if by == "password" else {}
    client = aiomqtt.Client(
        "127.0.0.1",
        broker.tls_port or 0,
        tls_context=context(shown, certificate=by == "certificate"),
        **login,
    )
    async with client:
        await client.subscribe("site/#", qos=1)
        await broker.publish([Message("site/x", b"1")])
        message = await anext(client.messages)
        assert (message.topic.value, message.payload) == ("site/x", b"1")


@pytest.mark.parametrize("by", ["password", "certificate"])
async def test_paho_logs_in_over_tls_with_a_durable_session(
    broker: EmbeddedBroker, shown: Path, password: str, by: str
) -> None:
    received: list[bytes] = []
    granted: list[object] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="lake", clean_session=False)
    client.tls_set_context(context(shown, certificate=by == "certificate"))
    if by == "password":
        client.username_pw_set("lake", password)
    client.on_connect = lambda *_: client.subscribe([("site/#", 1), ("elsewhere", 1)])
    client.on_subscribe = lambda _client, _data, _id, codes, _: granted.extend(codes)
    client.on_message = lambda _client, _data, message: received.append(message.payload)
    await asyncio.to_thread(client.connect, "127.0.0.1", broker.tls_port or 0)
    client.loop_start()
    try:
        await until(lambda: granted)
        assert [str(code) for code in granted] == ["Granted QoS 1", "Unspecified error"]
        for number in range(100):
            await broker.publish([Message("site/x", b"%d" % number)])
        await until(lambda: len(received) == 100)
    finally:
        await asyncio.to_thread(client.disconnect)
        client.loop_stop()
    assert received == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("by", ["password", "certificate"])
async def test_our_own_client_logs_in_over_tls(
    broker: EmbeddedBroker, shown: Path, password: str, by: str
) -> None:
    """What bittern does with a broker of others it can do with one of its own."""
    login = {"username": "lake", "password": Secret(password)}
    files = {"certificate": shown / "lake.crt", "key": shown / "lake.key"}
    settings = Mqtt(
        url=f"mqtts://127.0.0.1:{broker.tls_port}",
        ca=shown / "ca.crt",
        **(login if by == "password" else files),  # type: ignore[arg-type]
    )
    async with MqttOutput(mqtt_settings(settings), lambda: 0.5) as output:
        await until(lambda: output.health().working)
        assert await output.publish([Message("in/lake/x", b"1")]) == {}
        assert broker.statistics()["denied_publishes"] == 0
