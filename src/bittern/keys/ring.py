"""Sealing: a secret leaves this process only encrypted, and opens only where it was put.

The cipher is XAES-256-GCM (C2SP, "XAES-256-GCM"): AES-256-GCM under a key that is derived from the
data key and the first half of a 192-bit nonce. Plain AES-256-GCM with random 96-bit nonces must
not seal more than 2^32 values under one key (NIST SP 800-38D, 8.3); a busy server seals that many
in days. The first half is drawn once per process and again every `SEALS_PER_PREFIX` values, so
that the derived cipher is made rarely; the second half is drawn for every value.

A sealed value is: 1 byte key id, 24 bytes nonce, the ciphertext, 16 bytes tag. Its place (table,
column, identity of the row) is associated data: moved elsewhere it does not open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Protocol
from weakref import WeakSet

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bittern.errors import SealBroken

KEY_SIZE = 32
SEALS_PER_PREFIX = 1 << 28
NONCES_PER_DRAW = 256
_HALF = 12
_OVERHEAD = 1 + 2 * _HALF + 16


_rings: WeakSet[KeyRing] = WeakSet()


def _after_fork() -> None:
    for ring in _rings:
        ring._draw_prefix()


os.register_at_fork(after_in_child=_after_fork)


class Vault(Protocol):
    """Seals what the store keeps secret. `where` names the place: `session.keys:<identity>`."""

    @property
    def sealing_id(self) -> int:
        """Of the data key that seals now."""
        ...

    def seal(self, plaintext: bytes, where: str) -> bytes: ...

    def open(self, sealed: bytes, where: str, formerly: str | None = None) -> bytes:
        """`formerly` is how an earlier version named the place. Raises `SealBroken`."""
        ...


class KeyRing:
    """A `Vault` with data keys by id, 1 to 255: one seals, every one opens.

    `sealing` is the newest unless it is named. `earlier` are the keys by which an earlier version
    sealed, under the names that places had then: only for these does `formerly` count. The keys
    may be changed while other threads seal and open.
    """

    _nonces: list[bytes]

    def __init__(
        self, keys: Mapping[int, bytes], sealing: int | None = None, earlier: Set[int] = frozenset()
    ) -> None:
        self._keys: dict[int, _DataKey] = {}
        self.change(keys, max(keys, default=0) if sealing is None else sealing, earlier)
        _rings.add(self)

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(self._keys)

    @property
    def sealing_id(self) -> int:
        return self._sealing_id

    def change(self, keys: Mapping[int, bytes], sealing: int, earlier: Set[int]) -> None:
        """Take these keys instead. One that was there keeps the ciphers derived of it."""
        if not keys or any(not 1 <= key_id <= 255 for key_id in keys):
            raise ValueError("a key ring has at least one key, with ids from 1 to 255")
        if sealing not in keys:
            raise ValueError("the key that seals is not on the ring")
        known = self._keys
        made = {key_id: _DataKey(key) for key_id, key in keys.items()}
        self._keys = {
            key_id: known[key_id] if key_id in known and known[key_id].is_same(key) else key
            for key_id, key in made.items()
        }
        self._earlier = frozenset(earlier)
        self._sealing_id = sealing
        self._draw_prefix()

    def seal(self, plaintext: bytes, where: str) -> bytes:
        if self._seals_left == 0:
            self._draw_prefix()
        self._seals_left -= 1
        nonce = self._draw_nonce()
        head, cipher = self._sealing
        return head + nonce + cipher.encrypt(nonce, plaintext, where.encode())

    def open(self, sealed: bytes, where: str, formerly: str | None = None) -> bytes:
        if len(sealed) < _OVERHEAD:
            raise SealBroken(where)
        key = self._keys.get(sealed[0])
        if key is None:
            raise SealBroken(where, sealed[0])
        place = where
        if formerly is not None and sealed[0] in self._earlier:
            place = formerly
        cipher = key.cipher(sealed[1 : 1 + _HALF])
        nonce, ciphertext = sealed[1 + _HALF : 1 + 2 * _HALF], sealed[1 + 2 * _HALF :]
        try:
            return cipher.decrypt(nonce, ciphertext, place.encode())
        except InvalidTag:
            raise SealBroken(where) from None

    def derived(self, purpose: str) -> bytes:
        """32 secret bytes for something else than sealing, the same in every process that has the
        newest data key, and of no use for finding it."""
        return self._keys[self._sealing_id].derived(purpose)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def _draw_nonce(self) -> bytes:
        """Drawn in blocks: each draw lets go of the interpreter's lock, and the hot path seals."""
        while True:
            try:
                return self._nonces.pop()  # atomic: no two threads get the same one
            except IndexError:
                drawn = os.urandom(NONCES_PER_DRAW * _HALF)
                self._nonces = [drawn[at : at + _HALF] for at in range(0, len(drawn), _HALF)]

    def _draw_prefix(self) -> None:
        """With the nonces that were drawn: a forked process calls this, to share none of them."""
        self._nonces = []
        prefix, key_id = os.urandom(_HALF), self._sealing_id
        # One value: a thread that seals meanwhile has either pair, never a half of each.
        self._sealing = bytes([key_id]) + prefix, self._keys[key_id].cipher(prefix)
        self._seals_left = SEALS_PER_PREFIX


class _DataKey:
    """Derives the ciphers of XAES-256-GCM; one for each nonce prefix, the last used are kept."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError(f"a data key is {KEY_SIZE} bytes, not {len(key)}")
        self._key = AES256(key)
        self.cipher = lru_cache(maxsize=1024)(self._derive)

    def is_same(self, other: _DataKey) -> bool:
        return self._key.key == other._key.key

    def derived(self, purpose: str) -> bytes:
        return derived_key(bytes(self._key.key), purpose)

    def _derive(self, prefix: bytes) -> AESGCM:
        """AES-CMAC of two counter blocks (NIST SP 800-108, 4.1, label "X") is the derived key.

        A block is full, so its CMAC is one encryption of it masked by the subkey K1
        (NIST SP 800-38B, 6.1).
        """
        encrypt = Cipher(self._key, ECB()).encryptor().update  # nosec B305
        mask = int.from_bytes(encrypt(bytes(16)), "big") << 1
        if mask >> 128:
            mask ^= 1 << 128 | 0x87
        blocks = (b"\x00\x01X\x00" + prefix, b"\x00\x02X\x00" + prefix)
        masked = ((int.from_bytes(block, "big") ^ mask).to_bytes(16, "big") for block in blocks)
        return AESGCM(b"".join(map(encrypt, masked)))


def derived_key(key: bytes, purpose: str) -> bytes:
    """HKDF with SHA-256 (RFC 5869), `KEY_SIZE` bytes."""
    return HKDF(SHA256(), KEY_SIZE, None, purpose.encode()).derive(key)


def key_id_of(sealed: bytes) -> int:
    """Of the data key that a value is sealed under; 0 for what is no sealed value."""
    return sealed[0] if len(sealed) >= _OVERHEAD else 0
