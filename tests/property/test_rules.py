"""Whatever a statement says and a message holds: `RuleError` is all that leaves the engine."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bittern.errors import RuleError, SqlParseException
from bittern.rules import Context, ExternalCall, Template, compile, explain
from bittern.rules.functions import FUNCTIONS
from bittern.types import Instant

FIELDS = ("a", "b", "c", "value", "WirelessMetadata", "missing")
KEYWORDS = "SELECT SET FROM WHERE AS AND OR NOT CASE WHEN THEN ELSE END VALUE NULL TRUE CAST"
SIGNS = "( ) [ ] { } , . : ; * + - / % = <> != < <= > >= @ @v ' \" '' ${ } -- /* */ \\ # +"
PIECES = (
    "a",
    "b.c",
    "'t'",
    '"t"',
    "1",
    "1.5",
    "1e999",
    "upper(",
    "get(",
    "é",
    "\ud800",
    "\0",
    "\n",
)
WORDS = (*KEYWORDS.split(), *SIGNS.split(), *PIECES)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**2000), 10**2000)
    | st.floats()
    | st.decimals(allow_nan=True)
    | st.text(max_size=20)
    | st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=3)
    | st.sampled_from(
        ("1E999", "-1e-999", "1e99999999999999999999", "true", "0", "-0.0", "(a+)+$", "((((", "$9")
    )
    | st.sampled_from((Decimal("1E+99999999"), Decimal("1E-99999999"), Decimal("9" * 60), 1e308))
)
MESSAGES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)
LITERALS = st.sampled_from(
    [
        *("0", "1", "-1", "2.5", "1e300", "1e-999", "9" * 34, "9" * 60, "''", "'a'", "'abc'"),
        *("'1E999'", "'yyyy'", "'UTC'", "NULL", "TRUE", "'(.*)*'", "'$1'", "*", "[]", "{}"),
        *("{'a': *}", "[*, a]"),
    ]
)
PATHS = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3).map(".".join) | st.just("@v")
MODES = {"encode": "'base64'", "decode": "'base64'", "transform": "'enrichArray'"}


def call(argument: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(FUNCTIONS)).flatmap(
        lambda name: st.lists(argument, max_size=4).map(lambda given: written(name, given))
    )


def written(name: str, arguments: list[str]) -> str:
    """A call that compiles, mostly: as many arguments as there have to be, modes where they are."""
    function = FUNCTIONS[name]
    near = range(len(arguments), len(arguments) + 8)
    count = next((one for one in near if function.takes(one)), function.least)
    filled = [*arguments, *["a"] * count][:count]
    for position in function.literal:
        filled[position] = MODES[name]
    return f"{function.name}({', '.join(filled)})"


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(("+", "-", "*", "/", "%", "=", "<>", "<", ">=", "AND", "OR"))
    kinds = st.sampled_from(("Int", "Decimal", "String", "Bool", "Double"))
    return (
        st.builds("({} {} {})".format, inner, operators, inner)
        | st.builds("(NOT {})".format, inner)
        | st.builds("(- {})".format, inner)
        | st.builds("({})[{}]".format, inner, inner)
        | st.builds("({}).a".format, inner)
        | st.builds("cast({} as {})".format, inner, kinds)
        | st.builds("CASE {} WHEN {} THEN {} ELSE {} END".format, inner, inner, inner, inner)
        | st.builds("{{'a': {}, 'b': {}}}".format, inner, inner)
        | st.builds("[{}, {}]".format, inner, inner)
        | st.builds("(SELECT VALUE {} FROM a WHERE {})".format, inner, inner)
        | st.builds("(SELECT *, {} AS q FROM {})".format, inner, PATHS)
        | st.builds("get_or_default({}, {})".format, inner, inner)
        | call(inner)
    )


EXPRESSIONS = st.recursive(LITERALS | PATHS, larger, max_leaves=12)


def answer(call: ExternalCall) -> object:
    return {"a": list(call.arguments)}


CONTEXT = Context(now=Instant(1.5), topic="a/b", random_bytes=bytes, resolve=answer)


def evaluated(sql: str, message: object, version: str = "2016-03-23") -> bytes | None:
    """None where the engine says in its own words why not."""
    try:
        selected = compile(sql, version).evaluate(message, CONTEXT)
        return None if selected is None else selected.payload()
    except SqlParseException as error:
        assert explain(error)
        return None
    except RuleError:
        return None


@given(st.text(max_size=80))
@settings(max_examples=300)
@example("SELECT (SELECT")
@example("SELECT '\ud800' AS a")
@example("SELECT a FROM '\ud800'")
@example("SELECT regexp_matches(a, '\ud800') AS b")
def test_any_text_is_a_statement_or_refused_with_its_place(text: str) -> None:
    evaluated(text, {})
    evaluated(f"SELECT {text} FROM 't'", {"a": 1})
    evaluated(f"SELECT '{text}' AS a", {"a": 1})


@given(st.lists(st.sampled_from(WORDS), max_size=25), st.booleans())
@settings(max_examples=500)
def test_any_words_are_a_statement_or_refused_with_their_place(
    words: list[str], spaced: bool
) -> None:
    text = (" " if spaced else "").join(words)
    evaluated(text, {})
    evaluated(f"SELECT {text}", {"a": 1})
    with suppress(RuleError):
        Template(text).substitute({"a": 1}, CONTEXT)


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS, MESSAGES)
@settings(max_examples=600, deadline=None)
def test_evaluation_raises_nothing_else(
    variable: str, column: str, condition: str, message: object
) -> None:
    sql = f"SET @v = {variable} SELECT *, {column} AS r FROM 't' WHERE isNull({condition}) <> 5"
    evaluated(sql, message)
    evaluated(f"SELECT VALUE {column}".replace("@v", "b"), message, "2015-10-08")


@given(EXPRESSIONS, MESSAGES)
@settings(max_examples=300, deadline=None)
def test_what_comes_out_is_json(column: str, message: object) -> None:
    found = evaluated(f"SELECT {column} AS r".replace("@v", "a"), message)
    if found is not None:
        assert isinstance(json.loads(found), dict)


@given(MESSAGES)
@settings(max_examples=200)
def test_star_gives_back_the_message(message: object) -> None:
    try:
        content = json.dumps(message, allow_nan=False, default=str).encode()
    except ValueError:
        return
    found = evaluated("SELECT * FROM 't'", content)
    assert found is not None
    try:
        assert json.loads(found) == json.loads(content)
    except ValueError:
        assert found == content


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_pass_unchanged(message: bytes) -> None:
    found = evaluated("SELECT * FROM 't'", message)
    try:
        document = json.loads(message)
    except ValueError:
        assert found == message
    else:
        assert found is not None
        assert json.loads(found) == document or found == message


def deep_list(depth: int) -> object:
    made: object = 1
    for _ in range(depth):
        made = [made]
    return made


BOMBS: dict[str, tuple[str, object]] = {
    "strings that double": (
        "SET @a0 = 'xxxxxxxxxxxxxxxx', "
        + ", ".join(f"@a{n + 1} = concat(@a{n}, @a{n})" for n in range(40))
        + " SELECT @a40 AS r",
        {},
    ),
    "arrays that double": (
        "SET @a0 = [1], "
        + ", ".join(f"@a{n + 1} = [@a{n}, @a{n}]" for n in range(60))
        + " SELECT @a60 = @a59 AS r",
        {},
    ),
    "replacement that multiplies": (
        "SELECT replace(replace(a, 'x', a), 'x', a) AS r",
        {"a": "x" * 5000},
    ),
    "pattern that replaces everywhere": (
        "SELECT regexp_replace(regexp_replace(a, '', a), '', a) AS r",
        {"a": "x" * 5000},
    ),
    "queries in queries": (
        "SET @a = a "
        "SELECT (SELECT (SELECT (SELECT 1 AS x FROM @a) AS x FROM @a) AS x FROM @a) AS x",
        {"a": list(range(1000))},
    ),
    "message many times": (
        "SELECT [" + ", ".join(["*"] * 5000) + "] AS r",
        {"a": ["x" * 100] * 1000},
    ),
    "message in many columns": (
        "SELECT " + ", ".join(f"a AS c{n}" for n in range(4000)),
        {"a": ["x" * 100] * 1000},
    ),
    "deep message": ("SELECT a = a AS r", {"a": deep_list(20_000)}),
    "deep message as text": ("SELECT upper(a) AS r", {"a": deep_list(20_000)}),
    "endless digits": ("SELECT cast(a as Int) + 1 AS r, upper(a) AS s", {"a": 10**50_000}),
    "endless exponent": ("SELECT floor(a) AS r", {"a": Decimal("1E+999999999")}),
    "md2 of much": ("SELECT md2(a) AS r", {"a": "x" * 200_000}),
    "many calls": ("SELECT (SELECT aws_lambda('f', *) AS x FROM a) AS r", {"a": list(range(99))}),
    "time of many letters": (
        "SELECT time_to_epoch(a, b) AS r",
        {"a": "1" * 500, "b": "[d][H][m][s]" * 20},
    ),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(20)
def test_what_grows_is_stopped(name: str) -> None:
    sql, message = BOMBS[name]
    found = evaluated(sql, message)
    assert found is None or len(found) < 5_000_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "(.*)*c", "((a?){30}){30}a{30}"])
def test_a_pattern_takes_no_exponential_time(pattern: str) -> None:
    evaluated("SELECT regexp_matches(a, p) AS r", {"a": "a" * 100_000, "p": pattern})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 5000 + "1" + ")" * 5000 + " AS r",
        "SELECT " + "[" * 5000 + "]" * 5000 + " AS r",
        "SELECT " + "NOT " * 5000 + "a AS r",
        "SELECT " + "- " * 5000 + "a AS r",
        "SELECT a" + ".a" * 5000,
        "SELECT a" + "[0]" * 5000 + " AS r",
        "SELECT a" + " + a" * 5000 + " AS r",
        "SELECT * WHERE a" + " AND a" * 5000,
        "SELECT " + "CASE a WHEN 1 THEN " * 3000 + "1" + " END" * 3000 + " AS r",
        "SELECT " + "x" * 100_000,
    ],
)
def test_a_statement_of_any_depth_and_length_is_bearable(text: str) -> None:
    evaluated(text, {"a": 1})
