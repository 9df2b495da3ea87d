from __future__ import annotations

import stat
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bittern.cli.station_files import StationFiles, file_names, write_station_files
from bittern.errors import Conflict
from bittern.pki.authority import Authority, open_authority
from bittern.store.gateway_records import Place
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_800_000_000.0)
EUI = GatewayEUI(EUI64(bytes(8)))
URIS: dict[Place, str] = {"cups": "https://a:1", "lns": "wss://a:2"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path / "pki", NOW)


@pytest.fixture
def sets(authority: Authority) -> list[StationFiles]:
    return [
        StationFiles.made(authority, EUI, place=place, uri=uri, now=NOW)
        for place, uri in URIS.items()
    ]


def test_files_stay_when_all_went_well(
    tmp_path: Path, authority: Authority, sets: list[StationFiles]
) -> None:
    with write_station_files(tmp_path / "f", sets):
        pass
    assert sorted(one.name for one in (tmp_path / "f").iterdir()) == sorted(file_names())
    assert (tmp_path / "f/tc.trust").read_bytes() == authority.pem
    assert (tmp_path / "f/cups.uri").read_text() == "https://a:1\n"
    assert {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "f").iterdir()} == {0o600}


@pytest.mark.parametrize("stem", ["cups", "tc"])
def test_record_has_the_crc_by_which_a_station_names_its_files(
    tmp_path: Path, sets: list[StationFiles], stem: str
) -> None:
    with write_station_files(tmp_path / "f", sets):
        pass
    record = sets[0 if stem == "cups" else 1].record(EUI, NOW)
    stored = b"".join(
        (tmp_path / f"f/{stem}.{part}").read_bytes() for part in ("trust", "crt", "key")
    )
    assert record.credentials_crc == zlib.crc32(stored)


def test_each_place_has_a_certificate_of_its_own(
    authority: Authority, sets: list[StationFiles]
) -> None:
    cups, lns = (one.record(EUI, NOW) for one in sets)
    assert (cups.purpose, lns.purpose) == ("cups", "lns")
    assert cups.fingerprint != lns.fingerprint
    assert cups.authority == lns.authority == authority.fingerprint
    assert cups.not_after == Instant(authority.certificate.not_valid_after_utc.timestamp())


def test_key_is_of_the_kind_that_is_configured(authority: Authority) -> None:
    made = StationFiles.made(authority, EUI, place="lns", uri="wss://a:1", now=NOW, kind="rsa-2048")
    key = load_pem_private_key(made.contents()["tc.key"], None)
    assert isinstance(key, rsa.RSAPrivateKey)


def test_files_are_removed_when_what_they_are_for_fails(
    tmp_path: Path, sets: list[StationFiles]
) -> None:
    with pytest.raises(ValueError, match="store"), write_station_files(tmp_path / "f", sets):
        raise ValueError("store")
    assert list((tmp_path / "f").iterdir()) == []


@pytest.mark.parametrize("name", file_names())
def test_any_file_that_is_there_is_left_alone(
    tmp_path: Path, sets: list[StationFiles], name: str
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / name).write_text("somebody's")
    with pytest.raises(Conflict, match=name), write_station_files(folder, sets):
        pass
    assert (folder / name).read_text() == "somebody's"
    assert [one.name for one in folder.iterdir()] == [name]


def test_files_do_not_print_their_key(sets: list[StationFiles]) -> None:
    assert "PRIVATE" not in repr(sets)
