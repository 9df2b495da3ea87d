from __future__ import annotations

import pytest

from bittern.errors import RuleError, SqlParseException
from bittern.rules.explanation import explain


def test_the_place_is_underlined() -> None:
    error = SqlParseException("unknown function tpic", "SELECT tpic() AS t", 7, 4, "meant topic?")
    assert explain(error).splitlines() == [
        "line 1, column 8: unknown function tpic",
        "  SELECT tpic() AS t",
        "         ^^^^",
        "meant topic?",
    ]


def test_the_line_is_the_one_of_the_place() -> None:
    error = SqlParseException("no", "SELECT a,\n\tb\nFROM 't'", 11)
    assert explain(error).splitlines() == ["line 2, column 2: no", "   b", "   ^"]


def test_the_end_of_the_statement_has_a_place_too() -> None:
    assert explain(SqlParseException("ends", "SELECT", 6)).splitlines()[2] == "        ^"
    assert explain(SqlParseException("ends", "", 0)).splitlines()[1:] == ["", "  ^"]


@pytest.mark.parametrize("at", [0, 100, 250, 299])
def test_of_a_long_line_what_is_around_is_shown(at: int) -> None:
    sql = "".join(str(n % 10) for n in range(300))
    _, line, marks = explain(SqlParseException("no", sql, at, 500)).splitlines()
    assert len(line) <= 78
    assert line[marks.index("^")] == sql[at]
    assert len(marks) <= len(line)


def test_what_does_not_print_takes_one_column() -> None:
    lines = explain(SqlParseException("no", "a\tb\x00\ud800c", 5)).splitlines()
    assert lines[1:] == ["  a b  c", "       ^"]


def test_an_error_without_a_place_is_its_reason() -> None:
    assert explain(RuleError("too much")) == "too much"
