from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from bittern.errors import ConfigurationError
from bittern.outputs.broker.users import USERNAME, Users


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "mqtt.password", tmp_path / "mqtt.users"


Files = tuple[Path, Path]


def test_first_start_draws_a_password_for_its_owner_alone(files: Files) -> None:
    users = Users.open(*files)
    password = files[0].read_bytes().rstrip(b"\n")
    assert len(password) >= 24
    assert users.check(USERNAME, password)
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert password not in files[1].read_bytes()


def test_every_installation_has_its_own_password(tmp_path: Path) -> None:
    drawn = set()
    for name in ("a", "b"):
        Users.open(tmp_path / name, tmp_path / f"{name}.users")
        drawn.add((tmp_path / name).read_bytes())
    assert len(drawn) == 2


def test_password_does_not_reach_the_log(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    users = Users.open(*files)
    password = files[0].read_text().strip()
    users.check(USERNAME, password.encode())
    assert password not in caplog.text
    assert "mqtt.password" in caplog.text


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (USERNAME, b"wrong"),
        (USERNAME, b""),
        (USERNAME, None),
        (None, None),
        ("", b""),
        ("root", b"wrong"),
    ],
)
def test_nobody_logs_in_otherwise(
    files: Files, username: str | None, password: bytes | None
) -> None:
    users = Users.open(*files)
    assert not users.check(username, password)
    assert not users.remembers(username, password)


def test_password_of_another_name_does_not_log_in(files: Files) -> None:
    users = Users.open(*files)
    assert not users.check("other", files[0].read_bytes().strip())


def test_password_is_remembered_after_its_check_and_no_other(files: Files) -> None:
    users = Users.open(*files)
    password = files[0].read_bytes().strip()
    assert not users.remembers(USERNAME, password)
    users.check(USERNAME, password)
    assert users.remembers(USERNAME, password)
    assert not users.remembers(USERNAME, password + b"x")


def test_password_stays_over_restarts_even_when_its_file_was_deleted(files: Files) -> None:
    Users.open(*files)
    password = files[0].read_bytes().strip()
    files[0].unlink()
    users = Users.open(*files)
    assert users.check(USERNAME, password)
    assert not files[0].exists()


def test_password_that_the_operator_wrote_replaces_the_other(files: Files) -> None:
    Users.open(*files)
    old = files[0].read_bytes().strip()
    files[0].write_bytes(b"of my own\r\nsecond line\n")
    users = Users.open(*files)
    assert users.check(USERNAME, b"of my own")
    assert not users.check(USERNAME, old)


@pytest.mark.parametrize("place", [0, 1])
def test_file_that_others_can_read_is_refused(files: Files, place: int) -> None:
    Users.open(*files)
    files[place].chmod(0o640)
    with pytest.raises(ConfigurationError, match="mode 0640; it must be 0600"):
        Users.open(*files)


def test_empty_password_is_refused(files: Files) -> None:
    files[0].touch(0o600)
    with pytest.raises(ConfigurationError, match="first line is empty"):
        Users.open(*files)


def test_damaged_users_file_is_refused(files: Files) -> None:
    files[1].touch(0o600)
    files[1].write_text("{")
    with pytest.raises(ConfigurationError, match=r"mqtt\.users"):
        Users.open(*files)


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        Users.open(tmp_path / "no" / "password", tmp_path / "no" / "users")
