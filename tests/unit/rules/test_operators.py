from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules import operators
from bittern.rules.operators import OPERATORS
from bittern.rules.values import UNDEFINED

ORDER = ("<", "<=", ">", ">=")
ARITHMETIC = ("-", "*", "/", "%")


@pytest.mark.parametrize("operator", [*ORDER, *ARITHMETIC])
@pytest.mark.parametrize("other", [True, None, UNDEFINED, [], {}, "x"])
def test_what_is_no_number_has_no_order_and_no_arithmetic(operator: str, other: object) -> None:
    assert OPERATORS[operator](1, other) is UNDEFINED
    assert OPERATORS[operator](other, 1) is UNDEFINED


@pytest.mark.parametrize("operator", ["+", *ARITHMETIC])
def test_two_ints_give_an_int_and_a_decimal_gives_a_decimal(operator: str) -> None:
    assert type(OPERATORS[operator](7, 2)) is int
    assert type(OPERATORS[operator](7, Decimal("2.5"))) is Decimal
    assert type(OPERATORS[operator](0.5, 2)) is Decimal


@pytest.mark.parametrize("operator", ["/", "%"])
@pytest.mark.parametrize("dividend", [0, 7, Decimal("7.5"), "7"])
def test_nothing_is_divided_by_zero(operator: str, dividend: object) -> None:
    assert OPERATORS[operator](dividend, 0) is UNDEFINED


@pytest.mark.parametrize(
    ("left", "right", "quotient", "remainder"),
    [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1), (0, 5, 0, 0)],
)
def test_ints_are_divided_towards_zero(
    left: int, right: int, quotient: int, remainder: int
) -> None:
    assert operators.divide(left, right) == quotient
    assert operators.remainder(left, right) == remainder


def test_the_range_of_decimals_ends() -> None:
    assert operators.multiply(Decimal("1E+999"), 10) is UNDEFINED
    assert operators.multiply(Decimal("1E-999"), Decimal("1E-999")) == 0


def test_concatenation_is_bounded() -> None:
    with pytest.raises(RuleLimitExceeded):
        operators.add("x" * 200_000, "x" * 200_000)


def test_signs() -> None:
    assert operators.negate("2.5") == Decimal("-2.5")
    assert operators.negate(5) == -5
    assert operators.affirm("2.5") == Decimal("2.5")
    assert operators.affirm(True) is UNDEFINED
    assert operators.negate(None) is UNDEFINED


def test_inequality_is_the_opposite_of_equality_except_of_undefined() -> None:
    assert operators.unequal(1, "1") is True
    assert operators.unequal(1, 1.0) is False
    assert operators.unequal(1, UNDEFINED) is UNDEFINED
