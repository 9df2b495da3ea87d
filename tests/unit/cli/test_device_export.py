from __future__ import annotations

import csv
from pathlib import Path

import pytest

NORTH = "111122223333"
EUI = "70b3d57ed0000001"
KEYS = [f"{number:02x}" * 16 for number in range(1, 5)]


@pytest.fixture
def filled(bittern):
    bittern.done(
        *("device", "add", EUI, "--name", "pump, 1", "--app-key", KEYS[0]),
        *("--version", "1.1", "--nwk-key", KEYS[1]),
    )
    bittern.done(
        *("device", "add", "70b3d57ed0000002", "--dev-addr", "26011bda", "--fcnt-start", "9"),
        *("--nwk-s-key", KEYS[2], "--app-s-key", KEYS[3]),
    )
    return bittern


def test_export_has_no_keys_unless_they_are_asked_for(filled) -> None:
    text = filled.done("device", "export").stdout
    pump, valve = csv.DictReader(text.splitlines())
    assert (pump["DevEui"], pump["Name"], pump["Activation"]) == (EUI, "pump, 1", "OtaaV1_1")
    assert (valve["DevAddr"], valve["FCntStart"]) == ("26011bda", "9")
    assert not any(key in text for key in KEYS)
    revealed = filled.done("device", "export", "--reveal-keys").stdout
    assert all(key in revealed for key in KEYS)


def test_what_was_exported_is_imported_again(filled, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    filled.done("device", "export", "--reveal-keys", "--file", file)
    assert file.stat().st_mode & 0o777 == 0o600
    shown = [filled.done("device", "show", EUI, "--reveal-keys", "--json").json]
    for dev_eui in (EUI, "70b3d57ed0000002"):
        filled.done("device", "remove", dev_eui)
    filled.done("device", "import", file)
    shown.append(filled.done("device", "show", EUI, "--reveal-keys", "--json").json)
    before, after = ({**one, "id": "", "created_at": ""} for one in shown)
    assert before == after
    again = tmp_path / "again.csv"
    filled.done("device", "export", "--reveal-keys", "--file", again)
    assert again.read_text(encoding="utf-8") == file.read_text(encoding="utf-8")


def test_tags_and_ports_come_along(filled, tmp_path: Path) -> None:
    file = tmp_path / "tagged.csv"
    file.write_text(
        "DevEui,DeviceProfile,ServiceProfile,DestinationName,AppKey,JoinEui,Tags,FPorts\n"
        "70b3d57ed0000003,1.0.3 EU868 class A OTAA,default,default,"
        f'{KEYS[0]},{EUI},"{{""a"": ""b; c=d""}}","{{""Fuota"": 201}}"\n',
        encoding="utf-8",
    )
    filled.done("device", "add", "70b3d57ed0000009", "--app-key", KEYS[0])
    filled.done("device", "import", file)
    *_, tagged, _ = csv.DictReader(filled.done("device", "export").stdout.splitlines())
    assert tagged["DevEui"] == "70b3d57ed0000003"
    assert tagged["Tags"] == '{"a":"b; c=d"}'
    assert tagged["FPorts"] == '{"Fuota":201}'


def test_export_is_of_one_account(filled) -> None:
    filled.done("account", "add", "north", "--id", NORTH)
    done = filled.done("device", "export", "--account", NORTH)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == "0 devices\n"
