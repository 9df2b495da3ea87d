"""Lists page by page: what ``MaxResults`` and ``NextToken`` mean.

A token says where the next page begins. It is authenticated and bound to the account, the
operation and the filters, so nobody can make one, use another's, or change the question between
two pages. Nothing is kept for it: a list of any length is walked in constant memory.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from bittern.api.errors import invalid

DEFAULT_SIZE = 50
MAX_SIZE = 250
_TAG_SIZE = 16
_SIZES = frozenset({"maxresults", "pagesize"})
_TOKENS = frozenset({"nexttoken", "marker"})
"""In lower case; the older operations of `iot` have the second name."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is listed, for whom: the same for every page."""

    account: str
    operation: str
    filters: Mapping[str, Any]


class Tokens:
    """Makes tokens and takes them back. The secret, of 32 bytes, is the same on all nodes."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("a secret has at least 32 bytes")
        self._secret = secret

    def token(self, question: Question, last: str) -> str:
        """For the page behind the item `last`, which is what the list is sorted by. In the plain
        alphabet of Base64: markers of `iot` have no other letters."""
        position = last.encode()
        return base64.b64encode(self._tag(question, position) + position).decode()

    def position(self, question: Question, token: str) -> str:
        """What `last` was. ApiError if the token was not made for this question."""
        try:
            raw = base64.b64decode(token.encode(), validate=True)
            tag, position = raw[:_TAG_SIZE], raw[_TAG_SIZE:]
            if hmac.compare_digest(tag, self._tag(question, position)):
                return position.decode()
        except (binascii.Error, UnicodeError, ValueError):
            pass
        raise invalid(
            "1 validation error detected: Value at 'nextToken' is not a token of this list"
        )

    def _tag(self, question: Question, position: bytes) -> bytes:
        bound = msgspec.json.encode(
            [question.account, question.operation, sorted(question.filters.items()), position]
        )
        return hmac.digest(self._secret, bound, "sha256")[:_TAG_SIZE]


@dataclass(frozen=True, slots=True)
class Page:
    """What to fetch: `size` items behind `after`, and one more, which tells whether more follow."""

    question: Question
    size: int
    after: str | None
    _tokens: Tokens = field(repr=False)

    @property
    def fetch(self) -> int:
        return self.size + 1

    def split(self, items: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
        """The items of this page, and the token of the next one; None: this is the last."""
        if len(items) <= self.size:
            return items, None
        shown = items[: self.size]
        return shown, self._tokens.token(self.question, key(shown[-1]))


def page(
    tokens: Tokens,
    account: str,
    operation: str,
    parameters: Mapping[str, Any],
    default: int = DEFAULT_SIZE,
) -> Page:
    """From an operation's parameters: whatever is neither token nor size is a filter. A size of 0
    is none. ApiError for a token that does not belong here."""
    token = size = None
    filters: dict[str, Any] = {}
    for name, value in parameters.items():
        if name.lower() in _TOKENS:
            token = value
        elif name.lower() in _SIZES:
            size = value
        else:
            filters[name] = value
    question = Question(account, operation, filters)
    after = tokens.position(question, token) if token else None
    return Page(question, min(size or default, MAX_SIZE), after, tokens)
