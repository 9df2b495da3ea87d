"""Functions of Arrays, Objects and values of any kind.

Source: AWS IoT Core developer guide, "Functions": concat, decode, encode, get, isNull, isUndefined,
transform.
"""

from __future__ import annotations

import base64
import binascii

from bittern.errors import RuleLimitExceeded
from bittern.rules.document import encode as to_json
from bittern.rules.document import parse
from bittern.rules.functions.registry import Function, function
from bittern.rules.limits import MAX_TRANSFORMED, MAX_WEIGHT, Weight, bounded
from bittern.rules.values import UNDEFINED, index, text, utf8


def get(collection: object, key: object) -> object:
    """An item, a character or a member; Undefined where there is none. Also ``collection[key]``.

    Positions count from 0; the page's ``get("abc", 1) = "a"`` is a slip, its table says 0-based.
    """
    if isinstance(collection, dict):
        return collection.get(key, UNDEFINED) if type(key) is str else UNDEFINED
    if not isinstance(collection, list | str):
        return UNDEFINED
    at = index(key)
    return collection[at] if at is not None and 0 <= at < len(collection) else UNDEFINED


def concat(*arguments: object) -> object:
    """Arrays, if one is among the arguments; else Strings, if one is; else Undefined."""
    if len(arguments) < 2:
        return arguments[0] if arguments else UNDEFINED
    if any(isinstance(one, list) for one in arguments):
        return _joined(arguments)
    if not any(isinstance(one, str) for one in arguments):
        return UNDEFINED
    texts = [one for one in map(text, arguments) if one is not None]
    if len(texts) < len(arguments):
        return UNDEFINED
    bounded(sum(map(len, texts)))
    return "".join(texts)


def _joined(arguments: tuple[object, ...]) -> list[object]:
    if sum(len(one) if isinstance(one, list) else 1 for one in arguments) > MAX_WEIGHT // 8:
        raise RuleLimitExceeded("concat makes an array longer than a rule may make")
    items: list[object] = []
    for one in arguments:
        if isinstance(one, list):
            items.extend(one)
        elif one is not UNDEFINED:
            items.append(one)
    return items


def transform(_mode: object, attributes: object, array: object) -> object:
    """``enrichArray``, the only mode: each object of the array with the attributes added.

    An attribute takes the place of a member of its name.
    """
    if not isinstance(attributes, dict) or not isinstance(array, list):
        return UNDEFINED
    weight = Weight()
    enriched: list[object] = []
    for one in array:
        if not isinstance(one, dict):
            return UNDEFINED
        weight.add(attributes)
        enriched.append({**one, **attributes})
    weight.add(enriched)
    if (size := len(to_json(enriched))) > MAX_TRANSFORMED:
        raise RuleLimitExceeded(f"transform makes {size} bytes, {MAX_TRANSFORMED} are allowed")
    return enriched


def encode(value: object, _scheme: object) -> object:
    """Base64 of the text, or of a message that is raw bytes. (``encode(*, …)``: `compiler`.)"""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    found = text(value)
    if found is None:
        return UNDEFINED
    content = utf8(found)
    bounded(len(content) * 4 // 3)
    return base64.b64encode(content).decode()


def decode(value: object, _scheme: object) -> object:
    """What the base64 holds: a JSON document, else text; Null if it is neither."""
    if not isinstance(value, str):
        return UNDEFINED if value is UNDEFINED else None
    try:
        content = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        found = parse(content)
        return content.decode() if isinstance(found, bytes) else found
    except (binascii.Error, ValueError):
        return None


def is_null(value: object) -> object:
    return value is None


def is_undefined(value: object) -> object:
    return value is UNDEFINED


_SCHEME = frozenset({1})

FUNCTIONS: tuple[Function, ...] = (
    function("get", "collection key", get),
    function("concat", "? value", concat, repeats=True),
    function("encode", "value scheme", encode, literal=_SCHEME, since_2016=True),
    function("decode", "value scheme", decode, literal=_SCHEME, since_2016=True),
    function("transform", "mode object array", transform, literal=frozenset({0}), since_2016=True),
    function("isNull", "value", is_null),
    function("isUndefined", "value", is_undefined, since_2016=True),
)

CHOICES = {"encode": ("base64",), "decode": ("base64",), "transform": ("enrichArray",)}
"""What a literal argument may say. ``decode(…, 'proto', …)`` needs descriptors kept at AWS."""
