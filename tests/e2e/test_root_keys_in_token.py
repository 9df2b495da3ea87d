"""Root keys in a token of SoftHSM: devices join by them, send and receive, and they are nowhere
else.

What SoftHSM keeps is encrypted under the PIN, so its files are searched as well.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
import pytest
import tokens

from bittern.keys.token import Token
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import DownlinkReceived, Joined, Otaa, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.testing.program import Program
from bittern.types import EUI64, AppKey, DevEUI, GatewayEUI, JoinEUI, NwkKey

sys.path.insert(0, str(Path(__file__).parent))
from test_join_server import Site, joined, messages
from test_no_secret_leaks import found

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
APP_KEYS = {
    "1.0.3": bytes.fromhex("9c1185a5c5e9fc54612808977ee8f548"),
    "1.1": bytes.fromhex("d1f3a7c05e8846b29f0e6b7c8d9aa5e1"),
}
NWK_KEY = bytes.fromhex("7be2c4960d1f4a83b5972e6c40d8f3a9")
ROOT_KEYS = {f"AppKey of {version}": key for version, key in APP_KEYS.items()} | {
    "NwkKey of 1.1": NWK_KEY
}
UPLINK, DOWNLINK = b"uplink: level 17.3 m", b"downlink: valve 4"


def simulated(number: int, version: str) -> SimulatedDevice:
    return SimulatedDevice(
        dev_eui=DevEUI(EUI64.from_int(0x70B3D57ED0000000 + number)),
        activation=Otaa(
            join_eui=JOIN_EUI,
            app_key=AppKey(APP_KEYS[version]),
            nwk_key=NwkKey(NWK_KEY) if version == "1.1" else None,
        ),
        version=MacVersion.parse(version),
        region=device_region("IN865"),  # without a duty cycle: nobody has to wait
        chance=random.Random(number),
    )


def of_token(label: str) -> dict[str, str]:
    return {
        "KEYS__PKCS11_MODULE": str(tokens.MODULE),
        "KEYS__PKCS11_TOKEN": label,
        "KEYS__PKCS11_PIN": tokens.PIN,
    }


def files_below(*folders: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


async def attributes(label: str) -> list[tuple[str, list[bool]]]:
    """Of every secret key in the token: whether it is sensitive, was always, is extractable, was
    ever; a value that can be read fails the test."""
    import pkcs11
    from pkcs11 import Attribute

    names = ("SENSITIVE", "EXTRACTABLE", "PRIVATE", "WRAP", "UNWRAP", "DERIVE")

    def reading(session):
        told = []
        for key in session.get_objects({Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}):
            with pytest.raises(pkcs11.AttributeSensitive):
                key[Attribute.VALUE]
            told.append((key.label, [key[Attribute[name]] for name in names]))
        return sorted(told)

    opened = Token.open(tokens.keys(label))
    try:
        return await opened.run(reading)
    finally:
        await opened.close()


def told_by_the_api(program: Program, key: dict[str, str], euis: Sequence[str]) -> bytes:
    client = boto3.client(
        "iotwireless",
        endpoint_url=f"http://127.0.0.1:{program.ports['API']}",
        region_name="us-east-1",
        aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret_access_key"],
    )
    told = [client.get_wireless_device(Identifier=eui, IdentifierType="DevEui") for eui in euis]
    for one in told:
        (activation,) = (value for name, value in one["LoRaWAN"].items() if name.startswith("Otaa"))
        assert "AppKey" not in activation
        assert "NwkKey" not in activation
    return json.dumps(told, default=str).encode()


async def test_devices_join_by_keys_that_never_leave_the_token(token: str, tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        NETWORK__REGION="IN865",
        LOG__LEVEL="debug",
        KEYS__PROVIDER="pkcs11",
        **of_token(token),
    )
    await program.run("token", "init")
    devices = [simulated(1, "1.0.3"), simulated(2, "1.1")]
    euis = [str(device.dev_eui) for device in devices]
    for device, version in zip(devices, APP_KEYS, strict=True):
        words = ["--version", version, "--app-key", APP_KEYS[version].hex(), "--keys-in-token"]
        words += ["--nwk-key", NWK_KEY.hex()] if version == "1.1" else []
        await program.run("device", "add", str(device.dev_eui), "--join-eui", str(JOIN_EUI), *words)
    await program.run("gateway", "add", str(GATEWAY), "--files", tmp_path / "gateway")
    reader = await program.json("access-key", "add")
    air = Air()
    async with (
        program.serving(),
        messages(program) as delivered,
        SimulatedGateway(
            gateway_eui=GATEWAY, home=tmp_path / "gateway", air=air, chance=random.Random(1)
        ) as gateway,
    ):
        await asyncio.wait_for(gateway.configured.wait(), 30)
        for device in devices:
            device.join_request()
            assert isinstance(await air.exchange(device, [Hearing(gateway)]), Joined)
            device.uplink(UPLINK, fport=1)
            air.send(device, [Hearing(gateway)])
            told = await asyncio.wait_for(delivered.get(), 30)
            assert base64.b64decode(str(told["PayloadData"])) == UPLINK
            await program.run(
                *("device", "send", str(device.dev_eui), "--fport", "2"),
                *("--text", DOWNLINK.decode()),
            )
            device.uplink(UPLINK, fport=1, confirmed=True)
            received = await air.exchange(device, [Hearing(gateway)])
            assert isinstance(received, DownlinkReceived)
            assert received.payload == DOWNLINK
        api = await asyncio.to_thread(told_by_the_api, program, reader, euis)
        shown = [await program.run("device", "show", eui, "--reveal-keys") for eui in euis]
        await program.run("backup", tmp_path / "x.backup")
        running = files_below(tmp_path / "data", tokens.folder())
    assert air.complaints == []
    assert [one.count("in the token") for one in shown] == [1, 2]

    of_a_root_key = [True, False, True, False, False, False]
    assert await attributes(token) == [
        (f"{euis[0]} AppKey", of_a_root_key),
        (f"{euis[1]} AppKey", of_a_root_key),
        (f"{euis[1]} NwkKey", of_a_root_key),
        ("bittern", of_a_root_key),
    ]
    stopped = files_below(tmp_path / "data", tokens.folder())
    assert any(name.endswith("bittern.db") for name in running)
    assert any(name.endswith(".object") for name in running)
    everything = running | {f"{name}, stopped": content for name, content in stopped.items()}
    everything |= {
        "the log": program.log.encode(),
        "the API": api,
        "device show": "".join(shown).encode(),
        "the backup": (tmp_path / "x.backup").read_bytes(),
    }
    for name, content in everything.items():
        assert found(content, ROOT_KEYS) == [], name
    # Nor is anything sealed there that could be one: what is sealed of a device is its name.
    assert not (tmp_path / "data" / "data.key").exists()


async def test_a_token_that_is_gone_is_told_and_keeps_nobody_else_from_joining(
    token: str, tmp_path: Path
) -> None:
    program = Program(tmp_path, NETWORK__REGION="IN865", **of_token(token))
    there, here = simulated(1, "1.0.3"), simulated(2, "1.0.3")
    for device, more in ((there, ["--keys-in-token"]), (here, [])):
        words = ["--join-eui", str(JOIN_EUI), "--app-key", APP_KEYS["1.0.3"].hex(), *more]
        await program.run("device", "add", str(device.dev_eui), *words)
    await program.run("gateway", "add", str(GATEWAY), "--files", tmp_path / "gateway")
    program.set(KEYS__PKCS11_TOKEN="another that is not there")
    air = Air()
    async with (
        program.serving(),
        SimulatedGateway(
            gateway_eui=GATEWAY, home=tmp_path / "gateway", air=air, chance=random.Random(1)
        ) as gateway,
    ):
        await asyncio.wait_for(gateway.configured.wait(), 30)
        assert await joined(there, gateway, air) is None
        await program.until_logged("there is no token of that label")
        assert isinstance(await joined(here, gateway, air), Joined)


async def test_a_join_server_answers_by_its_token(token: str, tmp_path: Path) -> None:
    site, air = Site(tmp_path), Air()
    site.join_server.set(**of_token(token))
    run = site.join_server.run

    async def with_keys_in_the_token(*arguments: str | Path) -> str:
        added = arguments[:3] == ("join-server", "device", "add")
        return await run(*arguments, *(["--keys-in-token"] if added else []))

    site.join_server.run = with_keys_in_the_token  # type: ignore[method-assign]
    await site.set_up()
    assert len(await attributes(token)) == 3
    async with (
        site.join_server.serving("join-server", "serve"),
        site.network.serving(),
        site.gateway(air) as gateway,
    ):
        for device in site.devices.values():
            assert isinstance(await joined(device, gateway, air), Joined)
    assert air.complaints == []
    keys = {"AppKey": b"root application", "NwkKey": b"root network key"}
    for name, content in files_below(tmp_path).items():
        assert found(content, keys) == [], name
