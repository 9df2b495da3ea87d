from __future__ import annotations

import shutil

import pytest

from bittern.cli.workspace import Workspace

DEVICE = ("device", "add", "70b3d57ed0000001", "--app-key", "00112233445566778899aabbccddeeff")
PERSONALIZED = (
    *("device", "add", "70b3d57ed0000002", "--dev-addr", "01000001"),
    *("--nwk-s-key", "11" * 16, "--app-s-key", "22" * 16),
)


@pytest.fixture
def made(bittern, tmp_path):
    bittern.done(*DEVICE)
    bittern.done(*PERSONALIZED)
    bittern.done("backup", tmp_path / "x.backup")
    return tmp_path / "x.backup"


def test_a_backup_is_proved(bittern, made):
    told = bittern.done("restore", made, "--verify", "--json").json
    assert told["sound"]
    assert told["sealed_values"] >= 3
    assert "sealed values open" in bittern.done("restore", made, "--verify").stderr


def test_a_changed_backup_is_refused(bittern, made):
    content = bytearray(made.read_bytes())
    content[5000] ^= 1
    made.write_bytes(content)
    done = bittern("restore", made, "--verify")
    assert done.exit_code == 1
    assert "was changed" in done.stderr


def test_a_folder_in_use_is_left_alone(bittern, made):
    done = bittern("restore", made)
    assert done.exit_code == 1
    assert "is not empty" in done.stderr


def test_a_running_server_is_left_alone(bittern, made, monkeypatch):
    monkeypatch.setattr(Workspace, "is_served", lambda self: True)
    done = bittern("restore", made)
    assert done.exit_code == 1
    assert "runs" in done.stderr or "running" in done.stderr


def test_what_becomes_of_sessions_is_told(bittern, made, tmp_path):
    key = tmp_path / "kept.key"
    shutil.copy(bittern.data_dir / "data.key", key)
    shutil.rmtree(bittern.data_dir)
    told = bittern.done("restore", made, "--key-file", key, "--json").json
    assert told["sessions_quarantined"] == 1
    assert told["joins_moved_on"] == 1
    assert len(bittern.done("device", "list", "--json").json) == 2


def test_sessions_are_believed_at_once_only_where_that_is_said(bittern, made, tmp_path):
    key = tmp_path / "kept.key"
    shutil.copy(bittern.data_dir / "data.key", key)
    shutil.rmtree(bittern.data_dir)
    done = bittern.done(
        "restore", made, "--key-file", key, "--keep-sessions", "--quarantine-hours", "0"
    )
    assert "believed at once, replays of them too: 1" in done.stderr


def test_the_key_has_to_be_brought(bittern, made):
    shutil.rmtree(bittern.data_dir)
    done = bittern("restore", made)
    assert done.exit_code == 1
    assert "--key-file" in done.stderr
    assert not bittern.data_dir.exists()
