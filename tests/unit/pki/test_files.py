from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bittern.errors import KeyFileExposed
from bittern.pki import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "pki")
    assert mode(tmp_path / "pki") == 0o700
    files.make_folder(tmp_path / "pki")


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert files.write_once(tmp_path / "key", b"first")
    assert mode(tmp_path / "key") == 0o600
    assert files.read_secret(tmp_path / "key") == b"first"


def test_an_existing_file_stays(tmp_path: Path) -> None:
    files.write_once(tmp_path / "key", b"first")
    assert not files.write_once(tmp_path / "key", b"second")
    assert files.read_secret(tmp_path / "key") == b"first"


def test_a_replaced_file_has_the_new_content(tmp_path: Path) -> None:
    files.replace(tmp_path / "key", b"first")
    files.replace(tmp_path / "key", b"second")
    assert files.read_secret(tmp_path / "key") == b"second"
    assert mode(tmp_path / "key") == 0o600


def test_no_draft_is_left(tmp_path: Path) -> None:
    files.write_once(tmp_path / "key", b"first")
    files.write_once(tmp_path / "key", b"second")
    files.replace(tmp_path / "key", b"third")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, permissions: int) -> None:
    files.write_once(tmp_path / "key", b"first")
    (tmp_path / "key").chmod(permissions)
    with pytest.raises(KeyFileExposed, match=f"has mode {permissions:04o}"):
        files.read_secret(tmp_path / "key")
