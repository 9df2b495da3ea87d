"""Who may log in to the embedded broker. Nobody without a password or a certificate, and no
password is a default.

At the first start a password is drawn for the user `bittern` and written to a file that its owner
alone can read. What the broker checks against is a scrypt hash in a file beside it, so the password
file may be deleted once it has been read, or its line replaced by a password of one's own. More
users are added by `bittern mqtt user add`.
"""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bittern.outputs.broker.accounts import Account, Accounts
from bittern.outputs.broker.permissions import Permissions
from bittern.types import Instant

WRONG_KEPT = 8
"""Wrong passwords of each user that are known again: a program that was not told of the new one
says the old one over and over, and that is no guessing."""

NAMES_KEPT = 1000


class Login(msgspec.Struct, frozen=True):
    """Somebody who is let in."""

    username: str
    permissions: Permissions


class Change(msgspec.Struct, frozen=True):
    """What a new users file means for those who are connected."""

    gone: frozenset[str]
    locked_out: frozenset[str]
    """Users whose password is another, or who lost a certificate."""


class Users:
    """Checks names and passwords. `check` is slow by intent: call it in a thread."""

    def __init__(self, accounts: Mapping[str, Account], source: Accounts) -> None:
        self._accounts = dict(accounts)
        self._source = source
        self._version = source.version()
        self._nobody = Account(b"", b"").with_password(secrets.token_bytes(16))
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: dict[str, deque[bytes]] = {}

    @classmethod
    def open(cls, password_file: Path, users_file: Path) -> Users:
        """Makes both files at the first start. Raises `ConfigurationError`."""
        source = Accounts(password_file, users_file)
        return cls(source.open(), source)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._accounts)

    def login(self, username: str) -> Login | None:
        account = self._accounts.get(username)
        return None if account is None else Login(username, account.permissions(username))

    def remembers(self, username: str | None, password: bytes | None) -> bool:
        """Whether this password was checked before, at the cost of one keyed hash."""
        if username is None or password is None:
            return False
        return hmac.compare_digest(self._right.get(username, b""), self._digest(password))

    def remembers_wrong(self, username: str, password: bytes) -> bool:
        """Whether this password was found wrong a short while ago."""
        digest = self._digest(password)
        return any(hmac.compare_digest(one, digest) for one in self._wrong.get(username, ()))

    def check(self, username: str | None, password: bytes | None) -> bool:
        """Takes as long for a name that nobody has."""
        known = self._accounts.get(username or "")
        fits = (known or self._nobody).fits(password or b"")
        if username is None or password is None:
            return False
        if known is None or not fits:
            self._keep_wrong(username, password)
            return False
        now = self._accounts.get(username)
        if now is None or (now.salt, now.hash) != (known.salt, known.hash):
            return False  # Changed while it was checked.
        self._right[username] = self._digest(password)
        return True

    def _keep_wrong(self, username: str, password: bytes) -> None:
        if len(self._wrong) >= NAMES_KEPT:
            self._wrong.clear()
        kept = self._wrong.setdefault(username, deque(maxlen=WRONG_KEPT))
        kept.append(self._digest(password))

    def holder(self, fingerprint: str, now: Instant) -> str | None:
        """Whom a certificate logs in. The handshake has proved that its key is at the other end."""
        for name, account in self._accounts.items():
            if account.lets_in(fingerprint, now):
                return name
        return None

    # Following the file

    def changed(self) -> bool:
        return self._source.version() != self._version

    def follow(self) -> Change:
        """Take the file as it is now. Raises `ConfigurationError`; then nothing is different, and
        it is not looked at again before it changes."""
        self._version = self._source.version()
        before, self._accounts = self._accounts, self._source.read()
        gone = frozenset(before.keys() - self._accounts.keys())
        locked_out = frozenset(
            name
            for name, account in self._accounts.items()
            if name in before and _has_lost(before[name], account)
        )
        for name in gone | locked_out:
            self._right.pop(name, None)
        self._wrong.clear()
        return Change(gone, locked_out)

    def _digest(self, password: bytes) -> bytes:
        return hmac.digest(self._key, password, "sha256")


def _has_lost(before: Account, after: Account) -> bool:
    """Whether something that let the user in does so no more."""
    other = (before.salt, before.hash) != (after.salt, after.hash) and bool(before.hash)
    return other or bool(set(before.certificates) - set(after.certificates))
