from __future__ import annotations

import pytest

from bittern.errors import RuleLimitExceeded, SqlParseException
from bittern.rules.context import Context
from bittern.rules.evaluation import Waiting
from bittern.rules.template import Template


def test_a_template_is_filled_in() -> None:
    template = Template("device/${WirelessDeviceId}/${topic(2)}")
    context = Context(topic="a/b")
    assert template.substitute({"WirelessDeviceId": "x"}, context) == "device/x/b"


def test_bytes_are_parsed() -> None:
    assert Template("${a}").substitute(b'{"a":1.50}') == "1.5"
    assert Template("${a}|${encode(*, 'base64')}").substitute(b"\xff") == "|/w=="


def test_the_old_version_is_its_own() -> None:
    assert Template("${a / 4}", "2015-10-08").substitute({"a": 10.0}) == "2.5"
    with pytest.raises(SqlParseException, match="2015-10-08"):
        Template("${[1]}", "2015-10-08")


def test_variables_are_seen() -> None:
    template = Template("${@b}", variables=("a", "b"))
    assert template.substitute({}, variables={"a": 1, "b": "x"}) == "x"


def test_calls_outside_are_told_and_resumed() -> None:
    template = Template("key ${get_secret('s', 'SecretString', 'r')}")
    assert template.external_functions == {"get_secret"}
    outcome = template.begin({})
    assert isinstance(outcome, Waiting)
    assert outcome.resume(["hush"]) == "key hush"


@pytest.mark.parametrize(
    ("text", "column"),
    [("ab ${", 4), ("${a} ${b", 6), ("x${'}", 4), ("${a}\n${uper(a)}", 3), ("${a b}", 5)],
)
def test_errors_are_placed_in_the_template(text: str, column: int) -> None:
    with pytest.raises(SqlParseException) as raised:
        Template(text)
    assert raised.value.sql == text
    assert raised.value.column == column


def test_the_text_is_bounded() -> None:
    with pytest.raises(RuleLimitExceeded):
        Template("${a}${a}").substitute({"a": "x" * 200_000})
    with pytest.raises(SqlParseException, match="longer"):
        Template("x" * 100_000)
