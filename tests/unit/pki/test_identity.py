from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509

from bittern.errors import KeyFileExposed
from bittern.pki.authority import Authority, open_authority
from bittern.pki.identity import server_identity
from bittern.types import Instant

NAMES = ["localhost", "127.0.0.1"]
DAY = 86_400


def test_it_is_made_once(tmp_path: Path, authority: Authority, now: Instant) -> None:
    path = server_identity(tmp_path, authority, NAMES, now)
    first = path.read_bytes()
    assert server_identity(tmp_path, authority, NAMES, Instant(now + 700 * DAY)) == path
    assert path.read_bytes() == first


def test_key_and_certificate_share_a_file_for_its_owner(
    tmp_path: Path, authority: Authority, now: Instant
) -> None:
    path = server_identity(tmp_path / "pki", authority, NAMES, now)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"EC PRIVATE KEY" in path.read_bytes()
    assert authority.has_signed(x509.load_pem_x509_certificate(path.read_bytes()))


@pytest.mark.parametrize("names", [["localhost"], [*NAMES, "lns.example.com"]])
def test_other_names_renew_it(
    tmp_path: Path, authority: Authority, now: Instant, names: list[str]
) -> None:
    first = server_identity(tmp_path, authority, NAMES, now).read_bytes()
    assert server_identity(tmp_path, authority, names, now).read_bytes() != first


@pytest.mark.parametrize("days", [-8, 766, 3000])
def test_an_expiry_that_nears_renews_it(
    tmp_path: Path, authority: Authority, now: Instant, days: int
) -> None:
    first = server_identity(tmp_path, authority, NAMES, now).read_bytes()
    then = Instant(now + days * DAY)
    assert server_identity(tmp_path, authority, NAMES, then).read_bytes() != first


def test_another_authority_renews_it(tmp_path: Path, authority: Authority, now: Instant) -> None:
    first = server_identity(tmp_path, authority, NAMES, now).read_bytes()
    other = open_authority(tmp_path / "other", now)
    second = server_identity(tmp_path, other, NAMES, now).read_bytes()
    assert other.has_signed(x509.load_pem_x509_certificate(second))
    assert second != first


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff"])
def test_a_broken_file_renews_it(
    tmp_path: Path, authority: Authority, now: Instant, content: bytes
) -> None:
    path = server_identity(tmp_path, authority, NAMES, now)
    path.write_bytes(content)
    server_identity(tmp_path, authority, NAMES, now)
    assert authority.has_signed(x509.load_pem_x509_certificate(path.read_bytes()))


def test_a_key_that_others_can_read_is_told(
    tmp_path: Path, authority: Authority, now: Instant
) -> None:
    server_identity(tmp_path, authority, NAMES, now).chmod(0o644)
    with pytest.raises(KeyFileExposed):
        server_identity(tmp_path, authority, NAMES, now)
