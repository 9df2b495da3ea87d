from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from bittern import installation
from bittern.config import Configuration, Server
from bittern.errors import AlreadyServed
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant

NOW = Instant(1_800_000_000.0)


def configured(tmp_path: Path) -> Configuration:
    return Configuration(data_dir=tmp_path / "data", server=Server(names=("lns.example.com",)))


async def test_new_store_has_a_default_destination(tmp_path: Path) -> None:
    async with installation.opened_store(configured(tmp_path), NOW) as store:
        (only,) = await store.destinations(DEFAULT_ACCOUNT)
    assert (only.name, only.expression_type, only.expression) == (
        installation.DEFAULT_DESTINATION,
        "MqttTopic",
        installation.DEFAULT_TOPIC,
    )


async def test_default_destination_that_was_removed_does_not_return(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    async with installation.opened_store(configuration, NOW) as store:
        await store.remove_destination(DEFAULT_ACCOUNT, installation.DEFAULT_DESTINATION)
    async with installation.opened_store(configuration, NOW) as store:
        assert await store.destinations(DEFAULT_ACCOUNT) == []


async def test_there_is_an_account_from_the_first_start_on(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    async with installation.opened_store(configuration, NOW) as store:
        (only,) = await store.accounts()
    assert (only.id, only.name, only.created_at) == (DEFAULT_ACCOUNT, "default", NOW)
    async with installation.opened_store(configuration, Instant(NOW + 1)) as store:
        assert await store.accounts() == [only]


async def test_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    async with installation.opened_store(configuration, NOW):
        signed_by = installation.authorities(configuration, NOW)
        installation.server_certificate(configuration, signed_by, NOW)
        made = [configuration.data_dir, *configuration.data_dir.rglob("*")]
        assert len(made) > 5
        assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_authority_stays_what_it_is(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    assert installation.authorities(configuration, NOW).issuing.pem == (
        installation.authorities(configuration, NOW).issuing.pem
    )


def test_server_goes_by_its_configured_names(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    signed_by = installation.authorities(configuration, NOW)
    installation.server_certificate(configuration, signed_by, NOW)
    path = configuration.data_dir / "pki" / "server.pem"
    decoded = ssl._ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
    assert {("DNS", "localhost"), ("DNS", "127.0.0.1"), ("DNS", "lns.example.com")} <= set(
        decoded["subjectAltName"]
    )


def test_a_second_server_on_the_same_data_is_told_so(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    with (
        installation.only_server(configuration),
        pytest.raises(AlreadyServed),
        installation.only_server(configuration),
    ):
        pass
    with installation.only_server(configuration):
        pass
