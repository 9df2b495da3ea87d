from __future__ import annotations

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.strings import (
    character,
    left_padded,
    replaced,
    right_padded,
    substring,
)
from bittern.rules.values import UNDEFINED

ONE = ["length", "lower", "ltrim", "numbytes", "rtrim", "trim", "upper"]


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("value", [None, UNDEFINED])
def test_null_and_undefined_have_no_text(name: str, value: object) -> None:
    assert FUNCTIONS[name].implementation(value) is UNDEFINED


@pytest.mark.parametrize(("code", "expected"), [(0, "\0"), (127, "\x7f"), (128, UNDEFINED)])
def test_characters_are_of_ascii(code: int, expected: object) -> None:
    assert character(code) == expected


def test_replacing_is_bounded_before_it_is_done() -> None:
    assert replaced("aXbX", "X", "") == "ab"
    with pytest.raises(RuleLimitExceeded):
        replaced("x" * 100_000, "x", "y" * 100_000)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 3, "abc"),
        (1, 99, "bc"),
        (-5, -1, ""),
        (3, None, ""),
        ("1", "2", "b"),
        (1, "x", UNDEFINED),
    ],
)
def test_substrings(start: object, end: object, expected: object) -> None:
    assert substring("abc", start, end) == expected


def test_the_end_of_a_substring_may_be_absent_but_not_null() -> None:
    implementation = FUNCTIONS["substring"].implementation
    assert implementation("abc", 1) == "bc"
    assert implementation("abc", 1, None) is UNDEFINED
    assert implementation("abc", 1, UNDEFINED) is UNDEFINED


def test_padding_adds_blanks() -> None:
    assert left_padded("a", 2) == "  a"
    assert right_padded("a", 2) == "a  "
    assert left_padded("a", 10**30) == " " * 1000 + "a"
    assert right_padded("a", None) is UNDEFINED
