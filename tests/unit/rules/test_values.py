from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.values import (
    INT_BOUND,
    UNDEFINED,
    boolean,
    double,
    equal,
    index,
    integer,
    number,
    numeral,
    plain_number,
    text,
    utf8,
)

NAN = float("nan")


def test_undefined_is_false_and_says_what_it_is() -> None:
    assert not UNDEFINED
    assert repr(UNDEFINED) == "Undefined"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (10.0, 10),
        (1e22, 10**22),
        (1e40, Decimal("1e40")),
        (0.1, Decimal("0.1")),
        ("-1.2", Decimal("-1.2")),
        ("5E-12", Decimal("5E-12")),
        (Decimal("2.5"), Decimal("2.5")),
        (INT_BOUND, Decimal("1E+34")),
        (Decimal("1E-5000"), Decimal(0)),
    ],
)
def test_numbers(value: object, expected: object) -> None:
    found = number(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [True, None, UNDEFINED, "", "abc", "+1", ".5", "1.", "1e+5", " 1", "\uff11", [], {}, NAN,
     float("inf"), Decimal("1E+1000"), Decimal("NaN"), "1e1000", "1e99999999999999999999",
     10**1000, b"1"],
)  # fmt: skip
def test_what_is_no_number(value: object) -> None:
    assert number(value) is None


def test_an_endless_integer_is_no_number() -> None:
    assert number(10**50_000) is None


def test_a_plain_number_is_no_string() -> None:
    assert plain_number("5") is None
    assert plain_number(5) == 5
    assert numeral("5") == 5


def test_an_int_of_more_than_34_digits_becomes_a_decimal() -> None:
    assert integer(INT_BOUND - 1) == INT_BOUND - 1
    assert repr(integer(INT_BOUND + 1)) == "Decimal('1.000000000000000000000000000000000E+34')"
    assert integer(10**5000) is UNDEFINED


def test_a_double_keeps_its_point() -> None:
    assert str(double(3.0)) == "3.0"
    assert double(NAN) is UNDEFINED


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.745, 2), (-0.5, -1), ("3", 3), (True, None), ("x", None), (Decimal("1E+999"), 10**999)],
)
def test_positions_are_rounded_down(value: object, expected: int | None) -> None:
    assert index(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("TRUE", True), ("False", False), ("yes", None), (1, None), (None, None)],
)
def test_booleans(value: object, expected: bool | None) -> None:
    assert boolean(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (True, "true"),
        (10, "10"),
        (10.0, "10"),
        (0.5, "0.5"),
        (Decimal("5.0"), "5.0"),
        ([1, "b", None], '[1,"b",null]'),
        ({"a": Decimal("1.50")}, '{"a":1.50}'),
        (b"raw", "raw"),
        (b"\xff", None),
        (None, None),
        (UNDEFINED, None),
        (NAN, None),
    ],
)
def test_texts(value: object, expected: str | None) -> None:
    assert text(value) == expected


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert utf8("a\ud800€") == b"a?\xe2\x82\xac"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (1, Decimal("1.0"), True),
        (1, True, False),
        ([1], [True], False),
        ([1, [2]], [1.0, [2]], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {"b": None}, False),
        ("a", ["a"], False),
        (1, "1", False),
        (None, UNDEFINED, UNDEFINED),
        (NAN, NAN, False),
        (b"a", b"a", True),
    ],
)
def test_equality(left: object, right: object, expected: object) -> None:
    assert equal(left, right) is expected
    assert equal(right, left) is expected


def test_what_unfolds_is_not_compared() -> None:
    first: object = [1]
    second: object = [1]
    for _ in range(100):
        first, second = [first, first], [second, second]
    with pytest.raises(RuleLimitExceeded):
        equal(first, second)
