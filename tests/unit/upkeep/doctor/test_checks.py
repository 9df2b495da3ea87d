from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from typer.main import get_command

from bittern.cli import app
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant
from bittern.upkeep.doctor import checks
from bittern.upkeep.doctor.checks import CHECKS, DAY_S, Finding, examined
from bittern.upkeep.doctor.facts import (
    AccessKeyFact,
    BrokerFact,
    CertificateFact,
    ClockFact,
    DatabaseFact,
    DataKeyFact,
    DiskFact,
    Facts,
    GatewayCertificates,
    KeyFact,
    ListenerFact,
    PathFact,
    ProviderFact,
    VersionFact,
)

NOW = Instant(1_700_000_000.0)
GATEWAY = GatewayEUI(EUI64.from_int(1))
SOUND = Facts(
    clock=ClockFact(NOW, True, Instant(NOW - 10)),
    has_entropy=True,
    disk=DiskFact(50 << 30, 100 << 30, 1 << 20, 10 << 30, 0.002),
    paths=(PathFact("data", 0o700, True, False), PathFact("data/data.key", 0o600, True, True)),
    certificates=(
        CertificateFact("the authority", Instant(0.0), Instant(NOW + 900 * DAY_S), "renew"),
    ),
    gateways=(GatewayCertificates(GATEWAY, "lns", Instant(NOW + 300 * DAY_S), True),),
    listeners=(ListenerFact("api", "127.0.0.1", False), ListenerFact("lns", "0.0.0.0", True)),
    provider=ProviderFact("file data.key"),
    data_keys=(DataKeyFact(1, "active", NOW),),
    database=DatabaseFact(13, 13, (), 100),
    versions=(VersionFact("SQLite", (3, 45, 0), (3, 35, 0)),),
)


def days(number: float) -> Instant:
    return Instant(NOW + number * DAY_S)


def device_key(number: int, weakness: str | None = None, fingerprint: bytes = b"") -> KeyFact:
    eui = DevEUI(EUI64.from_int(number))
    return KeyFact(eui, "AppKey", weakness, fingerprint or bytes([number]))


def found(**different: object) -> list[Finding]:
    return examined(msgspec.structs.replace(SOUND, **different))


def only(**different: object) -> Finding:
    (finding,) = found(**different)
    assert finding.cure
    return finding


def access_key(**different: object) -> AccessKeyFact:
    made = AccessKeyFact("AKIA1", "000000000000", True, days(-200), days(-1))
    return msgspec.structs.replace(made, **different)


def test_nothing_is_found_where_all_is_well():
    assert found() == []


@pytest.mark.parametrize(
    ("different", "check", "severity"),
    [
        ({"paths": (PathFact("d", 0o755, True, False),)}, "permissions", "warning"),
        ({"paths": (PathFact("d", 0o777, True, False),)}, "permissions", "error"),
        ({"paths": (PathFact("d/data.key", 0o640, True, True),)}, "permissions", "error"),
        ({"paths": (PathFact("d", 0o700, False, False),)}, "permissions", "error"),
        ({"clock": ClockFact(NOW, False, None)}, "clock", "warning"),
        ({"clock": ClockFact(NOW, None, days(1))}, "clock", "error"),
        ({"has_entropy": False}, "entropy", "error"),
        ({"disk": DiskFact(1 << 20, 100 << 30, 0, 1 << 20, 0.002)}, "disk", "error"),
        ({"disk": DiskFact(4 << 30, 100 << 30, 0, 1 << 20, 0.002)}, "disk", "warning"),
        ({"disk": DiskFact(8 << 30, 100 << 30, 0, 10 << 30, 0.002)}, "disk", "note"),
        ({"disk": DiskFact(50 << 30, 100 << 30, 0, 1 << 20, 0.3)}, "disk", "warning"),
        ({"disk": DiskFact(50 << 30, 100 << 30, 0, 1 << 20, 1e-6)}, "disk", "warning"),
        ({"listeners": (ListenerFact("api", "0.0.0.0", False),)}, "listeners", "error"),
        ({"listeners": (ListenerFact("mqtt", "::", False, True),)}, "listeners", "warning"),
        ({"provider": ProviderFact("file x", "is away")}, "data keys", "error"),
        ({"data_keys": (DataKeyFact(1, "active", days(-400)),)}, "data keys", "note"),
        ({"keys": (device_key(1, "all zeros"),)}, "device keys", "error"),
        (
            {"keys": (device_key(1, None, b"x"), device_key(2, None, b"x"))},
            "device keys",
            "warning",
        ),
        ({"access_keys": (access_key(last_used_at=None),)}, "access keys", "warning"),
        ({"access_keys": (access_key(last_used_at=days(-100)),)}, "access keys", "warning"),
        ({"broker": BrokerFact(days(-3), days(-3))}, "broker", "note"),
        ({"broker": BrokerFact(days(-500), NOW)}, "broker", "warning"),
        ({"broker": BrokerFact(None, days(-500))}, "broker", "note"),
        ({"database": DatabaseFact(13, 13, ("page 3 is broken",), None)}, "database", "error"),
        ({"database": DatabaseFact(14, 13, (), None)}, "database", "error"),
        ({"database": DatabaseFact(12, 13, (), None)}, "database", "note"),
        ({"versions": (VersionFact("SQLite", (3, 30), (3, 35)),)}, "versions", "warning"),
        ({"core_dumps": True}, "dumps", "warning"),
        ({"held_sessions": 3}, "restore", "note"),
    ],
)
def test_what_is_wrong_is_found_with_its_cure(different, check, severity):
    finding = only(**different)
    assert (finding.check, finding.severity) == (check, severity)


@pytest.mark.parametrize(
    ("begin", "end", "severity"),
    [(-400, -1, "error"), (-400, 5, "warning"), (2, 400, "error")],
)
def test_ages_of_certificates_are_judged(begin, end, severity):
    one = CertificateFact("certificate of the server", days(begin), days(end), "renew")
    assert only(certificates=(one,)).severity == severity


@pytest.mark.parametrize(
    ("end", "by_cups", "severity"),
    [(-1, True, "error"), (-1, False, "error"), (5, False, "warning"), (5, True, "warning")],
)
def test_gateways_whose_certificates_end_are_told(end, by_cups, severity):
    one = GatewayCertificates(GATEWAY, "lns", days(end), by_cups)
    finding = only(gateways=(one,))
    assert finding.severity == severity
    assert str(GATEWAY) in finding.what


@pytest.mark.parametrize(
    "key",
    [
        access_key(active=False, last_used_at=None),
        access_key(created_at=days(-1), last_used_at=None),
        access_key(),
    ],
)
def test_access_keys_in_use_are_left_alone(key):
    assert found(access_keys=(key,)) == []


def test_a_weak_key_at_many_devices_is_told_once_for_each_and_not_as_shared():
    keys = tuple(device_key(number, "all zeros", b"same") for number in range(3))
    assert [one.severity for one in found(keys=keys)] == ["error"] * 3


def test_many_devices_with_one_key_are_told_in_one_line():
    keys = tuple(device_key(number, None, b"same") for number in range(1, 31))
    finding = only(keys=keys)
    assert "30 devices share one AppKey" in finding.what
    assert "and 20 more" in finding.what


def test_the_two_keys_of_one_device_may_be_alike():
    eui = DevEUI(EUI64.from_int(1))
    keys = (KeyFact(eui, "AppKey", None, b"x"), KeyFact(eui, "NwkKey", None, b"x"))
    assert found(keys=keys) == []


def test_the_worst_is_told_first():
    told = found(core_dumps=True, has_entropy=False, held_sessions=1)
    assert [one.severity for one in told] == ["error", "warning", "note"]


def test_every_check_of_the_file_is_made():
    public = {
        name
        for name, value in vars(checks).items()
        if callable(value) and getattr(value, "__module__", "") == checks.__name__
    }
    made = {check.__name__ for check in CHECKS}
    assert made == {name for name in public if name.islower()} - {"examined"} - {
        name for name in public if name.startswith("_")
    }


def test_every_command_that_a_cure_names_is_there():
    text = (
        Path(checks.__file__).read_text()
        + Path(checks.__file__).with_name("gathering.py").read_text()
    )
    named = set(re.findall(r"`bittern ((?:[a-z-]+ ?)+)", text))
    assert len(named) > 6
    for command in named:
        found = get_command(app)
        for word in command.split():
            found = found.commands[word]
