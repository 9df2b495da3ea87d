from __future__ import annotations

import pytest

from bittern.rules.parser import parse_expression
from bittern.rules.syntax import Field, Member, start


def test_parts_of_a_statement_are_values() -> None:
    assert parse_expression("a.b") == Member(Field("a", 0), "b")


@pytest.mark.parametrize(
    ("text", "at"),
    [("  a.b[0].c", 2), (" 1 + 2 * 3", 1), ("a AND b", 0), ("  NOT a OR b", 2), ("(a) = 1", 1),
     (" -a", 1), (" upper(a) = 1", 1), (" {'a': 1}.a", 1), (" CASE a WHEN 1 THEN 2 END", 1)],
)  # fmt: skip
def test_an_expression_knows_where_it_begins(text: str, at: int) -> None:
    assert start(parse_expression(text)) == at
