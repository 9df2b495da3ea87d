from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.errors import RuleError
from bittern.outputs.actions import Prepared, ReadyRule, lane_of, topic_of_rule
from bittern.outputs.parts import Cause, Failure, part_of
from bittern.store.rule_records import RuleRecord
from bittern.types import Instant


def prepare(document: Any) -> Prepared:
    [(kind, parameters)] = document.items()
    if kind == "unknown":
        raise RuleError("no action 'unknown'")
    templates = {name: text for name, text in parameters.items() if name != "bucketName"}
    return Prepared(kind=kind, parameters=parameters, templates=templates, make=lambda name: None)  # type: ignore[arg-type, return-value]


def ready(sql: str = "SELECT *", *actions: Any, **changes: Any) -> ReadyRule:
    fields = {"name": "r", "created_at": Instant(0), "account": "1"} | changes
    return ReadyRule(RuleRecord(sql=sql, actions=actions or ({"s3": {}},), **fields), prepare)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "a/b"}, "letters, digits and _"),
        ({"version": "1999-01-01"}, "1999-01-01"),
        ({"error_action": {"unknown": {}}}, "no action 'unknown'"),
        ({"error_action": {"s3": {"key": "${aws_lambda('f', 1)}"}}}, "cannot call aws_lambda"),
        ({"error_action": {"s3": {"key": "${"}}}, "not closed"),
    ],
)
def test_a_rule_that_cannot_work_says_why(changes: Any, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        ready(**changes)


def test_a_rule_has_at_most_ten_actions() -> None:
    assert len(ready("SELECT *", *[{"s3": {}}] * 10).actions) == 10
    with pytest.raises(RuleError, match="11 actions"):
        ready("SELECT *", *[{"s3": {}}] * 11)


def test_lanes_are_named_by_account_rule_place_and_kind() -> None:
    rule = ready("SELECT *", {"s3": {}}, {"http": {}}, error_action={"sqs": {}})
    assert [one.lane for one in rule.all_actions()] == ["1/r/0/s3", "1/r/1/http", "1/r/error/sqs"]
    assert [one.label for one in rule.all_actions()] == ["1 s3", "2 http", "error sqs"]
    assert lane_of("1/r/error/sqs") == ("1", "r")


def test_a_rule_has_to_ask_if_its_statement_or_a_template_does() -> None:
    assert not ready().has_to_ask
    assert ready("SELECT aws_lambda('f', 1) AS x").has_to_ask
    assert ready("SELECT *", {"s3": {"key": "${aws_lambda('f', 1)}"}}).has_to_ask


def test_what_was_filled_in_travels_with_the_part_and_constants_do_not(make_delivery: Any) -> None:
    [action] = ready("SELECT *", {"s3": {"key": "${*}", "acl": "private"}}).actions
    part = msgspec.structs.replace(part_of(make_delivery(1), "l", ""), parameters={"key": "x"})
    message = action.message_of(part)
    assert message is not None
    assert message.parameters == {"key": "x", "acl": "private"}
    assert (message.payload, message.message_id, message.device) == (b"1", "m1", part.dev_eui)


def test_an_action_with_other_templates_fills_them_in_anew(make_delivery: Any) -> None:
    [action] = ready("SELECT *", {"s3": {"key": "n/${*}"}}).actions
    message = action.message_of(part_of(make_delivery(1), "l", ""))
    assert message is not None
    assert message.parameters == {"key": "n/1"}


def test_a_template_that_cannot_be_filled_in_anew_lets_the_message_nowhere(
    make_delivery: Any,
) -> None:
    [action] = ready("SELECT *", {"s3": {"key": "${aws_lambda('f', 1)}"}}).actions
    assert action.message_of(part_of(make_delivery(1), "l", "")) is None


def test_a_failure_is_told_as_aws_tells_it(make_delivery: Any) -> None:
    rule = ready("SELECT *", {"s3": {"bucketName": "b"}}, error_action={"sqs": {"key": "${*}"}})
    failure = rule.actions[0].failure("rejected", "no such bucket", 3)
    assert failure == Failure(
        reason="rejected",
        detail="no such bucket",
        attempts=3,
        action="1 s3",
        failed_action="S3Action",
        resource="b",
    )
    delivery = make_delivery(1)
    part = rule.error_part(delivery, b"1", "site", (Cause("1/r/0/s3", b"1", failure),))
    assert (part.lane, part.parameters, part.original) == ("1/r/error/sqs", {"key": "1"}, b"1")
    assert msgspec.json.decode(part.document)["failures"] == [
        {"failedAction": "S3Action", "failedResource": "b", "errorMessage": "no such bucket"}
    ]


def test_a_rule_that_is_named_has_a_topic_of_its_own() -> None:
    assert topic_of_rule("r", "") == "$aws/rules/r"
    assert topic_of_rule("r", "site") == "site"
