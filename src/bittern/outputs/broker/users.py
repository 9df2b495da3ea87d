"""Who may log in to the embedded broker. Nobody without a password, and none is a default.

At the first start a password is drawn for the user `bittern` and written to a file that its owner
alone can read. What the broker checks against is a scrypt hash in a file beside it, so the password
file may be deleted once it has been read, or its line replaced by a password of one's own.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

import msgspec

from bittern.errors import ConfigurationError

log = logging.getLogger(__name__)

USERNAME = "bittern"
_N, _R, _P = 1 << 14, 8, 1
_MEMORY = 64 * 1024 * 1024


class _Hash(msgspec.Struct, frozen=True):
    """scrypt (RFC 7914) and its parameters."""

    salt: bytes
    hash: bytes
    n: int = _N
    r: int = _R
    p: int = _P

    @classmethod
    def of(cls, password: bytes) -> _Hash:
        salt = secrets.token_bytes(16)
        return cls(salt, _scrypt(password, salt, _N, _R, _P))

    def fits(self, password: bytes) -> bool:
        found = _scrypt(password, self.salt, self.n, self.r, self.p)
        return hmac.compare_digest(found, self.hash)

    def __repr__(self) -> str:
        return "_Hash(…)"


class Users:
    """Checks names and passwords. `check` is slow by intent: call it in a thread."""

    def __init__(self, hashes: dict[str, _Hash]) -> None:
        self._hashes = hashes
        self._nobody = _Hash.of(secrets.token_bytes(16))
        self._key = secrets.token_bytes(32)
        self._checked: dict[str, bytes] = {}

    @classmethod
    def open(cls, password_file: Path, users_file: Path) -> Users:
        """Makes both files at the first start. Raises `ConfigurationError`."""
        hashes = _read_hashes(users_file)
        password = _read_password(password_file)
        if password is None and not hashes:
            password = secrets.token_urlsafe(18).encode()
            _write(password_file, password + b"\n")
            log.info("mqtt user=%s password_file=%s written", USERNAME, password_file)
        known = hashes.get(USERNAME)
        if password is not None and (known is None or not known.fits(password)):
            hashes[USERNAME] = _Hash.of(password)
            _write(users_file, msgspec.json.encode(hashes))
        return cls(hashes)

    def remembers(self, username: str | None, password: bytes | None) -> bool:
        """Whether this password was checked before, at the cost of one keyed hash."""
        if username is None or password is None:
            return False
        seen = self._checked.get(username, b"")
        return hmac.compare_digest(seen, hmac.digest(self._key, password, "sha256"))

    def check(self, username: str | None, password: bytes | None) -> bool:
        """Takes as long for a name that nobody has."""
        known = self._hashes.get(username or "")
        fits = (known or self._nobody).fits(password or b"")
        if known is None or username is None or password is None or not fits:
            return False
        self._checked[username] = hmac.digest(self._key, password, "sha256")
        return True


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _read_password(path: Path) -> bytes | None:
    """The first line. None: there is no such file."""
    content = _read(path)
    if content is None:
        return None
    password = content.split(b"\n", 1)[0].rstrip(b"\r")
    if not password:
        raise ConfigurationError([f"{path}: its first line is empty; it must be a password"])
    return password


def _read_hashes(path: Path) -> dict[str, _Hash]:
    content = _read(path)
    if content is None:
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, _Hash])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from error


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror}"]) from error
    if mode & 0o077:
        raise ConfigurationError([f"{path}: has mode {mode:04o}; it must be 0600"])
    return content


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror}"]) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
