"""Signatures of update images, as a station checks them: ECDSA P-256 over SHA-512, DER.

The public key lies on the gateway in ``sig-0.key``, ``sig-1.key`` and so on: 64 bytes, X and Y. The
CRC-32 of that file is the key's name in CUPS. An image may be large, so it is read piece by piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import BinaryIO
from zlib import crc32

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bittern.pki.authority import private_key_pem

PUBLIC_KEY_SIZE = 64
DIGEST_SIZE = 64
_PIECE = 1 << 20
_SCHEME = ec.ECDSA(Prehashed(hashes.SHA512()))


def make_signing_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SEC1, unencrypted: for a file that only its owner may read."""
    return private_key_pem(key)


def read_signing_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key from PEM, SEC1 or PKCS#8. Raises ValueError, which never quotes it."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise ValueError("no unencrypted private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a station checks ECDSA signatures only, and this is no EC key")
    _check_curve(key.curve)
    return key


def public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The content of ``sig-0.key`` on the gateway. Raises ValueError unless the curve is P-256."""
    _check_curve(key.curve)
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return point[1:]


def key_crc(public: bytes) -> int:
    """The name of a public key of 64 bytes, which CUPS and the gateway call it by."""
    return crc32(public)


def digest(image: bytes | BinaryIO | Iterable[bytes]) -> bytes:
    """SHA-512 of an image: bytes, an open file, or its pieces."""
    state = hashlib.sha512()
    for piece in _pieces(image):
        state.update(piece)
    return state.digest()


def sign(image: bytes | BinaryIO | Iterable[bytes], key: ec.EllipticCurvePrivateKey) -> bytes:
    """DER, 70 to 72 bytes as a rule. Raises ValueError unless the curve is P-256."""
    _check_curve(key.curve)
    return key.sign(digest(image), _SCHEME)


def verify(image_digest: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a station that has the key would execute the image with this `digest`.

    False too where ``public`` is no key: the station passes over such a file. Raises ValueError
    where ``image_digest`` has not the 64 bytes of a SHA-512.
    """
    if len(image_digest) != DIGEST_SIZE:
        raise ValueError(f"a SHA-512 has {DIGEST_SIZE} bytes, not {len(image_digest)}")
    if len(public) != PUBLIC_KEY_SIZE:
        return False
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public)
        key.verify(signature, image_digest, _SCHEME)
    except (InvalidSignature, ValueError):
        return False
    return True


def _pieces(image: bytes | BinaryIO | Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(image, bytes):
        return (image,)
    if isinstance(image, BinaryIO) or hasattr(image, "read"):
        return iter(lambda: image.read(_PIECE), b"")
    return image


def _check_curve(curve: ec.EllipticCurve) -> None:
    if not isinstance(curve, ec.SECP256R1):
        raise ValueError(f"a station checks by P-256 keys only, and this is of {curve.name}")
