from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bittern.pki.firmware_keys import (
    add_public_key,
    is_public_key,
    keys_of_crc,
    public_keys,
    read_public_key,
)
from bittern.pki.firmware_signatures import key_crc, make_signing_key, public_key, signing_key_pem

KEY = make_signing_key()
PUBLIC = public_key(KEY)


def spki(key: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def test_a_key_is_found_by_the_crc_of_its_file(tmp_path: Path) -> None:
    path = add_public_key(tmp_path / "keys", PUBLIC)
    other = public_key(make_signing_key())
    add_public_key(tmp_path / "keys", other)
    assert path.read_bytes() == PUBLIC
    assert path.stat().st_mode & 0o077 == 0
    assert keys_of_crc(tmp_path / "keys", key_crc(PUBLIC)) == [PUBLIC]
    assert sorted(public_keys(tmp_path / "keys")) == sorted([PUBLIC, other])


def test_no_folder_is_no_key(tmp_path: Path) -> None:
    assert public_keys(tmp_path / "keys") == []


def test_a_key_is_kept_once(tmp_path: Path) -> None:
    assert add_public_key(tmp_path, PUBLIC) == add_public_key(tmp_path, PUBLIC)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_of_the_same_name_is_not_replaced(tmp_path: Path) -> None:
    taken = tmp_path / f"{key_crc(PUBLIC)}.key"
    taken.write_bytes(b"something of the operator's")
    path = add_public_key(tmp_path, PUBLIC)
    assert (path != taken, taken.read_bytes()) == (True, b"something of the operator's")
    assert keys_of_crc(tmp_path, key_crc(PUBLIC)) == [PUBLIC]


def test_what_is_no_key_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "short.key").write_bytes(PUBLIC[:63])
    (tmp_path / "long.key").write_bytes(PUBLIC + b"\n")
    (tmp_path / "nowhere.key").write_bytes(bytes(64))
    (tmp_path / "dangling.key").symlink_to(tmp_path / "absent")
    (tmp_path / "sig-0.txt").write_bytes(PUBLIC)
    assert public_keys(tmp_path) == []
    with pytest.raises(ValueError, match="not a point on P-256"):
        add_public_key(tmp_path, bytes(64))


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_public_key_is_read_in_the_forms_that_openssl_writes(
    encoding: serialization.Encoding,
) -> None:
    assert read_public_key(spki(KEY, encoding)) == PUBLIC
    assert read_public_key(PUBLIC) == PUBLIC


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no public key"),
        (bytes(64), "no public key"),
        (signing_key_pem(KEY), "this is the private key"),
        (
            spki(ec.generate_private_key(ec.SECP384R1()), serialization.Encoding.DER),
            "P-256 keys only",
        ),
    ],
)
def test_what_a_station_could_not_use_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_public_key(content)


def test_a_point_must_lie_on_the_curve() -> None:
    assert is_public_key(PUBLIC)
    assert not is_public_key(PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]))
