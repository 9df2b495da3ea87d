from __future__ import annotations

import pytest

from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.checks import literal_problem


@pytest.mark.parametrize(
    ("name", "position", "literal", "problem"),
    [
        ("encode", 1, "base64", ""),
        ("encode", 1, "hex", "encode knows base64, not hex"),
        ("decode", 1, "proto", "decode knows base64, not proto"),
        ("transform", 0, "enrichArray", ""),
        ("transform", 0, "x", "transform knows enrichArray, not x"),
        ("regexp_matches", 1, "a+", ""),
        ("regexp_replace", 1, "(", "no regular expression of RE2: missing ): ("),
        ("regexp_replace", 0, "(", ""),
        ("parse_time", 0, "yyyy", ""),
        ("parse_time", 0, "bb", "no time pattern of Joda-Time"),
        ("parse_time", 2, "Mars", "unknown time zone Mars"),
        ("parse_time", 2, "UTC", ""),
        ("time_to_epoch", 1, "bb", "no time pattern of Java 11"),
        ("time_to_epoch", 0, "bb", ""),
        ("upper", 0, "(", ""),
    ],
)
def test_literals_that_can_be_checked(name: str, position: int, literal: str, problem: str) -> None:
    assert literal_problem(FUNCTIONS[name], position, literal) == problem
