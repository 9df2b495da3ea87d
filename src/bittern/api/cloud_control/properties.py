"""Properties of a resource to parameters of operations, and back.

What a client wants is compared with what is there, property by property: what may change becomes
parameters of the update, what may not is refused by its path. What a client leaves out of an object
it takes as it comes; only lists and objects inside of it are emptied by being left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bittern.api.cloud_control.memory import canonical, is_hexadecimal
from bittern.api.cloud_control.types import Model, ResourceType
from bittern.api.errors import ApiError, invalid
from bittern.api.model import Shape

NOT_UPDATABLE = "NotUpdatableException"

_IN_PARTS = frozenset({"LoRaWAN", "FPorts", "AbpV10x", "AbpV11"})
"""Objects of which an update takes a part for itself; of any other it takes the whole."""
_DEV_EUI = re.compile("[a-f0-9]{16}")

Path = tuple[str, ...]
Shapes = Mapping[str, Shape]


def parsed(text: str) -> Model:
    """ApiError for what is no object in JSON. The text is not told: it may hold keys."""
    try:
        found = msgspec.json.decode(text.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise invalid("The properties are not JSON") from None
    if type(found) is not dict:
        raise invalid("The properties are not an object")
    return {name: value for name, value in found.items() if value is not None}


def check_new(of: ResourceType, model: Model) -> None:
    """ApiError for properties of a new resource that its type does not have, or that only the
    server sets. Their values are judged by the operation that makes it."""
    set_by_server = [path for path in sorted(of.read_only) if _at(model, path) is not None]
    if set_by_server:
        raise _failed(f"#: read-only properties [{_shown(set_by_server)}] are not permitted")
    check_names(of, model)
    for name, value in of.constant.items():
        if model.get(name, value) != value:
            raise _failed(f"#/{name}: must be {value}")
    dev_eui = _at(model, ("LoRaWAN", "DevEui"))
    if type(dev_eui) is str and not _DEV_EUI.fullmatch(dev_eui):
        raise _failed("#/LoRaWAN/DevEui: does not match pattern [a-f0-9]{16}")


def check_names(of: ResourceType, model: Model) -> None:
    """ApiError for a property that the type does not have, or that is needed and not there."""
    own = {*of.constant, *(link.property for link in of.links)}
    known = {name: value for name, value in model.items() if name not in own}
    strange = next(_strange(of, known, of.settable, ()), None)
    if strange is not None:
        *above, name = strange
        raise _failed(f"#{_shown([tuple(above)])}: extraneous key [{name}] is not permitted")
    assert of.create.input is not None
    for name in of.create.input.required_members:
        if model.get(name) is None:
            raise _failed(f"#: required key [{name}] not found")


def of_new(of: ResourceType, model: Model) -> dict[str, Any]:
    """Parameters of the operation that makes the resource."""
    given = {name: value for name, value in model.items() if name in of.settable}
    members: dict[str, Any] = _renamed(given, of.spelled)
    return members


def told(of: ResourceType, identifier: str, document: Mapping[str, Any]) -> Model:
    """The properties, from what the operation that tells of the resource has answered."""
    back = {member: name for name, member in of.spelled.items()}
    renamed = _renamed(document, back)
    known = {*of.settable, *(path[0] for path in of.read_only), *(one.property for one in of.links)}
    model = {name: value for name, value in renamed.items() if name in known}
    return {**model, **of.constant, of.identifier: identifier}


def changes(of: ResourceType, before: Model, after: Model) -> dict[str, Any]:
    """Parameters of the update, without the resource's own name; empty where nothing is to change.

    Neither tags nor associations are among them. ApiError for what cannot change.
    """
    forged = [path for path in sorted(of.read_only) if _at(after, path) is not None]
    forged = [path for path in forged if _at(after, path) != _at(before, path)]
    if forged:
        raise _failed(f"#: read-only properties [{_shown(forged)}] are not permitted")
    refused: list[Path] = []
    shapes = _changeable(of)
    found = _changed(of, (before, after), shapes, (), refused)
    for name, value in of.constant.items():
        if after.get(name, value) != value:
            refused.append((name,))
    if refused:
        raise ApiError(
            NOT_UPDATABLE,
            f"[{_shown(refused)}] cannot be changed; delete the resource and create it anew",
        )
    if of.outside and "LoRaWAN" in found:
        found |= found.pop("LoRaWAN")
    for name in of.by_difference & found.keys():
        found |= _difference(name, before.get(name, []), found.pop(name))
    renamed: dict[str, Any] = _renamed(found, of.spelled)
    return renamed


def tag_changes(before: Model, after: Model) -> tuple[list[dict[str, str]], list[str]]:
    """The tags to set, and the keys of those to take away. ApiError for what are no tags."""
    old, new = _tags(before), _tags(after)
    to_set = [
        {"Key": key, "Value": value} for key, value in new.items() if old.get(key, None) != value
    ]
    return to_set, [key for key in old if key not in new]


def _tags(model: Model) -> dict[str, str]:
    tags = model.get("Tags", [])
    try:
        pairs = [(tag["Key"], tag["Value"]) for tag in tags]
        found = dict(pairs)
    except (TypeError, KeyError):
        raise _failed("#/Tags: must be a list of objects with Key and Value") from None
    if len(found) != len(pairs):
        raise _failed("#/Tags: array items are not unique")
    return found


def _changeable(of: ResourceType) -> dict[str, Shape | dict[str, Shape]]:
    """What an update takes, where it stands among the properties."""
    found: dict[str, Shape | dict[str, Shape]] = {}
    for name, shape in of.changeable.items():
        if name in of.outside:
            inside = found.setdefault("LoRaWAN", {})
            assert isinstance(inside, dict)
            inside[name] = shape
        elif name.removesuffix("ToAdd") in of.by_difference:
            found[name.removesuffix("ToAdd")] = shape
        elif name.removesuffix("ToRemove") not in of.by_difference:
            found[name] = shape
    return found


def _changed(
    of: ResourceType,
    pair: tuple[Model, Model],
    taken: Mapping[str, Any],
    path: Path,
    refused: list[Path],
) -> dict[str, Any]:
    """Those of the properties at `path` that are to change; `refused` gets what cannot."""
    before, after = pair
    found: dict[str, Any] = {}
    for name in {**before, **after}:
        own = (*path, name)
        if not path and (name not in of.settable or name == "Tags"):
            continue
        old, new = before.get(name), after.get(name)
        if _canonical(name, old) == _canonical(name, new):
            continue
        shape = taken.get(name)
        if shape is not None and name in _IN_PARTS:
            parts = shape if isinstance(shape, dict) else of.properties_of(shape)
            inside = _changed(of, (_object(old, own), _object(new, own)), parts, own, refused)
            if inside:
                found[name] = inside
        elif new is not None:
            if shape is None:
                refused += _differing(name, old, new, own)
            else:
                found[name] = new
        elif (empty := _empty(shape, inside=bool(path))) is not None:
            found[name] = empty
        elif not path:
            refused.append(own)
    return found


def _empty(shape: Shape | None, *, inside: bool) -> Any:
    """The value that says that there is none; None: no value does. A text inside of an object is
    what the server has told or another resource's name, and left alone."""
    if shape is None:
        return None
    match shape.type_name:
        case "string":
            bound = shape.metadata.get("min") or shape.metadata.get("enum")
            return None if inside or bound else ""
        case "list":
            return []
        case "structure":
            return {}
        case _:
            return None


def _differing(name: str, old: Any, new: Any, path: Path) -> Iterator[Path]:
    """Paths of what is given and is otherwise. What is left out of an object is not given."""
    if type(old) is dict and type(new) is dict:
        for key, value in new.items():
            yield from _differing(key, old.get(key), value, (*path, key))
    elif _canonical(name, old) != _canonical(name, new):
        yield path


def _object(value: Any, path: Path) -> Model:
    if value is None:
        return {}
    if type(value) is not dict:
        raise _failed(f"#{_shown([path])}: must be an object")
    return value


def _difference(name: str, before: list[Any], after: Any) -> dict[str, list[Any]]:
    if type(after) is not list:
        raise _failed(f"#/{name}: must be a list")
    both = {
        f"{name}ToAdd": [one for one in after if one not in before],
        f"{name}ToRemove": [one for one in before if one not in after],
    }
    return {key: items for key, items in both.items() if items}


def _strange(
    of: ResourceType, given: Mapping[str, Any], shapes: Shapes, path: Path
) -> Iterator[Path]:
    """Paths of what is no property."""
    for name, value in given.items():
        own = (*path, name)
        if own in of.read_only:
            continue
        shape = shapes.get(name)
        if shape is None:
            yield own
            continue
        item = shape.member if shape.type_name == "list" else shape
        if item.type_name == "structure":
            below = of.properties_of(item)
            for one in value if type(value) is list else [value]:
                if type(one) is dict:
                    yield from _strange(of, one, below, own)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if type(value) is dict:
        return {names.get(name, name): _renamed(item, names) for name, item in value.items()}
    if type(value) is list:
        return [_renamed(item, names) for item in value]
    return value


def _canonical(name: str, value: Any) -> Any:
    """What two spellings of the same have in common: of EUIs, keys and addresses, and of lists that
    have no order."""
    match value:
        case dict():
            return {key: _canonical(key, item) for key, item in value.items()}
        case str() if is_hexadecimal(name):
            return canonical(value)
        case list() if name in ("WirelessDevices", "WirelessGateways", "MulticastGroups"):
            return sorted(map(str, value))
        case _:
            return value


def _at(model: Mapping[str, Any], path: Path) -> Any:
    found: Any = model
    for name in path:
        found = found.get(name) if type(found) is dict else None
    return found


def _shown(paths: list[Path]) -> str:
    """As CloudFormation writes them: ``/LoRaWAN/DevEui``."""
    return ", ".join("".join(f"/{name}" for name in path) for path in paths)


def _failed(what: str) -> ApiError:
    return invalid(f"Model validation failed ({what})")
