"""The input of an operation of the query protocol: names with dots in a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bittern.api.convert import Convert, Unfit, text_converter
from bittern.api.model import Shape, wire_name
from bittern.api.router import Fields

_Tree = dict[str, Any]


def form_converter(shape: Shape) -> Callable[[Fields], dict[str, Any]]:
    """From a form, or a query string that stands in for one, to the members of `shape`."""
    members = _structure_from_form(shape)
    return lambda fields: members(_form_tree(fields))


def _form_tree(fields: Fields) -> _Tree:
    """``A.member.1.B=x`` as ``{"A": {"member": {"1": {"B": "x"}}}}``; the first of equal names."""
    tree: _Tree = {}
    for name, values in fields.items():
        node: Any = tree
        *parts, last = name.split(".")
        for part in parts:
            node = node.setdefault(part, {})
            if type(node) is not dict:
                raise Unfit("a form whose names fit together")
        node.setdefault(last, values[0])
    return tree


def _structure_from_form(shape: Shape) -> Convert:
    return _structure_of(
        {
            wire_name(name, member): (name, _form_converter(member))
            for name, member in shape.members.items()
        }
    )


def _structure_of(members: Mapping[str, tuple[str, Convert]]) -> Convert:
    def structure(node: Any) -> dict[str, Any]:
        if type(node) is not dict:
            raise Unfit("a structure")
        found = {}
        for key, (name, convert) in members.items():
            if key in node:
                try:
                    found[name] = convert(node[key])
                except Unfit as unfit:
                    unfit.path.append(name)
                    raise
        return found

    return structure


def _form_converter(shape: Shape) -> Convert:
    if shape.type_name == "structure":
        return _structure_from_form(shape)
    if shape.type_name == "list":
        return _list_from_form(_form_converter(shape.member), wire_name("member", shape.member))
    convert = text_converter(shape, "iso8601")

    def text(node: Any) -> Any:
        if type(node) is not str:
            raise Unfit("a value")
        return convert(node)

    return text


def _list_from_form(convert: Convert, item_name: str) -> Convert:
    """``X.member.1``, ``X.member.2``: as many as follow without a gap. ``X=`` is an empty list."""

    def items(node: Any) -> list[Any]:
        if node == "":
            return []
        numbered = node.get(item_name) if type(node) is dict else None
        if type(numbered) is not dict:
            raise Unfit("a list")
        found: list[Any] = []
        try:
            while (key := str(len(found) + 1)) in numbered:
                found.append(convert(numbered[key]))
        except Unfit as unfit:
            unfit.path += ["member", str(len(found) + 1)]
            raise
        return found

    return items
