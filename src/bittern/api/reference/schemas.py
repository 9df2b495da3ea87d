"""Shapes of the model as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

import re
from typing import Any

from bittern.api.model import Shape, location, payload_member, wire_name

Schema = dict[str, Any]

_NUMBERS: dict[str, Schema] = {
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
}
_TIMES: dict[str, Schema] = {
    "unixTimestamp": {"type": "number", "description": "Seconds since 1970."},
    "iso8601": {"type": "string", "format": "date-time"},
    "rfc822": {"type": "string", "description": "As in the header Date."},
}


class Schemas:
    """Makes schemas of one service; structures are kept by name, since they may hold themselves."""

    def __init__(self, default_time: str = "unixTimestamp") -> None:
        """`default_time`: how the service's protocol writes times in a body."""
        self._default_time = default_time
        self.kept: dict[str, Schema] = {}
        """By name of the structure: ``components/schemas``."""

    def of(self, shape: Shape) -> Schema:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                bounds = _bounds(shape, "minItems", "maxItems")
                return {"type": "array", "items": self.of(shape.member)} | bounds
            case "map":
                bounds = _bounds(shape, "minProperties", "maxProperties")
                return {"type": "object", "additionalProperties": self.of(shape.value)} | bounds
            case "timestamp":
                form = shape.serialization.get("timestampFormat", self._default_time)
                return dict(_TIMES[form])
            case "boolean":
                return {"type": "boolean"}
            case "blob":
                return {"type": "string", "contentEncoding": "base64"}
            case "string":
                return {"type": "string"} | _text(shape)
            case number:
                return _NUMBERS[number] | _bounds(shape, "minimum", "maximum")

    def body(self, shape: Shape) -> Schema | None:
        """Of what is left for the body when path, query and headers have theirs; None: nothing."""
        payload = payload_member(shape)
        if payload is not None:
            return self.of(shape.members[payload])
        members = {name: one for name, one in shape.members.items() if location(one) is None}
        return self._object(shape, members) if members else None

    def _structure(self, shape: Shape) -> Schema:
        if shape.name not in self.kept:
            self.kept[shape.name] = {}
            self.kept[shape.name] = self._object(shape, shape.members)
        return {"$ref": f"#/components/schemas/{shape.name}"}

    def _object(self, shape: Shape, members: dict[str, Shape]) -> Schema:
        made: Schema = {
            "type": "object",
            "properties": {wire_name(name, one): self.of(one) for name, one in members.items()},
        }
        required = [
            wire_name(name, members[name]) for name in shape.required_members if name in members
        ]
        if required:
            made["required"] = required
        if getattr(shape, "is_tagged_union", False):
            made |= {"minProperties": 1, "maxProperties": 1}
        return made


def _text(shape: Shape) -> Schema:
    found = _bounds(shape, "minLength", "maxLength")
    pattern = shape.metadata.get("pattern")
    if pattern:
        found["pattern" if _is_portable(pattern) else "description"] = pattern
    if shape.enum:
        found["enum"] = list(shape.enum)
    return found


def _is_portable(pattern: str) -> bool:
    """Some of the model's are of Java alone."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _bounds(shape: Shape, least: str, most: str) -> Schema:
    given = {least: shape.metadata.get("min"), most: shape.metadata.get("max")}
    return {name: value for name, value in given.items() if value is not None}
