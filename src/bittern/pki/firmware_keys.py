"""Public keys by which the server checks update images before a gateway is given one.

A folder of files ``*.key`` of 64 bytes, X and Y of a point on P-256: the same as ``sig-0.key`` on a
gateway, so either can be copied to the other. Definitions name a key by the CRC-32 of that file,
which several may share by accident or intent; all that do are tried.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bittern.pki import files
from bittern.pki.firmware_signatures import PUBLIC_KEY_SIZE, key_crc

SUFFIX = ".key"
FILE_LIMIT = 4096
"""Bytes of the longest file that is looked into; the key in PEM has 178."""
_UNCOMPRESSED = b"\x04"


def public_keys(folder: Path) -> list[bytes]:
    """All keys in the folder, without what is no key; none where there is no folder."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    return [content for path in paths if is_public_key(content := _read(path))]


def keys_of_crc(folder: Path, crc: int) -> list[bytes]:
    return [public for public in public_keys(folder) if key_crc(public) == crc]


def add_public_key(folder: Path, public: bytes) -> Path:
    """Keep a key; where it is now. Raises ValueError where it is none."""
    if not is_public_key(public):
        raise ValueError("not a point on P-256: 64 bytes, X and Y")
    if public in public_keys(folder):
        return next(path for path in folder.glob(f"*{SUFFIX}") if _read(path) == public)
    files.make_folder(folder)
    stem, number = f"{key_crc(public)}", 1
    while not files.write_once(path := folder / f"{stem}{SUFFIX}", public):
        number += 1
        stem = f"{key_crc(public)}-{number}"
    return path


def read_public_key(content: bytes) -> bytes:
    """64 bytes of a file as it lies on a gateway, or of a public key in PEM or DER.

    Raises ValueError, for a private key too: that one stays where images are signed.
    """
    if is_public_key(content):
        return content
    if b"PRIVATE KEY" in content:
        raise ValueError("this is the private key: the server needs the public one only")
    is_pem = content.lstrip().startswith(b"-----BEGIN")
    load = serialization.load_pem_public_key if is_pem else serialization.load_der_public_key
    try:
        key = load(content)
    except ValueError:
        raise ValueError("no public key: 64 bytes X and Y, or PEM, or DER") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("a station checks by P-256 keys only, and this is another")
    point = key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return point[1:]


def is_public_key(content: bytes) -> bool:
    """Whether a station takes a file with this content for a key."""
    if len(content) != PUBLIC_KEY_SIZE:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _UNCOMPRESSED + content)
    except ValueError:
        return False
    return True


def _read(path: Path) -> bytes:
    """Empty where it is no file of ours."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_LIMIT)
    except OSError:
        return b""
