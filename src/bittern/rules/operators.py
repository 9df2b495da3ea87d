"""The operators that take values: arithmetic, comparison and concatenation.

``AND``, ``OR`` and ``NOT`` are in ``compiler.py``: they decide what is evaluated at all.

Source: AWS IoT Core developer guide, "Operators".
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bittern.rules.limits import bounded
from bittern.rules.values import (
    ARITHMETIC,
    UNDEFINED,
    Number,
    equal,
    integer,
    number,
    plain_number,
    result,
    text,
)

Operator = Callable[[object, object], object]


def add(left: object, right: object) -> object:
    """Addition; concatenation as soon as one side is a String."""
    if type(left) is str or type(right) is str:
        return concatenate(left, right)
    first, second = plain_number(left), plain_number(right)
    if first is None or second is None:
        return UNDEFINED
    if isinstance(first, int) and isinstance(second, int):
        return integer(first + second)
    return result(ARITHMETIC.add(Decimal(first), Decimal(second)))


def concatenate(left: object, right: object) -> object:
    first, second = text(left), text(right)
    if first is None or second is None:
        return UNDEFINED
    bounded(len(first) + len(second))
    return first + second


def subtract(left: object, right: object) -> object:
    return _arithmetic(left, right, int.__sub__, ARITHMETIC.subtract)


def multiply(left: object, right: object) -> object:
    return _arithmetic(left, right, int.__mul__, ARITHMETIC.multiply)


def divide(left: object, right: object) -> object:
    """Int by Int is an Int, cut off towards zero. By zero it is Undefined.

    The table of "Operators" says so; the example of "SET clause" (215 / 9 = 23.89) contradicts it.
    To divide exactly, make one side a Decimal: ``cast(x as Decimal) / 10``.
    """
    return _arithmetic(left, right, _quotient, ARITHMETIC.divide)


def remainder(left: object, right: object) -> object:
    """With the sign of the left side, as in Java; of a division by zero it is Undefined."""
    return _arithmetic(left, right, _remainder, ARITHMETIC.remainder)


def _arithmetic(
    left: object,
    right: object,
    of_integers: Callable[[int, int], int],
    of_decimals: Callable[[Decimal, Decimal], Decimal],
) -> object:
    first, second = number(left), number(right)
    if first is None or second is None:
        return UNDEFINED
    if isinstance(first, int) and isinstance(second, int):
        try:
            return integer(of_integers(first, second))
        except ZeroDivisionError:
            return UNDEFINED
    return result(of_decimals(Decimal(first), Decimal(second)))


def _quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    found = abs(left) % abs(right)
    return -found if left < 0 else found


def negate(value: object) -> object:
    """A leading minus: the value subtracted from zero."""
    found = number(value)
    if found is None:
        return UNDEFINED
    return -found if isinstance(found, int) else result(ARITHMETIC.minus(found))


def affirm(value: object) -> object:
    """A leading plus: the number itself."""
    found = number(value)
    return UNDEFINED if found is None else found


def unequal(left: object, right: object) -> object:
    found = equal(left, right)
    return found if found is UNDEFINED else not found


def less(left: object, right: object) -> object:
    return _compared(left, right, lambda first, second: first < second)


def less_or_equal(left: object, right: object) -> object:
    return _compared(left, right, lambda first, second: first <= second)


def greater(left: object, right: object) -> object:
    return _compared(left, right, lambda first, second: first > second)


def greater_or_equal(left: object, right: object) -> object:
    return _compared(left, right, lambda first, second: first >= second)


def _compared(left: object, right: object, holds: Callable[[Number, Number], bool]) -> object:
    """Order exists between numbers only; Strings that spell one are numbers here."""
    first, second = number(left), number(right)
    return UNDEFINED if first is None or second is None else holds(first, second)


OPERATORS: dict[str, Operator] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "=": equal,
    "<>": unequal,
    "!=": unequal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
}
"""``!=`` is not in AWS's list and is taken as ``<>``."""
