from __future__ import annotations

import logging
import stat
from pathlib import Path

import msgspec
import pytest

from bittern.errors import ConfigurationError
from bittern.outputs.broker.accounts import (
    USERNAME,
    WITHOUT_PASSWORD,
    Account,
    Accounts,
    CertificateRecord,
)
from bittern.outputs.broker.users import NAMES_KEPT, WRONG_KEPT, Change, Users
from bittern.types import Instant


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


def set_account(files: Files, name: str, account: Account | None) -> None:
    def work(known: dict[str, Account]) -> None:
        if account is None:
            del known[name]
        else:
            known[name] = account

    Accounts(*files).change(work)


def test_user_added_while_the_server_runs_logs_in(files: Files) -> None:
    users = Users.open(*files)
    assert not users.changed()
    set_account(files, "lake", WITHOUT_PASSWORD.with_password(b"fresh"))
    assert users.changed()
    assert users.follow() == Change(frozenset(), frozenset())
    assert users.check("lake", b"fresh")
    assert not users.check(USERNAME, b"fresh")
    assert not users.changed()


def test_new_password_ends_the_old_one_even_where_it_was_remembered(files: Files) -> None:
    users = Users.open(*files)
    set_account(files, "lake", WITHOUT_PASSWORD.with_password(b"old"))
    users.follow()
    assert users.check("lake", b"old")
    set_account(files, "lake", WITHOUT_PASSWORD.with_password(b"new"))
    assert users.follow() == Change(frozenset(), frozenset({"lake"}))
    assert not users.remembers("lake", b"old")
    assert not users.check("lake", b"old")


def test_user_who_is_gone_is_told(files: Files) -> None:
    users = Users.open(*files)
    set_account(files, "lake", WITHOUT_PASSWORD.with_password(b"old"))
    users.follow()
    set_account(files, "lake", None)
    assert users.follow() == Change(frozenset({"lake"}), frozenset())
    assert users.login("lake") is None


def test_certificate_logs_its_user_in_until_it_is_taken_away(files: Files) -> None:
    users = Users.open(*files)
    record = CertificateRecord("ab" * 32, Instant(100.0))
    set_account(files, "lake", msgspec.structs.replace(WITHOUT_PASSWORD, certificates=(record,)))
    assert users.follow() == Change(frozenset(), frozenset())
    assert users.holder("ab" * 32, Instant(0.0)) == "lake"
    assert users.holder("cd" * 32, Instant(0.0)) is None
    set_account(files, "lake", WITHOUT_PASSWORD)
    assert users.follow() == Change(frozenset(), frozenset({"lake"}))
    assert users.holder("ab" * 32, Instant(0.0)) is None


def test_empty_password_does_not_log_in_a_user_who_has_none(files: Files) -> None:
    set_account(files, "lake", WITHOUT_PASSWORD)
    assert not Users.open(*files).check("lake", b"")


def test_broken_file_leaves_the_users_as_they_were(files: Files) -> None:
    users = Users.open(*files)
    files[1].write_text("{")
    with pytest.raises(ConfigurationError):
        users.follow()
    assert users.check(USERNAME, files[0].read_bytes().strip())
    assert not users.changed()


@pytest.mark.parametrize("name", [USERNAME, "nobody"])
def test_wrong_password_is_known_again_for_a_while(files: Files, name: str) -> None:
    users = Users.open(*files)
    assert not users.remembers_wrong(name, b"wrong")
    users.check(name, b"wrong")
    assert users.remembers_wrong(name, b"wrong")
    assert not users.remembers_wrong(name, b"other")
    for number in range(WRONG_KEPT):
        users._keep_wrong(name, b"%d" % number)
    assert not users.remembers_wrong(name, b"wrong")


def test_names_of_wrong_passwords_are_bounded(files: Files) -> None:
    users = Users.open(*files)
    for number in range(2 * NAMES_KEPT):
        users._keep_wrong(f"u{number}", b"x")
    assert len(users._wrong) <= NAMES_KEPT
