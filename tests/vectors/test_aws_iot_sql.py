"""AWS IoT SQL, case by case: a statement or a template, a message, and what comes of it.

In ``aws_iot_sql.json`` numbers are compared with their kind: 3 is an Int, 3.0 a Decimal.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bittern.errors import ExternalCallFailed, SqlParseException
from bittern.rules import Context, ExternalCall, Template, compile, explain
from bittern.types import Instant

Case = dict[str, Any]
TEXT = Path(__file__).with_name("aws_iot_sql.json").read_text(encoding="utf-8")
CASES: list[Case] = json.loads(TEXT)
EXACT: list[Case] = json.loads(TEXT, parse_float=Decimal)


def cases(kind: str) -> list[object]:
    return [
        pytest.param(case, exact, id=case["name"])
        for case, exact in zip(CASES, EXACT, strict=True)
        if kind in case
    ]


def context_of(case: Case) -> Context:
    given = dict(case.get("context", {}))
    drawn = bytes.fromhex(given.pop("random", ""))
    given["now"] = Instant(given.get("now", 0.0))
    given["user_properties"] = tuple(map(tuple, given.get("user_properties", [])))
    answers = case.get("answers", {})

    def resolve(call: ExternalCall) -> object:
        if call.key not in answers:
            raise ExternalCallFailed(f"no answer to {call.key}")
        return answers[call.key]

    return Context(**given, random_bytes=lambda count: drawn[:count], resolve=resolve)


def payload_of(case: Case) -> object:
    if "payload_text" in case:
        return case["payload_text"].encode()
    if "payload_base64" in case:
        return base64.b64decode(case["payload_base64"])
    return case["payload"]


def kinds(value: object) -> object:
    """Tells 1 from 1.0 and from true, which Python holds to be equal."""
    if isinstance(value, list):
        return [kinds(one) for one in value]
    if isinstance(value, dict):
        return {name: kinds(one) for name, one in value.items()}
    return type(value).__name__, value


def fails_as_told(case: Case, error: SqlParseException) -> None:
    assert case["error"] in error.reason
    assert (error.line, error.column) == (case["line"], case["column"]), explain(error)
    assert "^" in explain(error)


@pytest.mark.parametrize(("case", "exact"), cases("sql"))
def test_statement(case: Case, exact: Case) -> None:
    if "error" in case:
        with pytest.raises(SqlParseException) as raised:
            compile(case["sql"], case.get("version", "2016-03-23"))
        return fails_as_told(case, raised.value)
    rule = compile(case["sql"], case.get("version", "2016-03-23"))
    assert rule.topic_filter == case.get("topic_filter", rule.topic_filter)
    if "failure" in case:
        with pytest.raises(ExternalCallFailed, match=case["failure"]):
            rule.evaluate(payload_of(case), context_of(case))
        return None
    selected = rule.evaluate(payload_of(case), context_of(case))
    if case.get("matched") is False:
        assert selected is None
        return None
    assert selected is not None
    found = selected.payload()
    if "output_text" in case:
        assert found.decode() == case["output_text"]
    elif "output_base64" in case:
        assert base64.b64encode(found).decode() == case["output_base64"]
    else:
        assert kinds(json.loads(found, parse_float=Decimal)) == kinds(exact["output"])
    return None


@pytest.mark.parametrize(("case", "exact"), cases("sql"))
def test_statement_on_the_message_as_bytes(case: Case, exact: Case) -> None:
    """As `test_statement` does, for the messages that it gives as values."""
    if "error" not in case and "payload" in case:
        message = json.dumps(case["payload"]).encode()
        test_statement({**case, "payload_text": message.decode()}, exact)


@pytest.mark.parametrize(("case", "exact"), cases("template"))
def test_template(case: Case, exact: Case) -> None:
    variables = case.get("variables", {})
    if "error" in case:
        with pytest.raises(SqlParseException) as raised:
            Template(case["template"], variables=variables)
        return fails_as_told(case, raised.value)
    template = Template(case["template"], variables=variables)
    assert template.substitute(case["payload"], context_of(case), variables) == case["text"]
    return None


def test_there_are_enough_cases_and_each_says_where_it_is_from() -> None:
    assert len(CASES) >= 300
    assert len({case["name"] for case in CASES}) == len(CASES)
    statements = {
        json.dumps({key: one for key, one in case.items() if key not in ("name", "source")})
        for case in CASES
    }
    assert len(statements) == len(CASES)
    known = ("AWS IoT Core developer guide, ", "bittern's ", "MQTT 3.1.1", "Java 11")
    assert all(case["source"].startswith(known) for case in CASES)
