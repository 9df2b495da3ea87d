"""One value of one shape, from JSON or from text, as its modelled Python type.

Shapes are compiled to functions. What does not fit raises `Unfit`, which carries the path to it.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from bittern.api import timestamps
from bittern.api.model import Shape, wire_name
from bittern.api.recursion import compiled_once

Convert = Callable[[Any], Any]
"""One value of one shape, or `Unfit`."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_BITS = {"integer": 31, "long": 63}


class Unfit(Exception):
    """A value that is not of its shape; the path to it grows on the way out."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.path: list[str] = []


def document(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError):
        raise Unfit("JSON") from None


def text_converter(shape: Shape, timestamp_format: str) -> Convert:
    """For a value that stands as text outside of JSON."""
    match shape.type_name:
        case "string":
            return str
        case "integer" | "long" as kind:
            whole = _whole(_BITS[kind])
            return lambda text: whole(int(text) if _INTEGER.fullmatch(text) else text)
        case "float" | "double":
            return lambda text: _number(float(text) if _NUMBER.fullmatch(text) else text)
        case "boolean":
            return _boolean_text
        case "timestamp":
            form = shape.serialization.get("timestampFormat", timestamp_format)
            return _timestamp(form, as_text=True)
        case "blob":
            return blob
        case other:
            raise NotImplementedError(f"{shape.name} is a {other} outside of the body")


def json_converter(shape: Shape, memo: dict[str, Convert]) -> Convert:
    """For a value of a JSON document."""
    match shape.type_name:
        case "structure" | "list" | "map":
            return compiled_once(shape, memo, _box)
        case "string":
            return _string
        case "integer" | "long" as kind:
            return _whole(_BITS[kind])
        case "float" | "double":
            return _number
        case "boolean":
            return _boolean
        case "timestamp":
            return _timestamp(shape.serialization.get("timestampFormat", "unixTimestamp"))
        case "blob":
            return blob
        case other:
            raise NotImplementedError(f"{shape.name} is a {other}")


def _box(shape: Shape, memo: dict[str, Convert]) -> Convert:
    match shape.type_name:
        case "structure":
            return structure(shape.members, memo)
        case "list":
            return _list(json_converter(shape.member, memo))
        case _:
            return _map(json_converter(shape.value, memo))


def structure(shapes: Mapping[str, Shape], memo: dict[str, Convert]) -> Convert:
    members = {
        wire_name(name, member): (name, json_converter(member, memo))
        for name, member in shapes.items()
    }

    def members_of(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Unfit("an object")
        found = {}
        for key, item in value.items():
            member = members.get(key)
            if member is None or item is None:
                continue
            name, convert = member
            try:
                found[name] = convert(item)
            except Unfit as unfit:
                unfit.path.append(name)
                raise
        return found

    return members_of


def _list(convert: Convert) -> Convert:
    def items(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unfit("a list")
        found: list[Any] = []
        try:
            for item in value:
                found.append(convert(item))
        except Unfit as unfit:
            unfit.path += ["member", str(len(found) + 1)]
            raise
        return found

    return items


def _map(convert: Convert) -> Convert:
    def entries(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Unfit("an object")
        found = {}
        for key, item in value.items():
            if item is None:
                continue
            try:
                found[key] = convert(item)
            except Unfit as unfit:
                unfit.path += ["member", "value"]
                raise
        return found

    return entries


def _string(value: Any) -> str:
    if type(value) is not str:
        raise Unfit("a string")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Unfit("true or false")
    return value


def _boolean_text(text: str) -> bool:
    if text not in ("true", "false"):
        raise Unfit("true or false")
    return text == "true"


def _whole(bits: int) -> Convert:
    limit = 1 << bits

    def whole(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise Unfit("a whole number")
        if not -limit <= value < limit:
            raise Unfit(f"a whole number of {bits + 1} bits")
        return value

    return whole


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise Unfit("a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unfit("a finite number")
    return number


def _timestamp(form: str, as_text: bool = False) -> Convert:
    read = timestamps.READERS[form]

    def timestamp(value: Any) -> Any:
        try:
            if as_text and form == "unixTimestamp" and _NUMBER.fullmatch(value):
                return read(float(value))
            return read(value)
        except ValueError:
            raise Unfit(f"a timestamp in the format {form}") from None

    return timestamp


def blob(value: Any) -> bytes:
    if type(value) is not str:
        raise Unfit("a string in Base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("a string in Base64") from None
