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
import stat
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bittern.errors import ConfigurationError, KeyFileExposed, SealBroken

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

    def seal(self, plaintext: bytes, where: str) -> bytes: ...

    def open(self, sealed: bytes, where: str) -> bytes:
        """Raises `SealBroken`."""
        ...


class KeyRing:
    """A `Vault` with data keys by id, 1 to 255: the newest seals, every one opens."""

    _nonces: list[bytes]

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or any(not 1 <= key_id <= 255 for key_id in keys):
            raise ValueError("a key ring has at least one key, with ids from 1 to 255")
        self._keys = {key_id: _DataKey(key) for key_id, key in keys.items()}
        self._sealing_id = max(keys)
        self._draw_prefix()
        _rings.add(self)

    def seal(self, plaintext: bytes, where: str) -> bytes:
        if self._seals_left == 0:
            self._draw_prefix()
        self._seals_left -= 1
        nonce = self._draw_nonce()
        return self._head + nonce + self._cipher.encrypt(nonce, plaintext, where.encode())

    def open(self, sealed: bytes, where: str) -> bytes:
        key = self._keys.get(sealed[0]) if len(sealed) >= _OVERHEAD else None
        if key is None:
            raise SealBroken(where)
        cipher = key.cipher(sealed[1 : 1 + _HALF])
        nonce, ciphertext = sealed[1 + _HALF : 1 + 2 * _HALF], sealed[1 + 2 * _HALF :]
        try:
            return cipher.decrypt(nonce, ciphertext, where.encode())
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
        prefix = os.urandom(_HALF)
        self._cipher = self._keys[self._sealing_id].cipher(prefix)
        self._head = bytes([self._sealing_id]) + prefix
        self._seals_left = SEALS_PER_PREFIX


class _DataKey:
    """Derives the ciphers of XAES-256-GCM; one for each nonce prefix, the last used are kept."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError(f"a data key is {KEY_SIZE} bytes, not {len(key)}")
        self._key = AES256(key)
        self.cipher = lru_cache(maxsize=1024)(self._derive)

    def derived(self, purpose: str) -> bytes:
        """HKDF with SHA-256 (RFC 5869)."""
        return HKDF(SHA256(), KEY_SIZE, None, purpose.encode()).derive(self._key.key)

    def _derive(self, prefix: bytes) -> AESGCM:
        """AES-CMAC of two counter blocks (NIST SP 800-108, 4.1, label "X") is the derived key.

        A block is full, so its CMAC is one encryption of it masked by the subkey K1
        (NIST SP 800-38B, 6.1).
        """
        encrypt = Cipher(self._key, ECB()).encryptor().update  # nosec B305 - of single blocks
        mask = int.from_bytes(encrypt(bytes(16)), "big") << 1
        if mask >> 128:
            mask ^= 1 << 128 | 0x87
        blocks = (b"\x00\x01X\x00" + prefix, b"\x00\x02X\x00" + prefix)
        masked = ((int.from_bytes(block, "big") ^ mask).to_bytes(16, "big") for block in blocks)
        return AESGCM(b"".join(map(encrypt, masked)))


class FileVault(KeyRing):
    """Data keys in a file that only its owner can read: a line `<id> <64 hex digits>` for each."""

    @classmethod
    def load(cls, path: Path) -> FileVault:
        """The keys of `path`; a missing file is made, with one new key.

        Raises `KeyFileExposed` when anybody but the owner has access, `ConfigurationError` when
        the file is no key file, `OSError` when it cannot be read or made.
        """
        if not path.exists():
            _make_key_file(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyFileExposed(str(path), mode)
        return cls(_parse_key_file(path))


def _make_key_file(path: Path) -> None:
    """Whole or not at all, durably; of two processes that try at once one wins."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"1 {os.urandom(KEY_SIZE).hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse_key_file(path: Path) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        key_id, _, digits = line.partition(" ")
        # Not the line itself: it may be most of a key.
        problem = ConfigurationError([f"{path}: line {number} is not a key id and 64 hex digits"])
        try:
            keys[int(key_id)] = bytes.fromhex(digits)
        except ValueError:
            raise problem from None
        if not 1 <= int(key_id) <= 255 or len(keys[int(key_id)]) != KEY_SIZE:
            raise problem
    if not keys:
        raise ConfigurationError([f"{path}: holds no key"])
    return keys
