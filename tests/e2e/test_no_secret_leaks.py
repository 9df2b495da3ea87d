"""Everything that a busy server leaves behind is read in search of keys and payloads, every byte.

The data directory, the log at its most talkative, metrics, the feed, answers of the API to a key
that may not read keys, other topics of the broker, and a backup. A core dump of a living process
holds keys, so there must be none.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import paho.mqtt.client as mqtt
import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Abp, Joined, Otaa, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.testing.program import Program, free_ports
from bittern.types import EUI64, AppKey, DevAddr, DevEUI, GatewayEUI, JoinEUI

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
REGION = "IN865"
"""Without a duty cycle: nobody has to wait."""
APP_KEY = bytes.fromhex("9c1185a5c5e9fc54612808977ee8f548")
NWK_S_KEY = bytes.fromhex("d1f3a7c05e8846b29f0e6b7c8d9aa5e1")
APP_S_KEY = bytes.fromhex("7be2c4960d1f4a83b5972e6c40d8f3a9")
UPLINK = b"uplink: level 17.3 m, valve 4"
AWAITED = b"downlink that nobody fetches"
SENT = b"downlink that goes out"


def spelled(secret: bytes) -> Iterator[bytes]:
    """As it is and backwards (little endian), raw, in hexadecimal, and in base64 at any place."""
    for order in (secret, secret[::-1]):
        yield order
        yield order.hex().encode()
        yield order.hex().upper().encode()
        yield order.hex(" ").encode()
        for shift in range(3):
            text = base64.b64encode(bytes(shift) + order)
            yield text[4 if shift else 0 : -4]
            yield text[4 if shift else 0 : -4].translate(bytes.maketrans(b"+/", b"-_"))


def found(content: bytes, secrets: dict[str, bytes]) -> list[str]:
    return [
        name for name, secret in secrets.items() if any(one in content for one in spelled(secret))
    ]


def devices() -> tuple[SimulatedDevice, SimulatedDevice]:
    region = device_region(REGION)
    return (
        SimulatedDevice(
            dev_eui=DevEUI(EUI64.from_int(0x70B3D57ED0000010)),
            activation=Otaa(join_eui=JOIN_EUI, app_key=AppKey(APP_KEY)),
            version=MacVersion.LORAWAN_1_0_3,
            region=region,
            chance=random.Random(1),
        ),
        SimulatedDevice(
            dev_eui=DevEUI(EUI64.from_int(0x70B3D57ED0000020)),
            activation=Abp(
                dev_addr=DevAddr.from_hex("01000001"), keys=SessionKeys.of_1_0(NWK_S_KEY, APP_S_KEY)
            ),
            version=MacVersion.LORAWAN_1_0_3,
            region=region,
            chance=random.Random(2),
        ),
    )


class Listener:
    """Hears everything but the destination."""

    def __init__(self, program: Program) -> None:
        self.heard = b""
        self.delivered: list[dict[str, Any]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener")
        password = (program.folder / "data/mqtt.password").read_text().strip()
        self._client.username_pw_set("bittern", password)
        self._client.on_connect = lambda client, *_: client.subscribe([("#", 1), ("$SYS/#", 0)])
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", program.ports["MQTT"])
        self._client.loop_start()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic == "bittern/uplink":
            self.delivered.append(json.loads(message.payload))
        else:
            self.heard += message.topic.encode() + b" " + message.payload + b"\n"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def answers(program: Program, key: dict[str, str], euis: list[str]) -> bytes:
    """What the API tells a program that may look, but not at keys."""
    client = boto3.client(
        "iotwireless",
        endpoint_url=f"http://127.0.0.1:{program.ports['API']}",
        region_name="us-east-1",
        aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"],
    )
    told = [
        client.list_wireless_devices(),
        client.list_destinations(),
        client.list_device_profiles(),
    ]
    for eui in euis:
        device = client.get_wireless_device(Identifier=eui, IdentifierType="DevEui")
        told.append(device)
        told.append(client.get_wireless_device_statistics(WirelessDeviceId=device["Id"]))
        told.append(client.list_queued_messages(Id=device["Id"]))
    return json.dumps(told, default=str).encode()


async def feed_of(program: Program) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bittern", "tail", "--json"),
        env=program.environment,
        cwd=program.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_no_key_and_no_payload_leaks(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        NETWORK__REGION=REGION,
        NETWORK__DEDUPLICATION_WINDOW_MS="50",
        LOG__LEVEL="debug",
        LOG__FORMAT="json",
    )
    joining, personal = devices()
    euis = [str(joining.dev_eui), str(personal.dev_eui)]
    await program.run("gateway", "add", str(GATEWAY), "--files", tmp_path / "gateway")
    await program.run(
        *("device", "add", euis[0], "--join-eui", str(JOIN_EUI), "--app-key", APP_KEY.hex())
    )
    await program.run(
        *("device", "add", euis[1], "--dev-addr", "01000001"),
        *("--nwk-s-key", NWK_S_KEY.hex(), "--app-s-key", APP_S_KEY.hex()),
    )
    reader = await program.json("access-key", "add", "--policy", "reader")
    key = {"id": reader["id"], "secret": reader["secret_access_key"]}
    secrets = {
        "AppKey": APP_KEY,
        "NwkSKey": NWK_S_KEY,
        "AppSKey": APP_S_KEY,
        "the secret of an access key": key["secret"].encode(),
    }
    payloads = {"an uplink": UPLINK, "a waiting downlink": AWAITED, "a sent downlink": SENT}
    air = Air()
    async with (
        program.serving(),
        SimulatedGateway(
            gateway_eui=GATEWAY,
            home=tmp_path / "gateway",
            air=air,
            chance=random.Random(1),
            pause=lambda s: asyncio.sleep(min(s, 0.2)),
        ) as gateway,
    ):
        await asyncio.wait_for(gateway.configured.wait(), 30)
        listener = Listener(program)
        feed = await feed_of(program)
        hearing = [Hearing(gateway)]
        joining.join_request()
        assert isinstance(await air.exchange(joining, hearing), Joined)
        await program.run("device", "send", euis[1], "--fport", "2", "--text", SENT.decode())
        for device in (joining, personal):
            for _ in range(3):
                device.uplink(UPLINK, fport=1, confirmed=True)
                assert await air.exchange(device, hearing)
        await program.run("device", "send", euis[0], "--fport", "2", "--text", AWAITED.decode())
        async with asyncio.timeout(20):
            while len(listener.delivered) < 6:
                await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{program.ports['API']}"
            metrics = await (await session.get(f"{url}/metrics")).read()
            health = await (await session.get(f"{url}/health")).read()
        told = await asyncio.to_thread(answers, program, key, euis)
        await program.run("backup", tmp_path / "x.backup")
        doctor = (await program.run("doctor")).encode()
        running = {
            str(path): path.read_bytes()
            for path in (tmp_path / "data").rglob("*")
            if path.is_file()
        }
        feed.terminate()
        fed, _ = await feed.communicate()
        listener.close()

    # The search is for what was there: the destination got it.
    assert base64.b64decode(listener.delivered[0]["PayloadData"]) == UPLINK
    assert found(json.dumps(listener.delivered).encode(), payloads) == ["an uplink"]
    assert joining.session is not None
    for name in ("f_nwk_s_int_key", "app_s_key"):
        secrets[f"{name} of the join"] = getattr(joining.session.keys, name).reveal()
    master = (tmp_path / "data/data.key").read_text().split()[1]
    everything = secrets | payloads | {"the master key": bytes.fromhex(master)}

    assert len(fed.splitlines()) > 6
    assert found(fed, secrets) == []  # payloads are what the feed is for
    for name, content in {
        "the log": program.log.encode(),
        "metrics": metrics,
        "health": health,
        "the API": told,
        "other topics": listener.heard,
        "the doctor": doctor,
        "the backup": (tmp_path / "x.backup").read_bytes(),
    }.items():
        assert found(content, everything) == [], name
    stopped = {
        str(path): path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()
    }
    assert any(name.endswith("bittern.db") for name in running)
    for kept in (running, stopped):
        for name, content in kept.items():
            of_the_key = ["the master key"] if name.endswith("data.key") else []
            assert found(content, everything) == of_the_key, name


def test_the_search_finds_what_is_there() -> None:
    secrets = {"it": APP_KEY}
    for content in (
        APP_KEY,
        APP_KEY[::-1],
        APP_KEY.hex().encode(),
        APP_KEY.hex().upper().encode(),
        APP_KEY[::-1].hex().encode(),
        base64.b64encode(APP_KEY),
        base64.b64encode(b"{" + APP_KEY + b"}"),
        base64.b64encode(b"{}" + APP_KEY),
        base64.urlsafe_b64encode(APP_KEY),
    ):
        assert found(b"before " + content + b" after", secrets) == ["it"]
    assert found(b"nothing", secrets) == []


# Core dumps


def aborted(folder: Path, core_dumps: str) -> tuple[bool, list[Path]]:
    """Whether the kernel says that it dumped a server that is aborted, and the files."""
    folder.mkdir()
    own = {name: text for name, text in os.environ.items() if not name.startswith("BITTERN_")}
    ports = zip(("LNS", "CUPS", "MQTT", "API"), free_ports(4), strict=True)
    own |= {f"BITTERN_{name}__PORT": str(port) for name, port in ports}
    own |= {"BITTERN_DATA_DIR": str(folder / "data"), "BITTERN_SERVER__CORE_DUMPS": core_dumps}

    def unlimited() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    server = subprocess.Popen(
        [sys.executable, "-m", "bittern", "serve"],
        env=own,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=unlimited,  # noqa: PLW1509 - it sets a limit and no more
    )
    assert server.stdout is not None
    with server.stdout:
        assert server.stdout.readline()
        os.kill(server.pid, signal.SIGABRT)
        _, status = os.waitpid(server.pid, 0)
        server.returncode = os.waitstatus_to_exitcode(status)
    assert os.WIFSIGNALED(status)
    return os.WCOREDUMP(status), [path for path in folder.iterdir() if "core" in path.name]


@pytest.mark.skipif(sys.platform != "linux", reason="cores are of Linux")
def test_a_server_that_dies_leaves_no_core(tmp_path: Path) -> None:
    assert aborted(tmp_path / "forbidden", "false") == (False, [])


@pytest.mark.skipif(sys.platform != "linux", reason="cores are of Linux")
def test_a_core_is_left_where_it_was_asked_for(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    if hard == 0 or pattern.startswith(("|", "/")):
        pytest.skip("this machine writes no core beside a program")
    dumped, cores = aborted(tmp_path / "allowed", "true")
    assert dumped
    assert cores
