"""Queries that choose wireless devices, in the manner of AWS's fleet indexing.

    DeviceProfileName: meter AND (DeviceName: m-* OR tags.site: "north wing") AND NOT DevEui: 70*

A term is a field and what it must be; ``*`` stands for any text, ``?`` for one character. AND binds
closer than OR, and stands where nothing does. Fields are known in any case, values are not.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TAG = "tags."
FIELDS: Mapping[str, str] = {
    name.lower(): name
    for name in (
        "DeviceName",
        "DeviceProfileId",
        "DeviceProfileName",
        "ServiceProfileId",
        "ServiceProfileName",
        "DestinationName",
        "DevEui",
        "ThingName",
        "WirelessDeviceId",
    )
}
"""Beside these, ``tags.KEY``."""
DEEPEST = 20

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<bracket>[()])
    | (?P<operator>AND|OR|NOT)(?=[\s()]|$)
    | (?P<field>[A-Za-z][^\s:()"]*)\s*:\s*
      (?:"(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<plain>[^\s()"]+))
    )""",
    re.VERBOSE,
)


class QueryNotUnderstood(ValueError):
    """The text says what, and where."""


@dataclass(frozen=True, slots=True)
class Term:
    field: str
    """As `FIELDS` writes it, or ``tags.KEY``."""
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Not:
    of: Node


@dataclass(frozen=True, slots=True)
class Every:
    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    of: tuple[Node, ...]


Node = Term | Not | Every | Some


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """What a device must be."""

    root: Node
    fields: frozenset[str]
    """Those that it asks for."""

    def matches(self, facts: Mapping[str, str]) -> bool:
        """`facts` by field: what a device does not have is absent, and is nothing."""
        return _holds(self.root, facts)


def parse(text: str) -> DeviceQuery:
    """Raises `QueryNotUnderstood`."""
    tokens = list(_tokens(text))
    reader = _Reader(tokens, len(text))
    root = reader.some(DEEPEST)
    reader.require_end()
    return DeviceQuery(root, frozenset(_fields(root)))


def _holds(node: Node, facts: Mapping[str, str]) -> bool:
    match node:
        case Term(field, pattern):
            value = facts.get(field)
            return value is not None and pattern.match(value) is not None
        case Not(of):
            return not _holds(of, facts)
        case Every(of):
            return all(_holds(one, facts) for one in of)
        case Some(of):
            return any(_holds(one, facts) for one in of)


def _fields(node: Node) -> Iterator[str]:
    match node:
        case Term(field):
            yield field
        case Not(of):
            yield from _fields(of)
        case Every(of) | Some(of):
            for one in of:
                yield from _fields(one)


Token = tuple[int, str, Term | None]
"""Where it begins; a bracket, an operator or the empty text; the term."""


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            rest = text[position:].strip()
            raise QueryNotUnderstood(
                f"{_short(rest)!r} is not understood: a term is of the form Field: value"
            )
        start, position = found.start(found.lastgroup or 0), found.end()
        if found["field"] is None:
            yield start, found["bracket"] or found["operator"], None
        else:
            yield start, "", _term(found)


def _term(found: re.Match[str]) -> Term:
    name = found["field"]
    value = found["plain"]
    if value is None:
        value = re.sub(r"\\(.)", r"\1", found["quoted"])
    if name.lower().startswith(TAG) and len(name) > len(TAG):
        return Term(TAG + name[len(TAG) :], _pattern(value))
    field = FIELDS.get(name.lower())
    if field is None:
        known = ", ".join((*FIELDS.values(), f"{TAG}KEY"))
        raise QueryNotUnderstood(f"the field {_short(name)!r} is not known; known are {known}")
    return Term(field, _pattern(value.lower() if field == "DevEui" else value))


def _pattern(value: str) -> re.Pattern[str]:
    """Wildcards only; `fnmatch` knows sets of characters too."""
    return re.compile(fnmatch.translate(value.replace("[", "[[]")))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


class _Reader:
    """Goes through the tokens once; each method reads what its name says."""

    def __init__(self, tokens: list[Token], end: int) -> None:
        self._tokens = tokens
        self._end = end
        self._next = 0

    def some(self, deepest: int) -> Node:
        parts = [self._every(deepest)]
        while self._take("OR"):
            parts.append(self._every(deepest))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def require_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._unexpected()

    def _every(self, deepest: int) -> Node:
        parts = [self._one(deepest)]
        while self._take("AND") or self._peek() in ("", "(", "NOT"):
            parts.append(self._one(deepest))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self, deepest: int) -> Node:
        if not deepest:
            raise QueryNotUnderstood(f"it is nested more than {DEEPEST} times")
        if self._take("NOT"):
            return Not(self._one(deepest - 1))
        if self._take("("):
            inside = self.some(deepest - 1)
            if not self._take(")"):
                raise self._unexpected("a closing bracket")
            return inside
        if self._peek() != "":
            raise self._unexpected("a term")
        _, _, term = self._tokens[self._next]
        assert term is not None
        self._next += 1
        return term

    def _peek(self) -> str | None:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._next += 1
        return True

    def _unexpected(self, wanted: str = "AND, OR or the end") -> QueryNotUnderstood:
        if self._next == len(self._tokens):
            return QueryNotUnderstood(f"it ends where {wanted} is expected")
        start, text, _ = self._tokens[self._next]
        found = repr(text) if text else "a term"
        return QueryNotUnderstood(f"{found} at position {start + 1}, where {wanted} is expected")
