"""The users of the embedded broker on disk: who there is, by what they log in, what they may.

One JSON file that its owner alone can read. It holds scrypt hashes and fingerprints, never a
password or a key. The command line changes it while a server runs, by `Accounts.change`, under a
lock that processes share.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from bittern.errors import ConfigurationError
from bittern.outputs.broker.permissions import Permissions, permissions_of
from bittern.types import Instant

log = logging.getLogger(__name__)

USERNAME = "bittern"
"""The user whom the first start makes. What it may is not limited."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""Of a user: it fits into a topic, a certificate's common name and a line of the log."""
_N, _R, _P = 1 << 14, 8, 1
_MEMORY = 64 * 1024 * 1024


class CertificateRecord(msgspec.Struct, frozen=True):
    """A certificate that logs its user in. Others of the same authority, gateways' first of all,
    do not: only what is recorded here was issued for this purpose."""

    fingerprint: str
    """SHA-256 of its DER, 64 hexadecimal digits."""
    not_after: Instant


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """One user: scrypt (RFC 7914) with its parameters, certificates, patterns."""

    salt: bytes
    hash: bytes
    """Empty: no password logs in."""
    n: int = _N
    r: int = _R
    p: int = _P
    certificates: tuple[CertificateRecord, ...] = ()
    publish: tuple[str, ...] | None = None
    """None: everywhere but on topics that begin with `$`."""
    subscribe: tuple[str, ...] | None = None
    """None: everywhere."""

    def fits(self, password: bytes) -> bool:
        found = _scrypt(password, self.salt, self.n, self.r, self.p)
        return hmac.compare_digest(found, self.hash)

    def with_password(self, password: bytes) -> Account:
        salt = secrets.token_bytes(16)
        hashed = _scrypt(password, salt, _N, _R, _P)
        return msgspec.structs.replace(self, salt=salt, hash=hashed, n=_N, r=_R, p=_P)

    def permissions(self, username: str) -> Permissions:
        return permissions_of(username, self.publish, self.subscribe)

    def lets_in(self, fingerprint: str, now: Instant) -> bool:
        return any(
            hmac.compare_digest(one.fingerprint, fingerprint) and now < one.not_after
            for one in self.certificates
        )

    def __repr__(self) -> str:
        return "Account(…)"


WITHOUT_PASSWORD = Account(salt=b"", hash=b"")

_Accounts = Mapping[str, Account]


class Accounts:
    """Both files: that of all users, and that of the default user's password. Every method may
    raise `ConfigurationError`."""

    def __init__(self, password_file: Path, users_file: Path) -> None:
        self._password_file = password_file
        self._users_file = users_file

    def open(self) -> dict[str, Account]:
        """As they are, with both files made at the first start and the default user's password
        as its file has it, which may be deleted."""
        with self._locked():
            accounts = _decoded(self._users_file)
            password = _read_password(self._password_file)
            if password is None and not accounts:
                password = secrets.token_urlsafe(18).encode()
                _write(self._password_file, password + b"\n")
                log.info("mqtt user=%s password_file=%s written", USERNAME, self._password_file)
            known = accounts.get(USERNAME, WITHOUT_PASSWORD)
            if password is not None and not known.fits(password):
                accounts[USERNAME] = known.with_password(password)
                self._store(accounts)
            return accounts

    def read(self) -> dict[str, Account]:
        return _decoded(self._users_file)

    def version(self) -> tuple[int, ...]:
        """Differs after each change; costs no more than a look at the folder."""
        try:
            found = self._users_file.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def change(self, work: Callable[[dict[str, Account]], None]) -> None:
        """What ``work`` makes of them, at once; nothing where it raises."""
        self.open()
        with self._locked():
            accounts = _decoded(self._users_file)
            work(accounts)
            self._store(accounts)

    def set_default_password(self, password: bytes | None) -> None:
        """Its file would win at the next start. None: the user is gone."""
        if password is None:
            self._password_file.unlink(missing_ok=True)
        elif self._password_file.exists():
            _write(self._password_file, password + b"\n")

    def _store(self, accounts: _Accounts) -> None:
        _write(self._users_file, msgspec.json.encode(accounts))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._users_file.with_name(self._users_file.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError([f"{path}: {error.strerror}"]) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _read_password(path: Path) -> bytes | None:
    """The first line. None: there is no such file."""
    content = _read(path)
    return None if content is None else first_line(path, content)


def first_line(path: Path, content: bytes) -> bytes:
    """A password. Raises `ConfigurationError` where there is none."""
    password = content.split(b"\n", 1)[0].rstrip(b"\r")
    if not password:
        raise ConfigurationError([f"{path}: its first line is empty; it must be a password"])
    return password


def _decoded(path: Path) -> dict[str, Account]:
    content = _read(path)
    if content is None:
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, Account])
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
