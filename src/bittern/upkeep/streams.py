"""Files sealed piece by piece, however long they are.

A piece is AES-256-GCM under a key that is used for this file alone; its nonce is its number, and
its associated data says whether it is the last. So no piece can be changed, moved, left out or
added (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bittern.errors import SealBroken

PIECE = 1 << 20
TAG = 16
_LAST = {False: b"\x00", True: b"\x01"}

Advance = Callable[[int], None]
"""Told how many bytes were done."""


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def sealed_size(size: int) -> int:
    """Of a file of `size` bytes; an empty one has one piece, too."""
    return size + TAG * max(1, -(-size // PIECE))


def seal_stream(source: Source, size: int, key: bytes, target: BinaryIO, done: Advance) -> str:
    """Exactly `size` bytes of `source`. Returns the SHA-256 of what was written, in hexadecimal.

    Raises EOFError where the source is shorter.
    """
    cipher, digest, left, number = AESGCM(key), hashlib.sha256(), size, 0
    while True:
        piece = _exactly(source, min(PIECE, left))
        left -= len(piece)
        sealed = cipher.encrypt(_nonce(number), piece, _LAST[left == 0])
        digest.update(sealed)
        target.write(sealed)
        done(len(piece))
        number += 1
        if left == 0:
            return digest.hexdigest()


def open_stream(
    source: Source, size: int, key: bytes, target: BinaryIO, *, where: str, done: Advance
) -> None:
    """Write what `seal_stream` was given; `size` is that of the file. Raises `SealBroken`."""
    cipher, left, number = AESGCM(key), size, 0
    while True:
        length = min(PIECE, left)
        sealed = source.read(length + TAG)
        left -= length
        try:
            piece = cipher.decrypt(_nonce(number), sealed, _LAST[left == 0])
        except (InvalidTag, ValueError):
            raise SealBroken(where) from None
        target.write(piece)
        done(len(piece))
        number += 1
        if left == 0:
            return


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _exactly(source: Source, length: int) -> bytes:
    data = source.read(length)
    while len(data) < length:
        more = source.read(length - len(data))
        if not more:
            raise EOFError("shorter than it was said to be")
        data += more
    return data
