from __future__ import annotations

import pytest

from bittern.errors import SqlParseException
from bittern.rules.parser import parse_statement
from bittern.rules.unexpected import RESERVED


def refused(sql: str) -> SqlParseException:
    with pytest.raises(SqlParseException) as raised:
        parse_statement(sql)
    return raised.value


@pytest.mark.parametrize(
    ("rest", "hint"),
    [
        ("WHERE a LIKE 'x%'", "use startswith, endswith, indexof or regexp_matches"),
        ("WHERE a IN [1]", "compare by = and OR"),
        ("WHERE a BETWEEN 1 AND 2", "compare by >= and <="),
        ("WHERE a IS NULL", "use isNull or isUndefined"),
        ("WHERE a == 1", "equality is one ="),
        ("WHERE a || b", "write OR, or + to join strings"),
        ("WHERE a && b", "write AND"),
        ("WHERE !a", "write NOT"),
        ("WHERE `a` = 1", "names stand without quotes; get(*, 'my-key') reaches others"),
        (";", "a statement has no semicolon"),
        ("ORDER BY a", "a rule sees one message at a time"),
    ],
)
def test_habits_of_other_languages_are_known(rest: str, hint: str) -> None:
    assert refused(f"SELECT * FROM 't' {rest}").hint == hint


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_pointed_at_where_an_operand_is_missing(word: str) -> None:
    error = refused(f"SELECT a, {word} 't'")
    assert (error.offset, error.length) == (10, len(word))


def test_the_whole_word_is_pointed_at() -> None:
    error = refused("SELECT a FROM 't' WHERE a = 12abc")
    assert (error.offset, error.length) == (28, 5)
    error = refused("SELECT a == 1 AS b")
    assert (error.offset, error.length) == (9, 2)


def test_a_string_without_an_end_is_pointed_at_from_its_beginning() -> None:
    error = refused("SELECT a FROM 'topic WHERE a = 1")
    assert (error.reason, error.offset, error.length) == ("the string has no end", 14, 18)


def test_of_many_possibilities_none_is_proposed() -> None:
    assert refused("SELECT a | b AS x").hint == ""


def test_a_place_behind_blanks_at_the_end_is_the_end_of_the_text() -> None:
    assert refused("SELECT a FROM   ").offset == len("SELECT a FROM")
