"""JSON Patch: what is to become of a document (RFC 6902).

A patch is applied as a whole or not at all. What a patch may copy into itself is bounded, for each
copy can double what there is.
"""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

import msgspec

from bittern.api.errors import invalid

MAX_STEPS = 1000
MAX_SIZE = 262_144
"""Characters of a document that grows, as the model has it of the properties of a resource."""

Document: TypeAlias = dict[str, Any]


class _Add(msgspec.Struct, frozen=True, tag_field="op", tag="add"):
    path: str
    value: Any


class _Remove(msgspec.Struct, frozen=True, tag_field="op", tag="remove"):
    path: str


class _Replace(msgspec.Struct, frozen=True, tag_field="op", tag="replace"):
    path: str
    value: Any


class _Move(msgspec.Struct, frozen=True, tag_field="op", tag="move"):
    path: str
    source: str = msgspec.field(name="from")


class _Copy(msgspec.Struct, frozen=True, tag_field="op", tag="copy"):
    path: str
    source: str = msgspec.field(name="from")


class _Test(msgspec.Struct, frozen=True, tag_field="op", tag="test"):
    path: str
    value: Any


_Step: TypeAlias = _Add | _Remove | _Replace | _Move | _Copy | _Test
_decode = msgspec.json.Decoder(list[_Step]).decode


def patched(before: Document, patch: str) -> Document:
    """`before` stays as it is. ApiError for what is no patch, or does not fit the document."""
    root: Any = copy.deepcopy(before)
    for number, step in enumerate(_steps(patch), 1):
        try:
            root = _done(root, step)
        except LookupError as error:
            raise invalid(f"Operation {number} of the patch document: {error.args[0]}") from None
        except RecursionError:
            raise invalid("The patch document nests too deeply") from None
    if type(root) is not dict:
        raise invalid("The patch document leaves no object")
    return root


def _steps(patch: str) -> list[_Step]:
    try:
        steps = _decode(patch.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # What does not fit may be a key: the error that names it is not told.
        raise invalid("The patch document is not a JSON Patch (RFC 6902)") from None
    if len(steps) > MAX_STEPS:
        raise invalid(f"The patch document has more than {MAX_STEPS} operations")
    return steps


def _done(root: Any, step: _Step) -> Any:
    """The document behind one step. LookupError that says why there is none."""
    match step:
        case _Add(path, value):
            return _added(root, path, value)
        case _Remove(path):
            return _removed(root, path)[0]
        case _Replace(path, value):
            return _replaced(root, path, value)
        case _Move(path, source):
            # RFC 6902, 4.4: nothing moves into itself.
            if path.startswith(source + "/"):
                raise LookupError(f"{source} cannot be moved into itself")
            rest, moved = _removed(root, source)
            return _added(rest, path, moved)
        case _Copy(path, source):
            return _bounded(_added(root, path, copy.deepcopy(_at(root, source))))
        case _Test(path, value):
            if not _same(_at(root, path), value):
                raise LookupError(f"{path} is not as tested")
            return root


def _bounded(root: Any) -> Any:
    if len(msgspec.json.encode(root)) > MAX_SIZE:
        raise invalid("The patch document makes the resource too large")
    return root


def _tokens(path: str) -> list[str]:
    """Of a JSON Pointer (RFC 6901): first ``~1`` is undone, then ``~0``."""
    if not path:
        return []
    if not path.startswith("/"):
        raise LookupError(f"{path} is not a JSON Pointer")
    return [token.replace("~1", "/").replace("~0", "~") for token in path[1:].split("/")]


def _at(root: Any, path: str) -> Any:
    found = root
    for token in _tokens(path):
        found = _child(found, token, path)
    return found


def _child(holder: Any, token: str, path: str) -> Any:
    if type(holder) is dict and token in holder:
        return holder[token]
    if type(holder) is list:
        return holder[_index(token, len(holder) - 1, path)]
    raise _nothing(path)


def _holder(root: Any, path: str) -> tuple[Any, str]:
    """What has the place that `path` names, and the place's own name in it."""
    *above, last = _tokens(path)
    holder = root
    for token in above:
        holder = _child(holder, token, path)
    return holder, last


def _added(root: Any, path: str, value: Any) -> Any:
    """RFC 6902, 4.1: a member is set, an item is put before the one that has its place."""
    if not path:
        return value
    holder, last = _holder(root, path)
    if type(holder) is dict:
        holder[last] = value
    elif type(holder) is list:
        end = len(holder)
        holder.insert(end if last == "-" else _index(last, end, path), value)
    else:
        raise _nothing(path)
    return root


def _removed(root: Any, path: str) -> tuple[Any, Any]:
    if not path:
        return None, root
    holder, last = _holder(root, path)
    value = _child(holder, last, path)
    del holder[last if type(holder) is dict else int(last)]
    return root, value


def _replaced(root: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    holder, last = _holder(root, path)
    _child(holder, last, path)
    holder[last if type(holder) is dict else int(last)] = value
    return root


def _index(token: str, most: int, path: str) -> int:
    """Digits without leading zeros (RFC 6901, 4)."""
    is_number = token.isascii() and token.isdigit() and (token == "0" or token[0] != "0")
    if not is_number or len(token) > len(str(most)) or int(token) > most:
        raise _nothing(path)
    return int(token)


def _nothing(path: str) -> LookupError:
    return LookupError(f"there is no {path}")


def _same(one: Any, other: Any) -> bool:
    """As JSON compares: true is not 1 (RFC 6902, 4.6)."""
    if type(one) is bool or type(other) is bool:
        return one is other
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
