from __future__ import annotations

import re

import pytest

from bittern.errors import SqlParseException
from bittern.rules import syntax
from bittern.rules.limits import MAX_STATEMENT
from bittern.rules.parser import parse_expression, parse_statement
from bittern.rules.syntax import Field, Literal


def test_a_statement_has_its_clauses() -> None:
    statement = parse_statement("SET @a = 1 SELECT b AS c FROM 't/#' WHERE d")
    assert statement == syntax.Statement(
        assignments=(syntax.Assignment("a", Literal(1, 9), 4),),
        selection=syntax.ColumnSelection((syntax.Column(Field("b", 18), ("c",)),)),
        source=syntax.TopicFilter("t/#", 30),
        condition=Field("d", 42),
    )


def test_clauses_but_select_may_be_missing() -> None:
    statement = parse_statement("SELECT *")
    assert (statement.assignments, statement.source, statement.condition) == ((), None, None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("a = 1 OR b < 2 AND NOT c", "((a = 1) OR ((b < 2) AND (NOT c)))"),
        ("-a.b[0] * 2", "((-a.b[0]) * 2)"),
        ("NOT a = b", "(NOT (a = b))"),
        ("* * *", "(*) * (*)"),
    ],
)
def test_precedence(text: str, meant: str) -> None:
    def bare(node: object) -> str:
        return re.sub(r"at=\d+", "", repr(node))

    assert bare(parse_expression(text)) == bare(parse_expression(meant))


@pytest.mark.parametrize(
    "text", ["value", "cast", "value.x", "from_", "ordered", "set", "endpoint"]
)
def test_words_that_look_like_keywords_are_names(text: str) -> None:
    parse_statement(f"SELECT {text} AS a FROM 't'")


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("", "expected SELECT or SET"),
        ("SELECT a.", "expected a name"),
        ("SELECT a FROM", "expected a string"),
        ("SELECT a WHERE", "expected an expression"),
        ("SELECT f(a", "expected ) or ,"),
    ],
)
def test_what_is_missing_is_proposed(sql: str, hint: str) -> None:
    with pytest.raises(SqlParseException) as raised:
        parse_statement(sql)
    assert raised.value.hint == hint


@pytest.mark.parametrize("word", ["FROM", "and", "When"])
def test_a_reserved_word_is_no_field(word: str) -> None:
    with pytest.raises(SqlParseException, match=f"{word.upper()} stands where an expression"):
        parse_statement(f"SELECT {word} = 1 AS x")


def test_a_statement_has_a_longest() -> None:
    with pytest.raises(SqlParseException, match=f"longer than {MAX_STATEMENT} characters"):
        parse_statement("SELECT " + "a" * MAX_STATEMENT)


def test_a_number_has_a_longest() -> None:
    with pytest.raises(SqlParseException, match="too many digits"):
        parse_expression("1" * 101)
