"""Private keys of the data directory: sealed, taken over from an earlier version, sealed anew."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.pki.authority import open_authority
from bittern.pki.identity import server_identity, shown
from bittern.pki.sealed import SealedKeys
from bittern.types import Instant

ONE, BOTH = KeyRing({1: b"o" * 32}), KeyRing({1: b"o" * 32, 2: b"n" * 32})
TWO = KeyRing({2: b"n" * 32})


def make(folder: Path, now: Instant, ring: KeyRing | None) -> None:
    authority = open_authority(folder, now, vault=ring)
    server_identity(folder, authority, ["a"], now, vault=ring)


def in_the_clear(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]


def test_no_private_key_is_in_the_clear(tmp_path: Path, now: Instant) -> None:
    make(tmp_path, now, ONE)
    assert in_the_clear(tmp_path) == []
    assert SealedKeys(tmp_path).count() == {1: 2}
    with pytest.raises(SealBroken):
        open_authority(tmp_path, now)


def test_keys_of_an_earlier_version_are_taken_over(tmp_path: Path, now: Instant) -> None:
    make(tmp_path, now, None)
    before = open_authority(tmp_path, now)
    server = (tmp_path / "server.pem").read_bytes()
    assert sorted(in_the_clear(tmp_path)) == ["ca.key", "server.pem"]
    assert SealedKeys(tmp_path).count() == {0: 2}
    make(tmp_path, now, ONE)
    assert in_the_clear(tmp_path) == []
    after = open_authority(tmp_path, now, vault=ONE)
    assert after.fingerprint == before.fingerprint
    assert after.certificate == before.certificate
    assert shown(tmp_path / "server.pem", ONE)._pem == server
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_keys_are_sealed_anew(tmp_path: Path, now: Instant) -> None:
    make(tmp_path, now, ONE)
    sealed = SealedKeys(tmp_path)
    assert [sealed.reseal(BOTH, 10) for _ in range(3)] == [1, 1, 0]
    assert sealed.count() == {2: 2}
    make(tmp_path, now, TWO)


def test_a_key_that_was_changed_is_told_and_left(
    tmp_path: Path, now: Instant, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path, now, ONE)
    path = tmp_path / "ca.key"
    (tmp_path / "other").mkdir()
    make(tmp_path / "other", now, KeyRing({1: b"x" * 32}))
    path.write_bytes((tmp_path / "other" / "ca.key").read_bytes())
    sealed = SealedKeys(tmp_path)
    with caplog.at_level(logging.ERROR, "bittern.pki"):
        while sealed.reseal(BOTH, 10):
            pass
    assert "sealed value of pki.ca.key does not open" in caplog.text
    assert sealed.count() == {1: 1, 2: 1}


def test_keys_do_not_open_in_each_others_place(tmp_path: Path, now: Instant) -> None:
    make(tmp_path, now, ONE)
    (tmp_path / "ca-2.key").write_bytes((tmp_path / "ca.key").read_bytes())
    (tmp_path / "ca-2.key").chmod(0o600)
    with pytest.raises(SealBroken, match=r"pki\.ca-2\.key"):
        open_authority(tmp_path, now, "ca-2", vault=ONE)
