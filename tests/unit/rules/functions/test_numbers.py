from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.numbers import floored, inverted, nanvl, rounded, truncated
from bittern.rules.values import UNDEFINED

DOUBLES = [
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "exp",
    "ln",
    "log",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


@pytest.mark.parametrize("name", [*DOUBLES, *["abs", "ceil", "floor", "round", "sign", "bitnot"]])
@pytest.mark.parametrize("value", [True, None, UNDEFINED, "x", [], {}, float("nan")])
def test_what_is_no_number_is_undefined(name: str, value: object) -> None:
    assert FUNCTIONS[name].implementation(value) is UNDEFINED


@pytest.mark.parametrize("name", DOUBLES)
def test_functions_of_doubles_give_decimals_also_of_huge_numbers(name: str) -> None:
    assert isinstance(FUNCTIONS[name].implementation(1), Decimal)
    huge = FUNCTIONS[name].implementation(Decimal("-9.9E+999"))
    assert huge is UNDEFINED or isinstance(huge, Decimal)


@pytest.mark.parametrize(
    "name", ["atan2", "power", "bitand", "bitor", "bitxor", "mod", "remainder"]
)
def test_both_arguments_have_to_be_numbers(name: str) -> None:
    assert FUNCTIONS[name].implementation(1, None) is UNDEFINED
    assert FUNCTIONS[name].implementation([], 1) is UNDEFINED


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (Decimal("2.50"), 5, Decimal("2.5")),
        (Decimal("100.5"), 0, 100),
        (Decimal("1E+2"), 1, 100),
        (Decimal("1.999"), 99, Decimal("1.999")),
        (Decimal("9.99E-40"), 34, 0),
        (Decimal("1E+50"), 2, Decimal("1E+50")),
        (5, Decimal("1.9"), 5),
        ("3.14159", 2.9, Decimal("3.14")),
        (Decimal(2), "2", UNDEFINED),
        (Decimal("2.5"), True, UNDEFINED),
    ],
)
def test_truncation(value: object, places: object, expected: object) -> None:
    found = truncated(value, places)
    assert found == expected
    assert type(found) is type(expected)


def test_rounding_beyond_34_digits_changes_nothing() -> None:
    assert rounded(Decimal("1E+50")) == Decimal("1E+50")
    assert floored(Decimal("1E+999")) == Decimal("1E+999")


def test_bits_in_twos_complement() -> None:
    assert inverted(0) == -1
    assert inverted(inverted(12345)) == 12345


def test_numbers_that_are_none_are_replaced() -> None:
    assert nanvl(float("nan"), 3) == 3
    assert nanvl(Decimal("NaN"), 3) == 3
    assert nanvl(True, 3) is True
    assert nanvl(UNDEFINED, None) is None
