from __future__ import annotations

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.patterns import MAX_PATTERN, pattern_problem
from bittern.rules.values import UNDEFINED

replace = FUNCTIONS["regexp_replace"].implementation
matches = FUNCTIONS["regexp_matches"].implementation
substr = FUNCTIONS["regexp_substr"].implementation


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a+", ""),
        ("(", "missing )"),
        ("(?=a)", "invalid perl operator"),
        ("x{9999}", "repetition"),
        ("\ud800", "not Unicode"),
        ("x" * (MAX_PATTERN + 1), "longer than"),
        ("((a{100}){100}){100}", "repetition"),
    ],
)
def test_patterns_that_are_none(pattern: str, problem: str) -> None:
    assert problem in pattern_problem(pattern)
    assert bool(pattern_problem(pattern)) == bool(problem)
    if problem:
        assert matches("a", pattern) is UNDEFINED


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        ("$1-$2", "a-bc"),
        ("$0", "abc"),
        ("\\$1", "$1c"),
        ("\\\\", "\\c"),
        ("$3", UNDEFINED),
        ("$", UNDEFINED),
        ("x\\", UNDEFINED),
    ],
)
def test_replacements_refer_to_groups(replacement: str, expected: object) -> None:
    assert replace("abc", "(a)(b)", replacement) == expected


def test_a_group_that_took_no_part_is_empty() -> None:
    assert replace("b", "(a)?b", "[$1]") == "[]"


def test_empty_matches_are_replaced_too() -> None:
    assert replace("ab", "", "-") == "-a-b-"
    assert replace("€b", "x*", "-") == "-€-b-"


def test_replacing_is_bounded() -> None:
    with pytest.raises(RuleLimitExceeded):
        replace("x" * 10_000, "x", "y" * 1000)


def test_a_text_that_is_no_unicode_matches_nothing() -> None:
    assert matches("\ud800", "a") is UNDEFINED
    assert substr("\ud800", "a") is UNDEFINED
    assert replace("a", "a", "\ud800") == "\ud800"


def test_positions_count_characters() -> None:
    assert replace("ä€ö", "€", "x") == "äxö"
    assert substr("ä€ö", "[€ö]+") == "€ö"
