"""Signatures of update images, checked in the station's own steps too."""

from __future__ import annotations

import hashlib
import io
from zlib import crc32

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bittern.pki.firmware_signatures import (
    digest,
    key_crc,
    make_signing_key,
    public_key,
    read_signing_key,
    sign,
    signing_key_pem,
    verify,
)

KEY = make_signing_key()
PUBLIC = public_key(KEY)
IMAGE = bytes(range(256)) * 9000  # more than one piece of a file


def test_a_signature_is_what_a_station_checks() -> None:
    """X and Y from the file, SHA-512 over the image, DER."""
    x, y = (int.from_bytes(half, "big") for half in (PUBLIC[:32], PUBLIC[32:]))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    signature = sign(IMAGE, KEY)
    key.verify(signature, IMAGE, ec.ECDSA(hashes.SHA512()))
    assert signature[0] == 0x30
    assert len(signature) <= 72


def test_a_foreign_signature_over_the_whole_image_is_taken() -> None:
    """As ``openssl dgst -sha512 -sign`` makes it."""
    assert verify(digest(IMAGE), KEY.sign(IMAGE, ec.ECDSA(hashes.SHA512())), PUBLIC)


@pytest.mark.parametrize(
    "image",
    [IMAGE, io.BytesIO(IMAGE), [IMAGE[:5], IMAGE[5:]], iter([IMAGE])],
    ids=["bytes", "file", "pieces", "stream"],
)
def test_an_image_is_read_whole_or_in_pieces(image: object) -> None:
    assert digest(image) == hashlib.sha512(IMAGE).digest()  # type: ignore[arg-type]


def test_an_image_signed_from_a_file_is_verified() -> None:
    assert verify(digest(IMAGE), sign(io.BytesIO(IMAGE), KEY), PUBLIC)


SIGNATURE = sign(IMAGE, KEY)


@pytest.mark.parametrize(
    ("image", "signature", "public"),
    [
        (IMAGE + b"x", SIGNATURE, PUBLIC),
        (IMAGE, SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1]), PUBLIC),
        (IMAGE, SIGNATURE[:-1], PUBLIC),
        (IMAGE, b"", PUBLIC),
        (IMAGE, SIGNATURE, public_key(make_signing_key())),
        (IMAGE, SIGNATURE, PUBLIC[:-1]),
        (IMAGE, SIGNATURE, bytes(64)),
        (IMAGE, SIGNATURE, b"\xff" * 64),
    ],
    ids=[
        "other image", "changed", "cut short", "none",
        "other key", "short key", "no point", "no field",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_verified(image: bytes, signature: bytes, public: bytes) -> None:
    assert not verify(digest(image), signature, public)


def test_a_digest_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="64 bytes, not 32"):
        verify(hashlib.sha256(IMAGE).digest(), SIGNATURE, PUBLIC)


def test_a_key_is_named_by_the_crc_of_its_file() -> None:
    spki = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert len(PUBLIC) == 64
    assert spki[-64:] == PUBLIC
    assert key_crc(PUBLIC) == crc32(spki[-64:])


def test_a_signing_key_is_kept_as_pem() -> None:
    assert public_key(read_signing_key(signing_key_pem(KEY))) == PUBLIC
    pkcs8 = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    assert public_key(read_signing_key(pkcs8)) == PUBLIC


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no unencrypted private key"),
        (b"-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n", "no unenc"),
        (pem(KEY, b"password"), "no unencrypted private key"),
        (pem(rsa.generate_private_key(65537, 2048), None), "no EC key"),
        (pem(ec.generate_private_key(ec.SECP384R1()), None), "secp384r1"),
    ],
    ids=["nothing", "broken", "encrypted", "rsa", "p384"],
)
def test_a_key_that_a_station_cannot_check_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_signing_key(text)


def test_another_curve_neither_signs_nor_is_handed_out() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(ValueError, match="P-256"):
        sign(IMAGE, key)
    with pytest.raises(ValueError, match="P-256"):
        public_key(key)
