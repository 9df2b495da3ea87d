"""What the audit log is told of a verb."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from bittern.cli.attribution import caller, record_of_verb
from bittern.testing.examples import NOW

APP_KEY = "000102030405060708090a0b0c0d0e0f"
DEV_EUI = "70b3d57ed0000001"


def entries(bittern: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bittern.done("audit", "list", "--json").json
    return found


def test_the_caller_is_a_user_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert caller() == f"cli:{getpass.getuser()}"
    monkeypatch.setenv("SUDO_USER", "ada")
    assert caller().endswith("(sudo by ada)")


def test_outside_of_a_verb_there_is_little_to_tell() -> None:
    record = record_of_verb(NOW, "000000000000", "failed", "Conflict")
    assert (record.action, record.resource, record.outcome) == ("cli", "", "failed")
    assert '"error":"Conflict"' in record.detail


def test_a_key_on_the_command_line_is_not_recorded(bittern: Any) -> None:
    bittern.done("gateway", "add", "0016c001ff000001")
    bittern.done("device", "add", DEV_EUI, "--app-key", APP_KEY)
    entry = entries(bittern)[-1]
    assert (entry["action"], entry["resource"]) == ("cli:device add", DEV_EUI)
    assert entry["detail"]["options"]["app_key"] == "(hidden)"
    assert all(
        APP_KEY.encode() not in file.read_bytes()
        for file in bittern.data_dir.rglob("*")
        if file.is_file()
    )


def test_a_verb_that_fails_on_its_way_is_recorded_as_such(bittern: Any) -> None:
    add = ("account", "add", "north", "--id", "210987654321")
    bittern.done(*add)
    assert bittern(*add).exit_code == 1
    last = entries(bittern)[-1]
    assert (last["outcome"], last["detail"]["error"]) == ("failed", "Conflict")


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        (("mqtt", "user", "add", "ada"), "cli:mqtt user add"),
        (("ca", "rotate", "--yes"), "cli:ca rotate"),
    ],
)
def test_a_verb_that_changes_files_is_recorded(
    bittern: Any, verb: tuple[str, ...], action: str
) -> None:
    bittern.done("gateway", "add", "0016c001ff000001")
    bittern(*verb, "--force") if verb[0] == "ca" else bittern.done(*verb)
    assert entries(bittern)[-1]["action"] == action


def test_a_password_is_not_recorded(bittern: Any, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse battery staple\n")
    bittern.done("mqtt", "user", "add", "ada", "--password-file", file)
    assert "correct horse" not in repr(entries(bittern))
