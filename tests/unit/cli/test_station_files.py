from __future__ import annotations

from pathlib import Path

import pytest

from bittern.cli.station_files import FILES, write_station_files
from bittern.errors import Conflict
from bittern.pki.authority import open_authority
from bittern.pki.issuing import Issued, issue_gateway_certificate
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_800_000_000.0)


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    authority = open_authority(tmp_path / "pki", NOW)
    return issue_gateway_certificate(authority, GatewayEUI(EUI64(bytes(8))), NOW)


def test_files_stay_when_all_went_well(tmp_path: Path, issued: Issued) -> None:
    with write_station_files(tmp_path / "f", uri="wss://a:1", trust=b"trust", issued=issued):
        pass
    assert sorted(one.name for one in (tmp_path / "f").iterdir()) == sorted(FILES)
    assert (tmp_path / "f/tc.trust").read_bytes() == b"trust"


def test_files_are_removed_when_what_they_are_for_fails(tmp_path: Path, issued: Issued) -> None:
    with (
        pytest.raises(ValueError, match="store"),
        write_station_files(tmp_path / "f", uri="wss://a:1", trust=b"trust", issued=issued),
    ):
        raise ValueError("store")
    assert list((tmp_path / "f").iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_any_file_that_is_there_is_left_alone(tmp_path: Path, issued: Issued, name: str) -> None:
    (tmp_path / name).write_text("somebody's")
    with (
        pytest.raises(Conflict, match=name),
        write_station_files(tmp_path, uri="wss://a:1", trust=b"trust", issued=issued),
    ):
        pass
    assert (tmp_path / name).read_text() == "somebody's"
    assert [one.name for one in tmp_path.glob("tc.*")] == [name]
