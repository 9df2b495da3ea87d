"""Functions of numbers.

Source: AWS IoT Core developer guide, "Functions": the table of each function by its name. Those
that "round to double precision" compute with doubles and give a Decimal, also where it is whole:
``sqrt(9)`` is ``3.0``. What is imaginary or out of range is Undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

from bittern.rules.functions.registry import Function, Implementation, function, of_number
from bittern.rules.operators import remainder
from bittern.rules.values import (
    DIGITS,
    UNDEFINED,
    Number,
    double,
    floor,
    index,
    integer,
    number,
    plain_number,
    whole,
)


def magnitude(value: Number) -> object:
    return abs(value) if isinstance(value, int) else value.copy_abs()


def ceiling(value: Number) -> object:
    return _rounded(value, ROUND_CEILING)


def floored(value: Number) -> object:
    return integer(value) if isinstance(value, int) else integer(floor(value))


def rounded(value: Number) -> object:
    """Halves away from zero: the page's examples are 1.5 to 2 and -1.5 to -2."""
    return _rounded(value, ROUND_HALF_UP)


def sign(value: Number) -> object:
    return (value > 0) - (value < 0)


def _rounded(value: Number, rounding: str) -> object:
    if isinstance(value, int) or value.adjusted() >= DIGITS:
        return value
    return int(value.to_integral_value(rounding))


def truncated(value: object, places: object) -> object:
    """``trunc``: the digits behind the point, 0 to 34 of them, without trailing zeros."""
    found, wanted = number(value), index(places) if plain_number(places) is not None else None
    if found is None or wanted is None:
        return UNDEFINED
    if isinstance(found, int):
        return found
    exponent = Decimal(1).scaleb(-min(max(wanted, 0), DIGITS))
    if found.adjusted() >= DIGITS or found == found.to_integral_value():
        return whole(found)
    cut = found.quantize(exponent, ROUND_DOWN, _WIDE)
    return int(cut) if cut == cut.to_integral_value() else cut.normalize()


_WIDE = Context(prec=3 * DIGITS, traps=[])


def _double(compute: Callable[[float], float]) -> Implementation:
    return of_number(lambda value: _computed(compute, value))


def _doubles(compute: Callable[[float, float], float]) -> Implementation:
    def call(first: object, second: object) -> object:
        one, other = number(first), number(second)
        return UNDEFINED if one is None or other is None else _computed(compute, one, other)

    return call


def _computed(compute: Callable[..., float], *arguments: Number) -> object:
    try:
        return double(compute(*map(float, arguments)))
    except (ValueError, OverflowError, ZeroDivisionError):
        return UNDEFINED


def _bits(combine: Callable[[int, int], int]) -> Implementation:
    def call(first: object, second: object) -> object:
        one, other = index(first), index(second)
        return UNDEFINED if one is None or other is None else integer(combine(one, other))

    return call


def inverted(value: Number) -> object:
    """``bitnot`` in two's complement, so that ``bitand(x, bitnot(mask))`` clears bits of any x.

    The page's example, 2 for 13, inverts the four bits that 13 has.
    """
    return integer(~floor(value))


def nanvl(value: object, otherwise: object) -> object:
    """The second argument for Null, Undefined and what is not a number among Decimals."""
    if value is None or value is UNDEFINED:
        return otherwise
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return otherwise
    return value


FUNCTIONS: tuple[Function, ...] = (
    function("abs", "number", of_number(magnitude)),
    function("ceil", "number", of_number(ceiling)),
    function("floor", "number", of_number(floored)),
    function("round", "number", of_number(rounded)),
    function("sign", "number", of_number(sign)),
    function("trunc", "number places", truncated),
    function("mod", "number divisor", remainder),
    function("remainder", "number divisor", remainder),
    function("acos", "number", _double(math.acos)),
    function("asin", "number", _double(math.asin)),
    function("atan", "number", _double(math.atan)),
    function("cos", "number", _double(math.cos)),
    function("cosh", "number", _double(math.cosh)),
    function("exp", "number", _double(math.exp)),
    function("ln", "number", _double(math.log)),
    function("log", "number", _double(math.log10)),
    function("sin", "number", _double(math.sin)),
    function("sinh", "number", _double(math.sinh)),
    function("sqrt", "number", _double(math.sqrt)),
    function("tan", "number", _double(math.tan)),
    function("tanh", "number", _double(math.tanh)),
    function("atan2", "y x", _doubles(math.atan2)),
    function("power", "base exponent", _doubles(math.pow)),
    function("bitand", "first second", _bits(int.__and__)),
    function("bitor", "first second", _bits(int.__or__)),
    function("bitxor", "first second", _bits(int.__xor__)),
    function("bitnot", "number", of_number(inverted)),
    function("nanvl", "value otherwise", nanvl),
)
