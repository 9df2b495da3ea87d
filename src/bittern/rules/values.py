"""The values of AWS IoT SQL as Python objects, and how one kind becomes another.

| AWS IoT SQL | here                                                                             |
|-------------|----------------------------------------------------------------------------------|
| Int         | ``int`` of at most 34 digits                                                     |
| Decimal     | ``decimal.Decimal`` of at most 34 digits, exponent -999 to 999                   |
| Boolean     | ``bool``                                                                         |
| String      | ``str``                                                                          |
| Array       | ``list``                                                                         |
| Object      | ``dict``                                                                         |
| Null        | ``None``                                                                         |
| Undefined   | ``UNDEFINED``                                                                    |

A ``float`` occurs too: a number with a fraction or an exponent as the message has it. It passes
through unchanged (``10.0`` leaves as ``10.0``); only where a function or an operator takes it as a
number does it become an Int if it is whole, else a Decimal of the digits it prints with. That is
what version 2016-03-23 does with ``10.0``. For version 2015-10-08 the message is read with every
such number as a Decimal. ``bytes`` stand for a message that is not JSON.

Source: AWS IoT Core developer guide, "Data types" and its section "Conversions".
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from typing import Final

from bittern.rules.document import to_json
from bittern.rules.limits import Weight


class Undefined:
    """The type of `UNDEFINED`, the absence of a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()

Number = int | Decimal

DIGITS = 34
INT_BOUND: Final = 10**DIGITS
MAX_EXPONENT = 999
_MAX_BITS = 3400  # a little more than 10**999 has
_EXACT_FLOAT = 2.0**53

ARITHMETIC: Final = Context(prec=DIGITS, Emin=-MAX_EXPONENT, Emax=MAX_EXPONENT, traps=[], flags=[])
"""Nothing traps: what is out of range comes out infinite or not a number, and is Undefined."""

_NUMERAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+)?")


def number(value: object) -> Number | None:
    """The number that `value` is or, if it is a String, spells; None if it is none.

    A String becomes a Decimal, never an Int ("Conversions", to decimal).
    """
    if type(value) is str:
        return numeral(value)
    return plain_number(value)


def plain_number(value: object) -> Number | None:
    """The number that `value` is; None for everything else, numeric Strings too."""
    kind = type(value)
    if kind is int:
        assert isinstance(value, int)
        return value if -INT_BOUND < value < INT_BOUND else _wide(value)
    if kind is float:
        assert isinstance(value, float)
        return _from_float(value)
    if isinstance(value, Decimal):
        return _in_range(value)
    return None


def numeral(text: str) -> Decimal | None:
    """The Decimal that a String spells, by the pattern that AWS documents: no ``+``, no ``.5``."""
    if _NUMERAL.fullmatch(text) is None:
        return None
    return _in_range(ARITHMETIC.create_decimal(text))


def _wide(value: int) -> Decimal | None:
    """An integer of more than 34 digits: rounded to them, as a Decimal."""
    return _in_range(Decimal(value)) if value.bit_length() <= _MAX_BITS else None


def _from_float(value: float) -> Number | None:
    if not math.isfinite(value):
        return None
    if value.is_integer():
        if -_EXACT_FLOAT < value < _EXACT_FLOAT:
            return int(value)
        return whole(Decimal(repr(value)))
    return Decimal(repr(value))


def _in_range(value: Decimal) -> Decimal | None:
    if not value.is_finite() or value.adjusted() > MAX_EXPONENT:
        return None
    return ARITHMETIC.plus(value) if value else value


def result(value: Decimal) -> object:
    """What arithmetic gives: Undefined if it left the range or is no number."""
    return value if value.is_finite() else UNDEFINED


def integer(value: int) -> object:
    """An Int, or the nearest Decimal where it has more than 34 digits."""
    if -INT_BOUND < value < INT_BOUND:
        return value
    wide = _wide(value)
    return UNDEFINED if wide is None else wide


def double(value: float) -> object:
    """A Decimal "with double precision": the digits that the double prints with."""
    return Decimal(repr(value)) if math.isfinite(value) else UNDEFINED


def whole(value: Decimal) -> Number:
    """A Decimal without a fraction as Int; beyond 34 digits it stays a Decimal."""
    return int(value) if value.adjusted() < DIGITS else value


def floor(value: Number) -> int:
    """Rounded down. At most 1000 digits, since a `Number` is in range."""
    return math.floor(value)


def index(value: object) -> int | None:
    """A position, a length or a count: rounded down, Strings converted; None if it is none.

    "Conversions", to int, would round 2.745 to 3; the documented
    ``substring("012345", 2.745) = "2345"`` rounds down, and so does every function's own table.
    """
    found = number(value)
    return None if found is None else floor(found)


def boolean(value: object) -> bool | None:
    """A Boolean, or the String that names one in any case; None for everything else."""
    if value is True or value is False:
        return value
    if type(value) is str and len(value) <= len("false"):
        return {"true": True, "false": False}.get(value.lower())
    return None


def text(value: object) -> str | None:
    """As String; None for Null and Undefined, which have no text."""
    kind = type(value)
    if kind is str:
        assert isinstance(value, str)
        return value
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return to_json(value).decode()
    if isinstance(value, bytes):
        return _utf8(value)
    found = plain_number(value)
    return None if found is None else str(found)


def _utf8(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def utf8(value: str) -> bytes:
    """A lone surrogate has no UTF-8; it becomes ``?``, as in Java."""
    return value.encode("utf-8", "replace")


def equal(left: object, right: object) -> object:
    """``=``: False between different kinds, Undefined if either is ("Operators", =)."""
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    kind = type(left)
    if kind is str and type(right) is str:
        return left == right
    if kind is int and type(right) is int:
        return left == right
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        Weight().add(left)
        Weight().add(right)
    return same(left, right)


def same(left: object, right: object) -> bool:
    """Equality of two values that are not Undefined, all the way down."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list):
        return isinstance(right, list) and _same_items(left, right)
    if isinstance(left, dict):
        return isinstance(right, dict) and _same_members(left, right)
    if isinstance(left, str | bytes) or isinstance(right, str | bytes | list | dict):
        return left == right
    first, second = plain_number(left), plain_number(right)
    return first is not None and second is not None and first == second


def _same_items(left: list[object], right: list[object]) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def _same_members(left: dict[str, object], right: dict[str, object]) -> bool:
    return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
