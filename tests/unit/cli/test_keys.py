from __future__ import annotations

import re
from pathlib import Path

import pytest

from bittern.keys.ring import KEY_SIZE

DEVICE = "70b3d57ed0000001"


@pytest.fixture
def site(bittern):
    bittern.done("device", "add", DEVICE, "--app-key", "00112233445566778899aabbccddeeff")
    return bittern


def test_the_status_tells_where_the_keys_are_and_never_what(site) -> None:
    told = site.done("keys", "status", "--json")
    assert told.json["provider"] == "file"
    assert told.json["where"] == f"file {site.data_dir / 'data.key'}"
    assert [(key["id"], key["state"]) for key in told.json["keys"]] == [(1, "active")]
    assert told.json["left"] == 0
    assert told.json["sealed"] >= 1
    key = (site.data_dir / "data.key").read_text().split()[1]
    assert len(key) == 2 * KEY_SIZE
    assert key not in told.stdout + site.done("keys", "status").stdout


def test_a_rotation_without_a_server_is_done_at_once(site) -> None:
    site.done("ca", "show")
    before = site.done("keys", "status", "--json").json
    after = site.done("keys", "rotate", "--json").json
    assert [(key["id"], key["state"]) for key in after["keys"]] == [(2, "active")]
    assert (after["sealed"], after["left"]) == (before["sealed"], 0)
    shown = site.done("device", "show", DEVICE, "--json").stdout
    assert DEVICE in shown
    site.done("ca", "show")


def test_keys_move_to_another_provider(site, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(
        f'data_dir = "{site.data_dir}"\n[keys]\npath = "{tmp_path / "elsewhere.key"}"\n'
    )
    told = site.done("keys", "provider", "--to", other)
    assert re.search(r"data keys wrapped anew: 1", told.stderr)
    refused = site("device", "list")
    assert refused.exit_code == 1
    assert "bring back the key file" in refused.stderr
    assert site.done("device", "list", "--config", other, "--json").json


def test_an_environment_that_lacks_the_key_is_told_with_the_cure(
    site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(f'data_dir = "{site.data_dir}"\n[keys]\nprovider = "environment"\n')
    refused = site("keys", "provider", "--to", other)
    assert refused.exit_code == 1
    assert "set BITTERN_KEYS__SECRET" in refused.stderr
    monkeypatch.setenv("BITTERN_KEYS__SECRET", "ab" * 32)
    site.done("keys", "provider", "--to", other)
    assert site.done("keys", "status", "--config", other, "--json").json["provider"] == (
        "environment"
    )
    refused = site("keys", "status")
    assert refused.exit_code == 1
    assert "data key 1 was wrapped by environment" in refused.stderr


def test_a_key_file_that_others_can_read_is_refused(site) -> None:
    (site.data_dir / "data.key").chmod(0o644)
    refused = site("device", "list")
    assert refused.exit_code == 1
    assert "it must be 0600" in refused.stderr


def test_there_must_be_something_to_have_keys(bittern) -> None:
    refused = bittern("keys", "status")
    assert refused.exit_code == 1
    assert "nothing of bittern" in refused.stderr
