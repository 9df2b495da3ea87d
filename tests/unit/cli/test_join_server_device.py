from __future__ import annotations

from pathlib import Path

import pytest

from bittern.lorawan.versions import MacVersion
from bittern.store.join_registry import JoinRegistry
from bittern.types import EUI64, AppKey, DevEUI, NwkKey

DEV_EUI, JOIN_EUI = "70b3d57ed0000001", "70b3d57ed0ffff01"
KEYS = [f"{number:02x}" * 16 for number in range(1, 3)]
ADD = ("join-server", "device", "add", DEV_EUI)


def stored(bittern):
    async def read(store):
        return await JoinRegistry(store).device(DevEUI(EUI64.from_hex(DEV_EUI)))

    return bittern.stored(read)


def test_a_device_is_added_with_its_root_keys(bittern) -> None:
    bittern.done(
        *ADD,
        *("--version", "1.1", "--join-eui", JOIN_EUI, "--net-id", "000013", "--name", "meter"),
        *("--app-key", KEYS[0], "--nwk-key", KEYS[1]),
    )
    device = stored(bittern)
    assert (device.keys.app_key, device.keys.nwk_key) == (
        AppKey.from_hex(KEYS[0]),
        NwkKey.from_hex(KEYS[1]),
    )
    assert (device.mac_version, str(device.net_id)) == (MacVersion.LORAWAN_1_1, "000013")
    assert bittern(*ADD, "--app-key", KEYS[0]).stderr == (
        f"bittern: device {DEV_EUI} exists already\n"
    )


def test_generated_keys_are_told_once(bittern) -> None:
    told = bittern.done(*ADD, "--version", "1.1", "--generate-keys", "--json").json
    device = stored(bittern)
    assert AppKey.from_hex(told["keys"]["AppKey"]) == device.keys.app_key
    assert NwkKey.from_hex(told["keys"]["NwkKey"]) == device.keys.nwk_key


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ((), "--app-key: missing"),
        (("--app-key", KEYS[0], "--nwk-key", KEYS[1]), "LoRaWAN 1.0.3 has no NwkKey"),
        (("--version", "1.1", "--app-key", KEYS[0]), "--nwk-key: missing"),
    ],
)
def test_keys_are_those_of_the_version(bittern, wrong: tuple[str, ...], reason: str) -> None:
    refused = bittern(*ADD, *wrong)
    assert refused.exit_code == 2
    assert reason in refused.stderr.replace("\n", " ")


def test_an_application_server_must_be_there(bittern) -> None:
    refused = bittern(*ADD, "--app-key", KEYS[0], "--application", "meters")
    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (
        1,
        "bittern: no application server meters",
    )


def test_keys_are_shown_only_where_they_are_asked_for(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0])
    shown = bittern.done("join-server", "device", "show", DEV_EUI)
    assert KEYS[0] not in shown.stdout
    assert "--reveal-keys prints it" in shown.stdout
    shown = bittern.done("join-server", "device", "show", DEV_EUI, "--reveal-keys")
    assert KEYS[0] in shown.stdout
    document = bittern.done("join-server", "device", "show", DEV_EUI, "--json").json
    assert (document["joins"], document["last_dev_nonce"], "keys" in document) == (0, None, False)


def test_devices_are_listed_and_removed(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0], "--name", "meter")
    (listed,) = bittern.done("join-server", "device", "list", "--json").json
    assert (listed["dev_eui"], listed["name"]) == (DEV_EUI, "meter")
    assert DEV_EUI in bittern.done("join-server", "device", "list").stdout
    bittern.done("join-server", "device", "remove", DEV_EUI)
    assert stored(bittern) is None
    assert bittern("join-server", "device", "remove", DEV_EUI).exit_code == 1
    assert bittern("join-server", "device", "show", DEV_EUI).exit_code == 1
    assert "no devices" in bittern.done("join-server", "device", "list").stderr


def test_a_key_is_in_no_file_as_it_is(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0])
    for path in Path(bittern.data_dir).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert bytes.fromhex(KEYS[0]) not in content
            assert KEYS[0].encode() not in content
