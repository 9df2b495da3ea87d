from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.rules.functions.casts import CASTS
from bittern.rules.values import UNDEFINED


@pytest.mark.parametrize("kind", CASTS)
@pytest.mark.parametrize("value", [None, UNDEFINED])
def test_null_and_undefined_become_nothing(kind: str, value: object) -> None:
    assert CASTS[kind](value) is UNDEFINED


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("int", Decimal("-1.5"), -2),
        ("int", "1E3", 1000),
        ("int", Decimal("1E+50"), Decimal("1E+50")),
        ("decimal", 10, Decimal(10)),
        ("decimal", True, Decimal("1.0")),
        ("double", Decimal("0.1234567890123456789"), Decimal("0.12345678901234568")),
        ("double", Decimal("1E+400"), UNDEFINED),
        ("bool", 0.0, False),
        ("boolean", Decimal("1E-999"), True),
        ("bool", "1", UNDEFINED),
        ("bool", [], UNDEFINED),
        ("string", Decimal("1E+50"), "1E+50"),
    ],
)
def test_casts(kind: str, value: object, expected: object) -> None:
    found = CASTS[kind](value)
    assert found == expected
    assert type(found) is type(expected)
