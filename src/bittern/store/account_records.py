"""Accounts, and the access keys that programs sign their requests with."""

from __future__ import annotations

import hmac
import re

import msgspec

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

    def expose(self) -> str:
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
