from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bittern.errors import ConfigurationError, KeyFileExposed, KeyProviderRefused
from bittern.keys.file import (
    data_keys_of_an_earlier_version,
    file_provider,
    make_key_file,
    remove_key_file,
)

KEY = bytes(range(32))
CONTEXT = "bittern data key 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.key"


def write(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


async def test_the_key_file_is_made_private_at_first_start(path: Path) -> None:
    wrapped = await file_provider(path).wrap(KEY, CONTEXT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert await file_provider(path).unwrap(wrapped, CONTEXT) == KEY
    assert [entry.name for entry in path.parent.iterdir()] == ["data.key"]


def test_the_key_file_is_private_whatever_the_mask_is(path: Path) -> None:
    mask = os.umask(0)
    try:
        make_key_file(path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o777])
def test_an_exposed_key_file_is_refused(path: Path, mode: int) -> None:
    make_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed) as caught:
        file_provider(path)
    assert str(caught.value) == f"{path} has mode {mode:04o}; it must be 0600"
    with pytest.raises(KeyFileExposed):
        data_keys_of_an_earlier_version(path)


def test_a_key_file_may_be_read_only(path: Path) -> None:
    make_key_file(path)
    path.chmod(0o400)
    file_provider(path)


async def test_servers_that_start_together_share_one_key(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        providers = list(pool.map(file_provider, [path] * 8))
    wrapped = await providers[0].wrap(KEY, CONTEXT)
    assert {await provider.unwrap(wrapped, CONTEXT) for provider in providers} == {KEY}


async def test_a_file_of_an_earlier_version_goes_on_serving_by_its_newest_key(path: Path) -> None:
    write(path, f"2 {KEY.hex()}\n")
    wrapped = await file_provider(path).wrap(KEY, CONTEXT)
    path.write_text(f"1 {bytes(32).hex()}\n2 {KEY.hex()}\n")
    assert await file_provider(path).unwrap(wrapped, CONTEXT) == KEY


def test_data_keys_of_an_earlier_version_are_found(path: Path) -> None:
    assert data_keys_of_an_earlier_version(path) == {}
    write(path, f"1 {bytes(32).hex()}\n2 {KEY.hex()}\n")
    assert data_keys_of_an_earlier_version(path) == {1: bytes(32), 2: KEY}
    remove_key_file(path)
    make_key_file(path)
    assert data_keys_of_an_earlier_version(path) == {}


async def test_another_file_is_refused_with_the_cure(path: Path) -> None:
    wrapped = await file_provider(path).wrap(KEY, CONTEXT)
    other = path.with_name("other.key")
    with pytest.raises(KeyProviderRefused) as caught:
        await file_provider(other).unwrap(wrapped, CONTEXT)
    assert str(other) in str(caught.value)
    assert "bring back the key file" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY.hex(),
        f"x {KEY.hex()}",
        f"0 {KEY.hex()}",
        f"-1 {KEY.hex()}",
        f"256 {KEY.hex()}",
        f"key {KEY.hex()[:-2]}",
        "key g",
        f"key {KEY.hex()}\n1 {KEY.hex()}",
    ],
)
def test_what_is_no_key_file_is_refused_without_repeating_it(path: Path, text: str) -> None:
    write(path, text)
    with pytest.raises(ConfigurationError) as caught:
        file_provider(path)
    assert str(path) in str(caught.value)
    assert KEY.hex()[:32] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        file_provider(tmp_path / "nowhere" / "data.key")
