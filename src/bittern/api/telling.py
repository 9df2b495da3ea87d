"""What of a request's parameters may be told to a log that outlives them: never a secret.

Only what names things or counts them is told: numbers, truth values, words of an enumeration, and
texts of members that are called identifiers or names. Of any other text its length is told, for a
key gets typed into a description. Payloads and everything that the model calls sensitive or that
holds a key are hidden, and so is a name that looks like a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from bittern.api.model import Operation, Shape
from bittern.api.validate import holds_secret
from bittern.types import looks_like_a_key

MOST_ITEMS = 20
"""Of a list or a map; of more their number is told."""
MOST_TEXT = 256
HIDDEN = "(hidden)"

_NAMING = re.compile(
    r"(^|[a-z])(Id|Ids|ID|Identifier|Name|Arn|ARN|Eui|Addr|Type|Version|Region|Band|Topic)s?$",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"Payload|Token|Document|Body|Header|Value|Key(?!Id)", re.IGNORECASE)
"""What is not told whatever else its name says: a ``KeyName`` may be anything."""

Tell = Callable[[Any], Any]


def told(operation: Operation, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` as they may be told."""
    if operation.input is None:
        return {}
    shown: dict[str, Any] = _teller(operation)(parameters)
    return shown


@cache
def _teller(operation: Operation) -> Tell:
    assert operation.input is not None
    return _told("", operation.input, frozenset())


def _told(name: str, shape: Shape, seen: frozenset[str]) -> Tell:
    if shape.type_name == "structure" and shape.name not in seen:
        return _structure(shape, seen | {shape.name})
    if shape.type_name == "list" and not _is_hidden(name, shape):
        return _list(_told(name, shape.member, seen))
    if shape.type_name in ("structure", "map", "blob", "list") or _is_hidden(name, shape):
        return _hidden
    if shape.type_name == "string" and not shape.metadata.get("enum"):
        return _text if _names(name, shape) else _length
    return _plain


def _is_hidden(name: str, shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive")) or holds_secret_name(name, shape)


def holds_secret_name(name: str, shape: Shape) -> bool:
    """Whether the member, as it is called or as the model has it, is not for a log."""
    if shape.type_name in ("structure", "list"):
        return bool(_LOOSE.search(name))
    return holds_secret(shape) or bool(_LOOSE.search(name))


def _names(name: str, shape: Shape) -> bool:
    return bool(_NAMING.search(name) or _NAMING.search(shape.name))


def _structure(shape: Shape, seen: frozenset[str]) -> Tell:
    members = {name: _told(name, member, seen) for name, member in shape.members.items()}

    def structure(value: Any) -> Any:
        return {name: members[name](item) for name, item in value.items() if name in members}

    return structure


def _list(item: Tell) -> Tell:
    def items(value: Any) -> Any:
        if len(value) > MOST_ITEMS:
            return f"({len(value)} items)"
        return [item(entry) for entry in value]

    return items


def _hidden(value: Any) -> str:
    return HIDDEN


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    return _text(str(value))


def _text(value: str) -> str:
    if looks_like_a_key(value):
        return HIDDEN
    return value if len(value) <= MOST_TEXT else f"{value[:MOST_TEXT]}..."


def _length(value: str) -> str:
    return f"({len(value)} characters)"
