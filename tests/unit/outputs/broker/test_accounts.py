from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import msgspec
import pytest

from bittern.errors import ConfigurationError
from bittern.outputs.broker.accounts import (
    NAME,
    USERNAME,
    WITHOUT_PASSWORD,
    Account,
    Accounts,
    CertificateRecord,
    first_line,
)
from bittern.outputs.broker.permissions import EVERYTHING
from bittern.types import Instant


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "mqtt.password", tmp_path / "mqtt.users")


def add(accounts: Accounts, name: str, account: Account = WITHOUT_PASSWORD) -> None:
    accounts.change(lambda known: known.update({name: account}))


def test_first_start_makes_the_default_user(accounts: Accounts, tmp_path: Path) -> None:
    assert accounts.open().keys() == {USERNAME}
    assert accounts.read()[USERNAME].permissions(USERNAME) == EVERYTHING
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_first_change_makes_the_default_user_too(accounts: Accounts) -> None:
    add(accounts, "lake")
    assert accounts.read().keys() == {USERNAME, "lake"}


def test_file_of_the_time_of_one_user_is_understood(accounts: Accounts, tmp_path: Path) -> None:
    account = WITHOUT_PASSWORD.with_password(b"secret")
    fields = {name: getattr(account, name) for name in ("salt", "hash", "n", "r", "p")}
    path = tmp_path / "mqtt.users"
    path.touch(0o600)
    path.write_bytes(msgspec.json.encode({USERNAME: fields}))
    assert accounts.open() == {USERNAME: account}


def test_change_that_fails_changes_nothing(accounts: Accounts) -> None:
    before = accounts.open()

    def fail(known: dict[str, Account]) -> None:
        known.clear()
        raise KeyError

    with pytest.raises(KeyError):
        accounts.change(fail)
    assert accounts.read() == before


def test_version_differs_after_each_change(accounts: Accounts) -> None:
    versions = {accounts.version()}
    for name in ("a", "b", "a"):
        add(accounts, name)
        versions.add(accounts.version())
    assert len(versions) == 4


def _add_many(folder: Path, prefix: str) -> None:
    accounts = Accounts(folder / "mqtt.password", folder / "mqtt.users")
    for number in range(10):
        add(accounts, f"{prefix}{number}")


def test_processes_that_change_it_at_once_lose_nothing(accounts: Accounts, tmp_path: Path) -> None:
    accounts.open()
    spawned = multiprocessing.get_context("fork")
    workers = [spawned.Process(target=_add_many, args=(tmp_path, p)) for p in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(accounts.read()) == 1 + 20


def test_default_password_follows_in_its_file_unless_that_was_deleted(
    accounts: Accounts, tmp_path: Path
) -> None:
    accounts.open()
    path = tmp_path / "mqtt.password"
    accounts.set_default_password(b"another")
    assert path.read_bytes() == b"another\n"
    accounts.set_default_password(None)
    assert not path.exists()
    accounts.set_default_password(b"another")
    assert not path.exists()


def test_account_without_password_fits_none() -> None:
    assert not WITHOUT_PASSWORD.fits(b"")


def test_certificate_lets_in_until_its_end() -> None:
    record = CertificateRecord("ab" * 32, Instant(100.0))
    account = msgspec.structs.replace(WITHOUT_PASSWORD, certificates=(record,))
    assert account.lets_in("ab" * 32, Instant(99.0))
    assert not account.lets_in("ab" * 32, Instant(100.0))
    assert not account.lets_in("cd" * 32, Instant(99.0))


def test_account_does_not_print_its_hash() -> None:
    account = WITHOUT_PASSWORD.with_password(b"secret")
    assert repr(account) == "Account(…)"


@pytest.mark.parametrize("name", ["", "a/b", "+", "a b", "$x", "-x", "x" * 65, "ü"])
def test_name_that_no_topic_takes_is_none(name: str) -> None:
    assert NAME.fullmatch(name) is None


def test_password_is_the_first_line(tmp_path: Path) -> None:
    assert first_line(tmp_path, b"one\r\ntwo") == b"one"
    with pytest.raises(ConfigurationError, match="first line is empty"):
        first_line(tmp_path, b"\ntwo")
