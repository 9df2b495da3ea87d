from __future__ import annotations

import pytest

from bittern.rules.functions.time_patterns import MAX_PATTERN, Part, parts


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyyMM", (Part("y", 4, ""), Part("M", 2, ""))),
        ("h 'o''clock'", (Part("h", 1, ""), Part("", 0, " "), Part("", 0, "o'clock"))),
        ("''", (Part("", 0, "'"),)),
        ("[:]", (Part("", 0, "["), Part("", 0, ":"), Part("", 0, "]"))),
        ("", ()),
    ],
)
def test_letters_are_counted_and_texts_are_unquoted(
    pattern: str, expected: tuple[Part, ...]
) -> None:
    assert parts(pattern) == expected


@pytest.mark.parametrize("pattern", ["'", "yyyy'T", "y" * (MAX_PATTERN + 1)])
def test_what_is_no_pattern(pattern: str) -> None:
    assert parts(pattern) is None
