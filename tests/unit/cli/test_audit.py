"""`bittern audit`, over what other verbs have left in the log."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

EUI = "0016c001ff000001"


@pytest.fixture
def filled(bittern: Any) -> Any:
    """Three entries."""
    bittern.done("account", "add", "north", "--id", "210987654321")
    bittern.done("access-key", "add", "--account", "210987654321")
    bittern.done("gateway", "add", EUI)
    return bittern


def edit(bittern: Any, *statements: str) -> None:
    with sqlite3.connect(bittern.data_dir / "bittern.db", isolation_level=None) as connection:
        for name in ("audit_stays", "audit_goes_from_its_beginning"):
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def listed(bittern: Any, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bittern.done("audit", "list", "--json", *options).json
    return found


def test_verbs_that_change_something_are_listed(filled: Any) -> None:
    entries = listed(filled)
    assert [one["action"] for one in entries] == [
        "cli:account add",
        "cli:access-key add",
        "cli:gateway add",
    ]
    assert {one["outcome"] for one in entries} == {"done"}
    assert all(one["actor"].startswith("cli:") for one in entries)
    assert [one["resource"] for one in entries] == ["north", "", EUI]
    assert entries[0]["detail"]["options"] == {"account_id": "210987654321"}


def test_verbs_that_only_look_are_not(filled: Any) -> None:
    before = len(listed(filled))
    filled.done("gateway", "list")
    filled("gateway", "show", "0000000000000000")
    assert len(listed(filled)) == before


def test_entries_are_found_by_what_is_asked(filled: Any) -> None:
    assert len(listed(filled, "--action", "gateway")) == 1
    assert len(listed(filled, "--actor", "cli:")) == 3
    assert listed(filled, "--actor", "nobody") == []
    assert len(listed(filled, "--since", "1h")) == 3
    assert listed(filled, "--since", "2999-01-01") == []
    assert [one["sequence"] for one in listed(filled, "--limit", "1")] == [3]
    wrong = filled("audit", "list", "--since", "soon")
    assert wrong.exit_code == 2


def test_a_table_is_for_people(filled: Any) -> None:
    shown = filled.done("audit", "list").stdout
    assert "cli:gateway add" in shown
    assert EUI in shown


def test_an_export_is_a_line_for_each_entry(filled: Any) -> None:
    text = filled.done("audit", "export").stdout
    lines = [json.loads(line) for line in text.splitlines()]
    assert [one["sequence"] for one in lines] == [1, 2, 3]
    assert [one["previous"] for one in lines[1:]] == [one["hash"] for one in lines[:2]]


def test_a_log_that_nobody_has_touched_verifies(filled: Any) -> None:
    told = filled.done("audit", "verify", "--json").json
    assert (told["intact"], told["entries"], told["last"]) == (True, 3, 3)
    for head in (told["head"], f"3:{told['head']}"):
        filled.done("audit", "verify", "--head", head)
    other = filled("audit", "verify", "--head", f"2:{told['head']}")
    assert other.exit_code == 1
    wrong = filled("audit", "verify", "--head", "x")
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET actor = 'cli:eve' WHERE sequence = 2", "entry 2 was changed"),
        ("DELETE FROM audit WHERE sequence = 3", "entries 3 to 3 are missing at the end"),
    ],
)
def test_what_was_changed_is_told(filled: Any, statement: str, told: str) -> None:
    edit(filled, statement)
    failed = filled("audit", "verify")
    assert failed.exit_code == 1
    assert told in failed.stderr


def test_a_log_that_was_set_back_as_a_whole_is_found_by_the_head_kept_apart(bittern: Any) -> None:
    bittern.done("account", "add", "north")
    past = (bittern.data_dir / "bittern.db").read_bytes()
    bittern.done("account", "add", "south")
    for name in ("bittern.db-wal", "bittern.db-shm"):
        (bittern.data_dir / name).unlink(missing_ok=True)
    (bittern.data_dir / "bittern.db").write_bytes(past)
    failed = bittern("audit", "verify")
    assert failed.exit_code == 1
    assert "entries 2 to 2 are missing at the end" in failed.stderr
    assert "ends at entry 1, and had 2" in bittern.done("audit", "list").stderr


def test_what_is_done_to_keys_and_copies_is_recorded(filled, tmp_path):
    filled.done("keys", "rotate")
    filled.done("backup", tmp_path / "copy.tar")
    actions = [one["action"] for one in listed(filled)]
    assert actions[-2:] == ["cli:keys rotate", "cli:backup"]
    filled.done("audit", "verify")
