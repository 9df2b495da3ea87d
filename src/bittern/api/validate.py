"""Whether parsed input is allowed: required members, lengths, ranges, patterns, enums, unions.

Clients check next to nothing of this (boto3 sends a DevEUI of ``zz``), so the server must. All
that is wrong is told at once, in AWS's words. A value is told back only where it cannot be a
secret: never of a member that the model calls sensitive or that holds a key, and never one that
looks like a key, for keys get typed into the wrong field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from bittern.api.errors import invalid
from bittern.api.model import Operation, Shape, is_box
from bittern.api.parse import shown_path
from bittern.api.patterns import compiled
from bittern.api.recursion import compiled_once
from bittern.types import looks_like_a_key

MAX_SHOWN = 200
"""Characters of a value that are told back."""
MAX_PROBLEMS = 20

_SECRET_NAME = re.compile(r"(App|Nwk|S|Int|Enc|Private)Key$|Secret|Password", re.IGNORECASE)

Path = tuple[str, ...]
Problems = list[str]
Check = Callable[[Any, Path, Problems], None]


def check(operation: Operation, parameters: Mapping[str, Any]) -> None:
    """ApiError that lists what the model does not allow."""
    checker = _checker(operation)
    if checker is None:
        return
    problems: Problems = []
    checker(parameters, (), problems)
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        told = "; ".join(problems[:MAX_PROBLEMS])
        raise invalid(f"{len(problems)} validation {noun} detected: {told}")


def prepare(operation: Operation) -> None:
    """Compile the operation's shapes before the first request needs them."""
    _checker(operation)


def holds_secret(shape: Shape) -> bool:
    """Whether a value of the shape, or anything in it, must never be told back."""
    return _holds_secret(shape, frozenset())


def _holds_secret(shape: Shape, seen: frozenset[str]) -> bool:
    if shape.metadata.get("sensitive") or _SECRET_NAME.search(shape.name):
        return True
    if shape.name in seen:
        return False
    return any(_holds_secret(part, seen | {shape.name}) for part in _parts(shape))


def _parts(shape: Shape) -> list[Shape]:
    match shape.type_name:
        case "structure":
            return list(shape.members.values())
        case "list":
            return [shape.member]
        case "map":
            return [shape.key, shape.value]
        case _:
            return []


@cache
def _checker(operation: Operation) -> Check | None:
    return _compiled(operation.input, {}) if operation.input is not None else None


def _compiled(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    """None where nothing below can be wrong, so that nothing is walked in vain."""
    return compiled_once(shape, memo, lambda *_: _both(_own(shape), _inner(shape, memo)))


def _both(first: Check | None, second: Check | None) -> Check | None:
    if first is None or second is None:
        return first or second

    def both(value: Any, path: Path, problems: Problems) -> None:
        first(value, path, problems)
        second(value, path, problems)

    return both


def _inner(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    match shape.type_name:
        case "structure":
            return _members(shape, memo)
        case "list":
            item = _compiled(shape.member, memo)
            return _items(item) if item else None
        case "map":
            return _entries(_compiled(shape.key, memo), _compiled(shape.value, memo))
        case _:
            return None


def _members(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    required = tuple(shape.required_members)
    union = bool(getattr(shape, "is_tagged_union", False))
    named = ((name, _compiled(member, memo)) for name, member in shape.members.items())
    checks = {name: member for name, member in named if member is not None}
    if not (required or union or checks):
        return None

    def members(value: Any, path: Path, problems: Problems) -> None:
        for name in required:
            if name not in value:
                problems.append(_problem((*path, name), "Member must not be null", "null"))
        if union and len(value) != 1:
            problems.append(_problem(path, "Exactly one member must be given"))
        for name, item in value.items():
            member = checks.get(name)
            if member is not None:
                member(item, (*path, name), problems)

    return members


def _items(item: Check) -> Check:
    def items(value: Any, path: Path, problems: Problems) -> None:
        for number, entry in enumerate(value, 1):
            item(entry, (*path, str(number), "member"), problems)
            if len(problems) >= MAX_PROBLEMS:
                return

    return items


def _entries(key: Check | None, item: Check | None) -> Check | None:
    if key is None and item is None:
        return None

    def entries(value: Any, path: Path, problems: Problems) -> None:
        for name, entry in value.items():
            if key is not None:
                key(name, (*path, "key"), problems)
            if item is not None:
                item(entry, (*path, "value"), problems)
            if len(problems) >= MAX_PROBLEMS:
                return

    return entries


def _own(shape: Shape) -> Check | None:
    """The constraints that stand at the shape itself."""
    traits = shape.metadata
    show = _hidden if holds_secret(shape) else _shown
    if shape.type_name in ("integer", "long", "float", "double"):
        return _range(traits.get("min"), traits.get("max"), show)
    length = _length(traits.get("min"), traits.get("max"), show)
    if shape.type_name != "string":
        return length if is_box(shape) or shape.type_name == "blob" else None
    return _both(length, _both(_pattern(traits, show), _enum(traits.get("enum"), show)))


Show = Callable[[Any], str | None]


def _range(low: float | None, high: float | None, show: Show) -> Check | None:
    if low is None and high is None:
        return None

    def within(value: Any, path: Path, problems: Problems) -> None:
        if low is not None and value < low:
            told = f"Member must have value greater than or equal to {low}"
            problems.append(_problem(path, told, show(value)))
        elif high is not None and value > high:
            told = f"Member must have value less than or equal to {high}"
            problems.append(_problem(path, told, show(value)))

    return within


def _length(low: int | None, high: int | None, show: Show) -> Check | None:
    if not low and high is None:
        return None

    def long_enough(value: Any, path: Path, problems: Problems) -> None:
        if low is not None and len(value) < low:
            told = f"Member must have length greater than or equal to {low}"
            problems.append(_problem(path, told, show(value)))
        elif high is not None and len(value) > high:
            told = f"Member must have length less than or equal to {high}"
            problems.append(_problem(path, told, show(value)))

    return long_enough


def _pattern(traits: Mapping[str, Any], show: Show) -> Check | None:
    text, longest = traits.get("pattern"), traits.get("max")
    expression = compiled(text) if text else None
    if expression is None:
        return None
    told = f"Member must satisfy regular expression pattern: {text}"

    def matching(value: str, path: Path, problems: Problems) -> None:
        # What is too long has been told, and is not worth the time of an expression.
        if (longest is None or len(value) <= longest) and not expression.fullmatch(value):
            problems.append(_problem(path, told, show(value)))

    return matching


def _enum(values: list[str] | None, show: Show) -> Check | None:
    if not values:
        return None
    allowed = frozenset(values)
    told = f"Member must satisfy enum value set: [{', '.join(values)}]"

    def one_of(value: str, path: Path, problems: Problems) -> None:
        if value not in allowed:
            problems.append(_problem(path, told, show(value)))

    return one_of


def _problem(path: Path, constraint: str, shown: str | None = None) -> str:
    value = f"Value {shown}" if shown is not None else "Value"
    return f"{value} at '{shown_path(list(path))}' failed to satisfy constraint: {constraint}"


def _hidden(value: Any) -> None:
    """A secret, or something with a secret in it."""


def _shown(value: Any) -> str | None:
    """A simple value in quotes; of a box only its size is a matter, and it is in the constraint."""
    if not isinstance(value, str | int | float):
        return None
    text = str(value)
    if looks_like_a_key(text):
        return None
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}...'"
