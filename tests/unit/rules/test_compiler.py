from __future__ import annotations

import pytest

from bittern.errors import SqlParseException
from bittern.rules.compiler import Compiler
from bittern.rules.context import Context
from bittern.rules.evaluation import Environment
from bittern.rules.functions import FUNCTIONS
from bittern.rules.parser import parse_expression
from bittern.rules.versions import SqlVersion

NEW, OLD = SqlVersion.V2016_03_23, SqlVersion.V2015_10_08


def compiled(text: str, version: SqlVersion = NEW) -> Compiler:
    compiler = Compiler(text, version)
    compiler.expression(parse_expression(text))
    return compiler


@pytest.mark.parametrize("name", [one.name for one in FUNCTIONS.values()])
def test_every_function_refuses_a_wrong_number_of_arguments(name: str) -> None:
    function = FUNCTIONS[name.lower()]
    wrong = [count for count in range(9) if not function.takes(count)]
    assert wrong or function.repeats
    for count in wrong:
        with pytest.raises(SqlParseException, match="does not take") as raised:
            compiled(f"{name}({', '.join(['a'] * count)})")
        assert f"it is {name}(" in raised.value.hint


@pytest.mark.parametrize("name", [one.name for one in FUNCTIONS.values() if one.since_2016])
def test_the_old_version_lacks_functions(name: str) -> None:
    function = FUNCTIONS[name.lower()]
    arguments = ["a"] * next(count for count in range(9) if function.takes(count))
    with pytest.raises(SqlParseException, match=f"2015-10-08 has no {name}"):
        compiled(f"{name}({', '.join(arguments)})", OLD)


def test_names_of_functions_are_written_in_any_case() -> None:
    compiled("UPPER(a) + Upper(a) + isNULL(a)")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("uper(a)", "did you mean upper?"),
        ("get_or_defalt(a)", "did you mean get_or_default?"),
        ("zzz(a)", ""),
        ("cast(a as Sting)", "did you mean string?"),
        ("cast(a as Quux)", "types are String, Int, Decimal, Bool"),
        ("get_or_default()", "it is get_or_default(expression[, default])"),
    ],
)
def test_near_misses_get_a_proposal(text: str, hint: str) -> None:
    with pytest.raises(SqlParseException) as raised:
        compiled(text)
    assert raised.value.hint == hint


def test_external_functions_are_listed() -> None:
    assert compiled("aws_lambda('f', a) + upper(a)").external == {"aws_lambda"}


def test_an_element_of_a_nested_query_is_encoded_itself() -> None:
    text = "(SELECT VALUE encode(*, 'base64') FROM a)"
    evaluate = Compiler(text, NEW).expression(parse_expression(text))
    message = {"a": ["x"]}
    assert evaluate(message, Environment(Context(), message, None, ())) == ["eA=="]
