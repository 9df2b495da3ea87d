from __future__ import annotations

import random
from pathlib import Path

import pytest
import trustme

from bittern.app.joining import join_servers_of, keks_of, places_of
from bittern.config import Configuration
from bittern.config.settings import JoinServer
from bittern.errors import ConfigurationError
from bittern.servers.join_client import Place
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import KeyEncryptionKey


def configured(folder: Path, **settings: object) -> Configuration:
    return Configuration(data_dir=folder, join_server=JoinServer(**settings))  # type: ignore[arg-type]


def test_ranges_go_beside_what_is_for_every_join_eui(tmp_path: Path) -> None:
    rows = {"0000000000000005": "https://five", "00000000000000ff-0000000000000FFF": "https://row"}
    assert list(places_of(configured(tmp_path, uri="https://all", uris=rows))) == [
        Place(0, 0xFFFF_FFFF_FFFF_FFFF, "https://all"),
        Place(5, 5, "https://five"),
        Place(255, 4095, "https://row"),
    ]
    assert list(places_of(configured(tmp_path))) == []


async def opened(configuration: Configuration) -> object:
    async with join_servers_of(
        configuration, MemoryStore(), lambda: NOW, random.Random(1)
    ) as servers:
        return servers


async def test_without_one_there_is_none(tmp_path: Path) -> None:
    assert await opened(configured(tmp_path)) is None


async def test_the_files_are_where_they_are_written_to(tmp_path: Path) -> None:
    configuration, folder = configured(tmp_path, uri="https://all"), tmp_path / "join-server"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match=r"join_server\.certificate: file not found"):
        await opened(configuration)
    authority = trustme.CA()
    leaf = authority.issue_cert("net")
    leaf.cert_chain_pems[0].write_to_path(folder / "client.crt")
    leaf.private_key_pem.write_to_path(folder / "client.key")
    with pytest.raises(ConfigurationError, match=r"join_server\.trust: file not found"):
        await opened(configuration)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    assert await opened(configuration) is not None
    trustme.CA().issue_cert("other").private_key_pem.write_to_path(folder / "client.key")
    with pytest.raises(ConfigurationError, match="cannot be used with its key"):
        await opened(configuration)


def test_keys_are_read_by_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "keks"
    path.write_text(f"000013-ab {'00' * 32}\na label of words {'01' * 16}\n")
    path.chmod(0o600)
    assert keks_of(configured(tmp_path, kek_file=path)) == {
        "000013-ab": KeyEncryptionKey(bytes(32)),
        "a label of words": KeyEncryptionKey(b"\x01" * 16),
    }
    assert keks_of(configured(tmp_path)) == {}


@pytest.mark.parametrize("text", ["label c0ffee", "c0" * 16, "label", "label " + "xy" * 16])
def test_a_line_that_is_no_key_is_named_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keks"
    path.write_text(f"good {'00' * 16}\n{text}\n")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        keks_of(configured(tmp_path, kek_file=path))
    assert "line 2" in str(caught.value)
    assert "c0" not in str(caught.value).replace(str(tmp_path), "")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keks"
    path.write_text(f"good {'00' * 16}\n")
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        keks_of(configured(tmp_path, kek_file=path))
