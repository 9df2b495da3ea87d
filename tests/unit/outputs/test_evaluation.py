from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.errors import ExternalCallFailed
from bittern.outputs import evaluation
from bittern.outputs.actions import ReadyRule
from bittern.outputs.evaluation import Evaluator
from bittern.rules import ExternalCall
from bittern.store.rule_records import RuleRecord
from bittern.types import Instant


class Answers:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[ExternalCall] = []
        self.accounts: list[str] = []

    async def resolve(self, call: ExternalCall, account: str) -> object:
        self.calls.append(call)
        self.accounts.append(account)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.Event().wait()
        return answer


@pytest.fixture
def ready(router: Any) -> Any:
    def ready(sql: str, *actions: Any) -> ReadyRule:
        given = actions or ({"record": {"to": "lake"}},)
        return ReadyRule(
            RuleRecord(name="r", sql=sql, actions=given, created_at=Instant(0)), router.prepare
        )

    return ready


def evaluator(*answers: Any) -> Evaluator:
    return Evaluator(now=lambda: Instant(5), random_bytes=bytes, resolver=Answers(*answers))


def test_every_action_gets_the_result_and_its_own_templates(ready: Any, make_delivery: Any) -> None:
    lake = {"record": {"to": "lake", "key": "${timestamp()}-${n}"}}
    rule = ready("SELECT n + 1 AS n", lake, {"record": {"to": "pond"}})
    message = msgspec.structs.replace(make_delivery(4), document=b'{"n":1}')
    found = evaluator().evaluate(message, [rule], "")
    assert [one.document for one in found.parts] == [b'{"n":2}'] * 2
    assert [dict(one.parameters) for one in found.parts] == [{"key": "5000-1"}, {}]
    assert {one.original for one in found.parts} == {b'{"n":1}'}
    assert [(one.sequence, one.message_id) for one in found.parts] == [(4, "m4")] * 2


@pytest.mark.parametrize("sql", ["SELECT * WHERE false", "SELECT VALUE missing.part"])
def test_nothing_is_owed_of_what_a_rule_does_not_want(
    ready: Any, make_delivery: Any, sql: str
) -> None:
    found = evaluator().evaluate(make_delivery(1), [ready(sql)], "")
    assert (found.parts, found.failed) == ([], [])


@pytest.mark.parametrize(
    ("published", "topic"), [("", b'{"t":""}'), ("site/meters", b'{"t":"site/meters"}')]
)
def test_topic_is_where_the_message_was_published(
    ready: Any, make_delivery: Any, published: str, topic: bytes
) -> None:
    [part] = evaluator().evaluate(make_delivery(1), [ready("SELECT topic() AS t")], published).parts
    assert (part.document, part.topic) == (topic, published)


async def test_what_is_asked_outside_is_waited_for(ready: Any, make_delivery: Any) -> None:
    lake = {"record": {"to": "lake", "key": "${aws_lambda('f', 2)}"}}
    rule = ready("SELECT VALUE aws_lambda('f', 1)", lake)
    found = await evaluator({"a": 1}, "two").evaluate_asking(make_delivery(1), [rule], "")
    [part] = found.parts
    assert part.document == b'{"a":1}'
    assert part.parameters == {"key": "two"}


async def test_who_is_asked_is_told_whose_message_it_is(ready: Any, make_delivery: Any) -> None:
    answers = Answers(1)
    asking = Evaluator(now=lambda: Instant(5), random_bytes=bytes, resolver=answers)
    message = msgspec.structs.replace(make_delivery(1), account="111122223333")
    await asking.evaluate_asking(message, [ready("SELECT VALUE aws_lambda('f', 1)")], "")
    assert answers.accounts == ["111122223333"]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [(ExternalCallFailed("f: 500"), "f: 500"), (None, "no answer within 0.01 s")],
)
async def test_a_call_without_an_answer_fails_the_rule_alone(
    ready: Any, make_delivery: Any, monkeypatch: pytest.MonkeyPatch, answer: Any, detail: str
) -> None:
    monkeypatch.setattr(evaluation, "CALL_LIMIT_S", 0.01)
    rules = [ready("SELECT VALUE aws_lambda('f', 1)"), ready("SELECT VALUE *")]
    found = await evaluator(answer).evaluate_asking(make_delivery(1), rules, "")
    assert [one.document for one in found.parts] == [b"1"]
    [(rule, failure)] = found.failed
    assert (rule, failure.reason) == (rules[0], "evaluation")
    assert detail in failure.detail


def test_a_rule_owes_all_of_its_actions_or_none(ready: Any, make_delivery: Any) -> None:
    """Else its error action would be told twice: of the evaluation, and of an action."""
    pond = {"record": {"to": "pond", "key": "${md2(text)}"}}
    rule = ready("SELECT *", {"record": {"to": "lake"}}, pond)
    too_long = msgspec.json.encode({"text": "x" * 10_000})
    message = msgspec.structs.replace(make_delivery(1), document=too_long)
    found = evaluator().evaluate(message, [rule], "")
    assert found.parts == []
    assert [one.reason for _, one in found.failed] == ["evaluation"]


async def test_a_fault_of_evaluation_itself_is_loud_and_stops_no_other_rule(
    ready: Any,
    make_delivery: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, sound = ready("SELECT 1 AS one"), ready("SELECT 2 AS two")
    monkeypatch.setattr(broken, "rule", None)
    for found in (
        evaluator().evaluate(make_delivery(1), [broken, sound], ""),
        await evaluator().evaluate_asking(make_delivery(1), [broken, sound], ""),
    ):
        assert [one.document for one in found.parts] == [b'{"two":2}']
        [(rule, failure)] = found.failed
        assert rule is broken
        assert failure.detail.startswith("a fault of the server: AttributeError")
    assert all(record.exc_info for record in caplog.records)
    assert len(caplog.records) == 2
