"""What one account has is not there for another, whatever the verb."""

from __future__ import annotations

import pytest

from bittern.cli.owned import device_of, gateway_of
from bittern.errors import NotFound
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import EUI64, DevEUI, GatewayEUI

NORTH = "111122223333"
DEV_EUI = "70b3d57ed0000001"
GATEWAY = "0016c001ff000001"
KEY = "01" * 16
IN_NORTH = ("--account", NORTH)


@pytest.fixture
def both(bittern, tmp_path):
    """The account `north` has one of everything; the default account has a destination."""
    bittern.done("account", "add", "north", "--id", NORTH)
    bittern.done("destination", "add", "far", "--topic", "far/up", *IN_NORTH)
    bittern.done(
        *("device", "add", DEV_EUI, "--app-key", KEY, "--destination", "far", *IN_NORTH),
        *("--name", "pump"),
    )
    bittern.done(
        *("gateway", "add", GATEWAY, "--uri", "wss://lns.example:8887", "--only", "lns"),
        *("--files", tmp_path / "files", *IN_NORTH),
    )
    script = tmp_path / "codec.js"
    script.write_text("function decodeUplink(input) { return {data: {}} }")
    bittern.done("codec", "add", "meter", "--file", script, *IN_NORTH)
    action = '{"republish": {"topic": "far/rule"}}'
    bittern.done("rule", "add", "far", "--sql", "SELECT * FROM 'a'", "--action", action, *IN_NORTH)
    return bittern


@pytest.mark.parametrize(
    ("noun", "field", "name"),
    [
        ("device", "dev_eui", DEV_EUI),
        ("gateway", "gateway_eui", GATEWAY),
        ("destination", "name", "far"),
        ("codec", "name", "meter"),
        ("rule", "ruleName", "far"),
    ],
)
def test_lists_are_of_one_account(both, noun: str, field: str, name: str) -> None:
    def named(*options: str) -> list[str]:
        return [
            one.get(field) or one["eui"] for one in both.done(noun, "list", "--json", *options).json
        ]

    assert named(*IN_NORTH) == [name]
    assert name not in named()


@pytest.mark.parametrize(
    "command",
    [
        ("device", "show", DEV_EUI),
        ("device", "remove", DEV_EUI),
        ("device", "queue", DEV_EUI, "--clear"),
        ("device", "send", DEV_EUI, "--fport", "1", "--payload", "00"),
        ("device", "test", DEV_EUI),
        ("gateway", "show", GATEWAY),
        ("gateway", "remove", GATEWAY),
        ("gateway", "set", GATEWAY, "--name", "x"),
        ("gateway", "run", GATEWAY, "--", "reboot"),
        ("gateway", "certificate", "list", GATEWAY),
        ("gateway", "firmware", "cancel", GATEWAY),
        ("destination", "remove", "far"),
        ("codec", "show", "meter"),
        ("codec", "remove", "meter"),
        ("rule", "show", "far"),
        ("rule", "disable", "far"),
        ("rule", "remove", "far"),
    ],
    ids=" ".join,
)
def test_what_another_account_has_is_not_there(both, command: tuple[str, ...]) -> None:
    refused = both(*command)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("bittern: no ")


@pytest.mark.parametrize(
    "command",
    [
        ("device", "show", DEV_EUI),
        ("device", "queue", DEV_EUI),
        ("device", "send", DEV_EUI, "--fport", "1", "--payload", "00"),
        ("device", "test", DEV_EUI),
        ("gateway", "show", GATEWAY),
        ("gateway", "set", GATEWAY, "--name", "x"),
        ("gateway", "certificate", "list", GATEWAY),
        ("codec", "remove", "meter"),
        ("rule", "disable", "far"),
        ("dead-letter", "list"),
        ("gateway", "firmware", "definitions"),
    ],
    ids=" ".join,
)
def test_its_own_account_reaches_it(both, command: tuple[str, ...]) -> None:
    both.done(*command, *IN_NORTH)


def test_devices_and_their_profiles_are_of_the_account(both) -> None:
    async def accounts(store):
        device = await store.device(DevEUI(EUI64.from_hex(DEV_EUI)))
        profile = await store.device_profile(device.device_profile_id)
        service = await store.service_profile(device.service_profile_id)
        gateway = await store.gateway(GatewayEUI(EUI64.from_hex(GATEWAY)))
        certificates = await store.certificates_of(gateway.gateway_eui)
        return {one.account for one in (device, profile, service, gateway, *certificates)}

    assert both.stored(accounts) == {NORTH}


def test_the_environment_names_the_account(both, monkeypatch) -> None:
    monkeypatch.setenv("BITTERN_ACCOUNT", NORTH)
    assert [one["name"] for one in both.done("device", "list", "--json").json] == ["pump"]
    listed = both.done("device", "list", "--json", "--account", DEFAULT_ACCOUNT).json
    assert listed == []


def test_an_unknown_account_is_told(both) -> None:
    refused = both("device", "list", "--account", "999999999999")
    assert refused.exit_code == 1
    assert refused.stderr == "bittern: no account 999999999999\n"


def test_what_is_no_account_is_wrong_usage(both) -> None:
    refused = both("device", "list", "--account", "north")
    assert refused.exit_code == 2
    assert "12 digits" in refused.stderr


def test_the_owner_is_asked_of_the_store(both) -> None:
    dev_eui = DevEUI(EUI64.from_hex(DEV_EUI))
    eui = GatewayEUI(EUI64.from_hex(GATEWAY))
    assert both.stored(lambda store: device_of(store, NORTH, dev_eui)).name == "pump"
    assert both.stored(lambda store: gateway_of(store, NORTH, eui)).account == NORTH
    for finding in (
        lambda store: device_of(store, DEFAULT_ACCOUNT, dev_eui),
        lambda store: gateway_of(store, DEFAULT_ACCOUNT, eui),
    ):
        with pytest.raises(NotFound):
            both.stored(finding)
