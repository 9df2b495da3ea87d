"""docs/reference/rules.md lists what there is, and what it says holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bittern.errors import SqlParseException
from bittern.rules import SqlVersion, compile, limits
from bittern.rules.functions import FUNCTIONS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/rules.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [\w' ]+ \| `([^`]+)` \| (\d{4}-\d{2}-\d{2}) \|$", TEXT, re.MULTILINE)
OF_THE_COMPILER = {"cast", "get_or_default", "sql_version"}


def test_every_function_is_listed_with_its_signature() -> None:
    listed = {usage for usage, _ in ROWS if usage.split("(")[0] not in OF_THE_COMPILER}
    assert listed == {one.signature for one in FUNCTIONS.values()}
    assert len(ROWS) == len(FUNCTIONS) + len(OF_THE_COMPILER)


@pytest.mark.parametrize(("usage", "since"), ROWS)
def test_a_function_is_there_since_the_version_that_is_named(usage: str, since: str) -> None:
    name = usage.split("(", maxsplit=1)[0].lower()
    if name in FUNCTIONS:
        assert FUNCTIONS[name].since_2016 == (since == SqlVersion.V2016_03_23)
    else:
        compile("SELECT cast(a as Int) AS a, get_or_default(b) AS b, sql_version()", since)


def test_limits_are_as_they_are() -> None:
    told = {int(number) for number in re.findall(r"\| (\d+) \|$", TEXT, re.MULTILINE)}
    there = {value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert told == there


@pytest.mark.parametrize(
    ("expression", "message", "expected"),
    [
        ("a", b'{"a":10.0}', b'{"r":10.0}'),
        ("a / 4", b'{"a":10.0}', b'{"r":2}'),
        ("cast(a as Decimal) / 4", b'{"a":10.0}', b'{"r":2.5}'),
        ("bitnot(13)", b"{}", b'{"r":-14}'),
        ("a OR missing", b'{"a":true}', b'{"r":true}'),
        ("[1, missing]", b"{}", b'{"r":[1]}'),
        ("a['my-key']", b'{"a":{"my-key":1}}', b'{"r":1}'),
    ],
)
def test_what_the_page_decides_holds(expression: str, message: bytes, expected: bytes) -> None:
    selected = compile(f"SELECT {expression} AS r").evaluate(message)
    assert selected is not None
    assert selected.payload() == expected


def test_what_the_page_refuses_is_refused() -> None:
    for statement in ("SELECT a + 1", "SELECT decode(a, 'proto') AS b"):
        with pytest.raises(SqlParseException):
            compile(statement)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
