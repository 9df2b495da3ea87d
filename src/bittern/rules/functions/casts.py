"""``cast(value as type)``.

Source: AWS IoT Core developer guide, "Functions", cast. In version 2016-03-23 a whole Decimal
becomes a Decimal without a point: it prints as an Int does, yet divides exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bittern.rules.values import (
    UNDEFINED,
    boolean,
    double,
    floor,
    integer,
    number,
    text,
)

_Cast = Callable[[object], object]


def to_string(value: object) -> object:
    found = text(value)
    return UNDEFINED if found is None else found


def to_int(value: object) -> object:
    """Rounded down, Strings too; true is 1."""
    if isinstance(value, bool):
        return int(value)
    found = number(value)
    return UNDEFINED if found is None else integer(floor(found))


def to_decimal(value: object) -> object:
    if isinstance(value, bool):
        return Decimal("1.0") if value else Decimal("0.0")
    found = number(value)
    return UNDEFINED if found is None else Decimal(found)


def to_double(value: object) -> object:
    """A Decimal of the precision of a double."""
    found = to_decimal(value)
    return double(float(found)) if isinstance(found, Decimal) else UNDEFINED


def to_boolean(value: object) -> object:
    """Numbers other than 0 are true; of Strings only the two names of Booleans convert."""
    found = None if isinstance(value, str) else number(value)
    if found is not None:
        return found != 0
    named = boolean(value)
    return UNDEFINED if named is None else named


CASTS: dict[str, _Cast] = {
    **dict.fromkeys(("string", "nvarchar", "text", "ntext", "varchar"), to_string),
    **dict.fromkeys(("int", "integer"), to_int),
    "double": to_double,
    "decimal": to_decimal,
    **dict.fromkeys(("bool", "boolean"), to_boolean),
}

SINCE_2016 = frozenset({"decimal", "bool", "boolean"})
