"""Functions of Strings. Positions count characters from 0.

Source: AWS IoT Core developer guide, "Functions": the table of each function by its name.
"""

from __future__ import annotations

from bittern.rules.functions.registry import Function, function, of_text, of_texts
from bittern.rules.limits import bounded
from bittern.rules.values import UNDEFINED, index, text, utf8

MAX_PADDING = 1000
_BLANKS = " \t\r\n\f\v"


def character(value: object) -> object:
    """``chr``: of an ASCII value, 0 to 127."""
    code = index(value)
    return chr(code) if code is not None and 0 <= code <= 127 else UNDEFINED


def replaced(value: str, old: str, new: str) -> object:
    """Every occurrence; an empty second argument occurs nowhere."""
    if not old:
        return value
    bounded(len(value) + value.count(old) * (len(new) - len(old)))
    return value.replace(old, new)


def substring(value: object, start: object, end: object = None) -> object:
    """From ``start``, inclusive, to ``end``, exclusive; both are moved into the String."""
    found, first = text(value), index(start)
    last = index(end) if end is not None else None
    if found is None or first is None or (last is None and end is not None):
        return UNDEFINED
    last = len(found) if last is None else max(last, 0)
    return found[max(first, 0) : last]


def _substring(*arguments: object) -> object:
    """Tells an end that is Null, which is no number, from one that is absent."""
    if len(arguments) == 3 and arguments[2] is None:
        return UNDEFINED
    return substring(*arguments)


def left_padded(value: object, count: object) -> object:
    return _padded(value, count, left=True)


def right_padded(value: object, count: object) -> object:
    return _padded(value, count, left=False)


def _padded(value: object, count: object, *, left: bool) -> object:
    """``count`` is the number of blanks that are added, not the length that results."""
    found, wanted = text(value), index(count)
    if found is None or wanted is None:
        return UNDEFINED
    blanks = " " * min(max(wanted, 0), MAX_PADDING)
    bounded(len(found) + len(blanks))
    return blanks + found if left else found + blanks


FUNCTIONS: tuple[Function, ...] = (
    function("chr", "code", character),
    function("endswith", "string suffix", of_texts(str.endswith)),
    function("indexof", "string part", of_texts(str.find), since_2016=True),
    function("length", "string", of_text(len), since_2016=True),
    function("lower", "string", of_text(str.lower)),
    function("lpad", "string count", left_padded),
    function("ltrim", "string", of_text(lambda value: value.lstrip(_BLANKS))),
    function("numbytes", "string", of_text(lambda value: len(utf8(value))), since_2016=True),
    function("replace", "string old new", of_texts(replaced)),
    function("rpad", "string count", right_padded),
    function("rtrim", "string", of_text(lambda value: value.rstrip(_BLANKS))),
    function("startswith", "string prefix", of_texts(str.startswith)),
    function("substring", "string start ? end", _substring),
    function("trim", "string", of_text(lambda value: value.strip(_BLANKS))),
    function("upper", "string", of_text(str.upper)),
)
