from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.errors import RuleError, RuleLimitExceeded, SqlParseException
from bittern.rules.context import Context, ExternalCall
from bittern.rules.evaluation import Waiting
from bittern.rules.statement import Selected, compile
from bittern.rules.values import UNDEFINED


def selected(sql: str, payload: object, context: Context | None = None) -> Selected:
    found = compile(sql).evaluate(payload, context or Context())
    assert found is not None
    return found


def test_a_rule_knows_its_topics() -> None:
    rule = compile("SELECT * FROM 'a/+/c'")
    assert rule.topic_filter == "a/+/c"
    assert rule.matches("a/b/c")
    assert not rule.matches("a/b")
    assert compile("SELECT *").topic_filter is None


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="2014"):
        compile("SELECT *", "2014-01-01")


def test_the_condition_decides() -> None:
    rule = compile("SELECT a FROM 't' WHERE a > 1")
    assert rule.evaluate({"a": 1}) is None
    assert rule.evaluate(b'{"a":2}') == selected("SELECT a", {"a": 2})


def test_the_outgoing_message() -> None:
    assert selected("SELECT *", b"\xff\x00").payload() == b"\xff\x00"
    assert selected("SELECT VALUE missing", {}).payload() == b""
    assert selected("SELECT VALUE missing", {}).value is UNDEFINED
    assert selected("SELECT VALUE NULL", {}).payload() == b"null"
    assert selected("SELECT a * 2.5 AS b", {"a": 2}).payload() == b'{"b":5.0}'


def test_raw_bytes_in_a_variable_are_encoded_as_they_are() -> None:
    found = selected("SET @m = * SELECT encode(@m, 'base64') AS r", b"\xff\x00")
    assert found.value == {"r": "/wA="}


def test_numbers_that_pass_through_are_as_they_came() -> None:
    found = selected("SELECT *, a AS b", b'{"a":1.0}')
    assert found.payload() == b'{"a":1.0,"b":1.0}'


def test_variables_are_told_for_templates() -> None:
    found = selected("SET @a = x, @b = @a * 2 SELECT 1 AS r", {"x": 2})
    assert found.variables == {"a": 2, "b": 4}
    assert compile("SET @a = x SELECT @a").variables == ("a",)


def test_calls_outside_are_collected_and_resumed() -> None:
    rule = compile("SELECT aws_lambda('f', a) AS x, get_secret('s', 't', 'r') AS y FROM 't'")
    assert rule.external_functions == {"aws_lambda", "get_secret"}
    outcome = rule.begin({"a": 1})
    assert isinstance(outcome, Waiting)
    assert outcome.calls == (
        ExternalCall("aws_lambda", ("f", 1)),
        ExternalCall("get_secret", ("s", "t", "r")),
    )
    done = outcome.resume([{"v": 1}, "hush"])
    assert isinstance(done, Selected)
    assert done.value == {"x": {"v": 1}, "y": "hush"}


def test_the_condition_is_answered_before_columns_are_asked() -> None:
    rule = compile("SELECT aws_lambda('g', 1) AS x WHERE aws_lambda('f', 1)")
    outcome = rule.begin({})
    assert isinstance(outcome, Waiting)
    assert [call.arguments[0] for call in outcome.calls] == ["f"]
    assert outcome.resume([False]) is None


def test_a_call_may_carry_what_was_drawn() -> None:
    asked: list[object] = []

    def resolve(call: ExternalCall) -> object:
        asked.append(call.arguments[1])
        return call.arguments[1]

    drawn = iter(range(9))
    context = Context(resolve=resolve, random_bytes=lambda n: next(drawn).to_bytes(n, "big"))
    found = selected("SELECT aws_lambda('f', newuuid()) AS a, newuuid() AS b", {}, context)
    assert isinstance(found.value, dict)
    assert asked == [found.value["a"]]
    assert found.value["a"] != found.value["b"]


def test_the_old_version_takes_decimals() -> None:
    found = compile("SELECT a / 4 AS r", "2015-10-08").evaluate({"a": 10.0})
    assert found is not None
    assert found.value == {"r": Decimal("2.5")}


def test_a_result_that_is_no_json_is_an_error_of_the_rule() -> None:
    with pytest.raises(RuleError, match="JSON"):
        selected("SELECT *", {"a": "\ud800"}).payload()


def test_a_result_that_grows_is_weighed() -> None:
    large = {"a": ["x" * 1000] * 500}
    assert len(selected("SELECT a, a AS b, a AS c", large).payload()) > 1_500_000
    with pytest.raises(RuleLimitExceeded):
        selected("SELECT [a, a, a] AS b", large).payload()


def test_a_wrong_topic_filter_has_its_place() -> None:
    with pytest.raises(SqlParseException) as raised:
        compile("SELECT *\nFROM 'a/#/b'")
    assert (raised.value.line, raised.value.column) == (2, 6)
