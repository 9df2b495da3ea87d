"""How a resource was asked for, where the server would tell it otherwise.

A client compares what it asked for with what it is told, and a difference is a change to be made
good: of a profile, for instance, by a new profile. So what the server spells in its own way (a
revision by its short name, a key in small letters) is told as it was given, for as long as it means
the same. Of an EUI or a key only the manner is kept: large letters, and what stands between digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bittern.api.cloud_control.types import Model

_RESPELLED = frozenset({"RfRegion", "MacVersion", "RegParamsRevision"})
"""Properties that the server tells by names of its own."""
_HEX_NAME = re.compile(r"(Eui|Key|DevAddr)$")
_HEX = re.compile(r"[0-9a-fA-F]{2}(?P<between>[-: ]?)[0-9a-fA-F]{2}((?P=between)[0-9a-fA-F]{2})*")


class Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one resource. Paths are as those of JSON Patch: ``/LoRaWAN/RfRegion``."""

    orders: dict[str, str] = {}
    """Properties that no operation tells."""
    words: dict[str, tuple[str | None, str]] = {}
    """By path: as the server tells it, and as it was given. It does not tell of an empty text."""
    manners: dict[str, str] = {}
    """By path: how hexadecimal digits were written."""


EMPTY = Memory()


def is_hexadecimal(name: str) -> bool:
    """Whether the property is an EUI, a key or an address."""
    return _HEX_NAME.search(name) is not None


def canonical(text: str) -> str:
    """Of hexadecimal digits, whatever their manner."""
    return re.sub("[-: ]", "", text).lower()


def remembered(given: Model, told: Model, orders: frozenset[str]) -> Memory:
    """What is to be kept of a resource that was asked for by `given`, and is told as `told`."""
    words: dict[str, tuple[str | None, str]] = {}
    manners: dict[str, str] = {}
    for path, name, text in _texts(given, ""):
        manner = _manner(text) if is_hexadecimal(name) else ""
        own = _at(told, path)
        if manner:
            manners[path] = manner
        elif (name in _RESPELLED and type(own) is str and own != text) or (
            own is None and not text
        ):
            words[path] = (own, text)
    kept = {name: given[name] for name in sorted(orders) if given.get(name)}
    return Memory(orders=kept, words=words, manners=manners)


def as_given(memory: Memory, told: Model) -> Model:
    """What the server tells, in the words of whoever asked for it."""
    model: Model = _copied(told) | memory.orders
    for path, (own, given) in memory.words.items():
        if _at(model, path) == own:
            _put(model, path, given)
    for path, manner in memory.manners.items():
        text = _at(model, path)
        if type(text) is str:
            _put(model, path, _written(canonical(text), manner))
    return model


def _texts(model: Mapping[str, Any], above: str) -> Iterator[tuple[str, str, str]]:
    """Path, name and value of each text that is not in a list."""
    for name, value in model.items():
        path = f"{above}/{name}"
        if type(value) is str:
            yield path, name, value
        elif type(value) is dict:
            yield from _texts(value, path)


def _manner(text: str) -> str:
    """Empty: small letters and nothing between them, or no manner at all."""
    found = _HEX.fullmatch(text)
    if found is None or text not in (text.lower(), text.upper()):
        return ""
    letters = "" if text == text.lower() else "A"
    return letters + found["between"]


def _written(digits: str, manner: str) -> str:
    pairs = re.findall("..", digits.upper() if "A" in manner else digits)
    return manner.removeprefix("A").join(pairs)


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {name: _copied(item) for name, item in value.items()}
    return value


def _at(model: Mapping[str, Any], path: str) -> Any:
    found: Any = model
    for name in path.split("/")[1:]:
        found = found.get(name) if type(found) is dict else None
    return found


def _put(model: Model, path: str, value: str) -> None:
    """In place of what is there, if it can be there at all."""
    above, _, last = path.rpartition("/")
    holder = _at(model, above)
    if type(holder) is dict:
        holder[last] = value
