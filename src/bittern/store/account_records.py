"""Accounts, and the access keys that programs sign their requests with; and their rows.

The secret of a key has to be known to check a signature, so it is kept, sealed. Its place in the
store names key and account: a row that is moved to another account does not open.
"""

from __future__ import annotations

import hmac
import re

import msgspec

from bittern.store.codec import Rest, Row
from bittern.store.vault import Vault
from bittern.types import Instant

ACCOUNT_ID = re.compile(r"[0-9]{12}")
ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
MOST_NAME_CHARACTERS = 256


class AccessSecret:
    """The secret half of an access key. It does not print."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "AccessSecret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccessSecret) and hmac.compare_digest(
            self._text.encode(), other._text.encode()
        )

    def __hash__(self) -> int:
        return hash((AccessSecret, self._text))

    def reveal(self) -> str:
        return self._text


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Every resource belongs to one, and no account sees another's."""

    id: str
    """12 digits."""
    name: str = ""
    created_at: Instant

    def __post_init__(self) -> None:
        if not ACCOUNT_ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is no account: it has 12 digits")
        _check_name("the name of an account", self.name)


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a program signs its requests with, and what it may do."""

    id: str
    """``AKIA…``: public, it is in every request."""
    account: str
    secret: AccessSecret
    policies: tuple[str, ...]
    """Each the text of a policy in JSON, or the name of a ready one."""
    description: str = ""
    active: bool = True
    created_at: Instant
    last_used_at: Instant | None = None
    """Of a request that was let in, with the precision of an hour."""

    def __post_init__(self) -> None:
        if not ACCESS_KEY_ID.fullmatch(self.id):
            raise ValueError("an access key id has 16 to 128 capital letters and digits")
        if not self.policies:
            raise ValueError("an access key without a policy could do nothing")
        _check_name("a description", self.description)


def _check_name(what: str, text: str) -> None:
    if len(text) > MOST_NAME_CHARACTERS or not text.isprintable():
        raise ValueError(f"{what} has {MOST_NAME_CHARACTERS} characters at most, all printable")


# Accounts: id, name, created_at


def account_to_row(account: Account) -> Row:
    return account.id, account.name, account.created_at


def account_from_row(row: Row) -> Account:
    return Account(id=row[0], name=row[1], created_at=Instant(row[2]))


# Access keys: id, account, active, last_used_at, record (the rest), secret (sealed)

_access_key = Rest(AccessKey, ("id", "account", "active", "last_used_at", "secret"), "json")


def access_key_to_row(key: AccessKey, vault: Vault) -> Row:
    return (
        key.id,
        key.account,
        key.active,
        key.last_used_at,
        _access_key.dump(key).decode(),
        vault.seal(key.secret.reveal().encode(), _place(key.account, key.id)),
    )


def access_key_from_row(row: Row, vault: Vault) -> AccessKey:
    key_id, account, active, last_used_at, record, sealed = row
    return AccessKey(
        id=key_id,
        account=account,
        active=bool(active),
        last_used_at=None if last_used_at is None else Instant(last_used_at),
        secret=AccessSecret(vault.open(sealed, _place(account, key_id)).decode()),
        **_access_key.load(record),
    )


def _place(account: str, key_id: str) -> str:
    return f"access_key.secret:{account}:{key_id}"
