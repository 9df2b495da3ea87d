from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bittern.store.rule_records import RuleRecord
from bittern.types import Instant

ROLE = "arn:aws:iam::123456789012:role/any"
SQL = "SELECT WirelessDeviceId FROM 'plant/+/up'"
REPUBLISH = {"republish": {"roleArn": ROLE, "topic": "to/${WirelessDeviceId}", "qos": 1}}
RULE_ARN = "arn:aws:iot:eu-west-1:123456789012:rule/meters"


@pytest.fixture
def iot(api: Any) -> Any:
    return api.client("iot")


def payload(**changes: Any) -> dict[str, Any]:
    return {"sql": SQL, "actions": [REPUBLISH], **changes}


def add(iot: Any, name: str = "meters", **changes: Any) -> None:
    iot.create_topic_rule(ruleName=name, topicRulePayload=payload(**changes))


def kept(api: Any, name: str = "meters") -> RuleRecord | None:
    found: RuleRecord | None = asyncio.run(api.store.rule("123456789012", name))
    return found


def test_a_rule_is_made_and_told(api: Any, iot: Any) -> None:
    error = {"s3": {"roleArn": ROLE, "bucketName": "faults", "key": "${newuuid()}"}}
    add(iot, description="of meters", awsIotSqlVersion="2016-03-23", errorAction=error)
    told = iot.get_topic_rule(ruleName="meters")
    assert told["ruleArn"] == RULE_ARN
    rule = told["rule"]
    assert (rule["ruleName"], rule["sql"], rule["description"]) == ("meters", SQL, "of meters")
    assert (rule["actions"], rule["errorAction"]) == ([REPUBLISH], error)
    assert (rule["ruleDisabled"], rule["awsIotSqlVersion"]) == (False, "2016-03-23")
    assert rule["createdAt"].timestamp() == api.now
    record = kept(api)
    assert record is not None
    assert record.actions == (REPUBLISH,)
    assert record.enabled


def test_a_name_is_taken_once(iot: Any, refused: Any) -> None:
    add(iot)
    with refused("ResourceAlreadyExistsException"):
        add(iot)


def test_a_statement_that_is_none_is_refused_with_its_place(iot: Any, refused: Any) -> None:
    with refused("SqlParseException") as refusal:
        add(iot, sql="SELECT *\nFROM 'a' WHERE")
    assert refusal.message.startswith("line 2, column ")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"actions": [{"stepFunctions": {"stateMachineName": "m", "roleArn": ROLE}}]}, "'step"),
        ({"actions": [{}]}, "given: none"),
        ({"actions": [REPUBLISH] * 11}, "10"),
        ({"actions": [{"republish": {"roleArn": ROLE, "topic": "a/${"}}]}, "in 'a/${', line 1"),
        ({"actions": [{"republish": {"roleArn": ROLE, "topic": "$aws/x"}}]}, "republish: topic"),
        ({"awsIotSqlVersion": "2014-01-01"}, "2014-01-01"),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    iot: Any, refused: Any, change: dict[str, Any], named: str
) -> None:
    with refused("InvalidRequestException") as refusal:
        add(iot, **change)
    assert named in refusal.message


def test_a_rule_that_is_not_there_is_denied_as_at_aws(iot: Any, refused: Any) -> None:
    for call in (iot.get_topic_rule, iot.enable_topic_rule, iot.disable_topic_rule):
        with refused("UnauthorizedException") as refusal:
            call(ruleName="meters")
        assert refusal.message == "Access to topic rule 'meters' was denied"
    with refused("UnauthorizedException"):
        iot.replace_topic_rule(ruleName="meters", topicRulePayload=payload())
    iot.delete_topic_rule(ruleName="meters")


def test_a_rule_is_disabled_enabled_replaced_and_deleted(api: Any, iot: Any) -> None:
    add(iot)
    made = kept(api)
    assert made is not None
    iot.disable_topic_rule(ruleName="meters")
    assert iot.get_topic_rule(ruleName="meters")["rule"]["ruleDisabled"]
    iot.enable_topic_rule(ruleName="meters")
    assert kept(api) == made
    with api.later(60):
        other = "SELECT 1 AS one FROM 'b'"
        iot.replace_topic_rule(
            ruleName="meters", topicRulePayload=payload(sql=other, ruleDisabled=True)
        )
    replaced = kept(api)
    assert replaced is not None
    assert (replaced.sql, replaced.enabled, replaced.created_at) == (other, False, made.created_at)
    iot.delete_topic_rule(ruleName="meters")
    assert kept(api) is None


def test_rules_are_found_by_topic_and_by_state(iot: Any) -> None:
    add(iot, "a")
    add(iot, "b", sql="SELECT * FROM '#'", ruleDisabled=True)
    add(iot, "c", sql="SELECT * FROM 'other'")
    add(iot, "d", sql="SELECT *")

    def names(**filters: Any) -> list[str]:
        return [rule["ruleName"] for rule in iot.list_topic_rules(**filters)["rules"]]

    assert names() == ["a", "b", "c", "d"]
    assert names(topic="plant/1/up") == ["a", "b"]
    assert names(topic="plant/+/up") == ["a", "b"]
    assert names(ruleDisabled=True) == ["b"]
    assert names(ruleDisabled=False, topic="other") == ["c"]
    listed = {rule["ruleName"]: rule for rule in iot.list_topic_rules()["rules"]}
    assert listed["a"]["topicPattern"] == "plant/+/up"
    assert "topicPattern" not in listed["d"]
    assert listed["a"]["ruleArn"].endswith(":rule/a")


def test_rules_are_listed_page_by_page(iot: Any) -> None:
    for name in "abc":
        add(iot, name)
    pages = iot.get_paginator("list_topic_rules").paginate(PaginationConfig={"PageSize": 2})
    assert [[one["ruleName"] for one in page["rules"]] for page in pages] == [["a", "b"], ["c"]]


def test_no_account_sees_rules_of_another(api: Any, iot: Any, refused: Any) -> None:
    add(iot)
    other = api.client("iot", access_key_id="AKIDOTHER")
    assert other.list_topic_rules()["rules"] == []
    with refused("UnauthorizedException"):
        other.get_topic_rule(ruleName="meters")
    other.delete_topic_rule(ruleName="meters")
    assert kept(api) is not None


def test_a_rule_with_actions_of_our_own_is_told_as_far_as_the_model_goes(
    api: Any, iot: Any
) -> None:
    broker = {"url": "mqtt://127.0.0.1:1", "clientId": "c"}
    record = RuleRecord(
        account="123456789012",
        name="ours",
        sql=SQL,
        description="both",
        actions=(
            {"republish": {"topic": "a", "broker": broker}},
            {"file": {"path": "a.jsonl"}},
        ),
        created_at=Instant(api.now),
    )
    asyncio.run(api.store.add_rule(record))
    rule = iot.get_topic_rule(ruleName="ours")["rule"]
    assert rule["actions"] == [{"republish": {"topic": "a"}}]
    assert rule["description"] == "both [with file: bittern rule show ours]"


def test_the_tags_of_a_rule_go_with_it(iot: Any) -> None:
    iot.create_topic_rule(ruleName="meters", topicRulePayload=payload(), tags="site=a%20b&x=")

    def tags() -> list[dict[str, str]]:
        found: list[dict[str, str]] = iot.list_tags_for_resource(resourceArn=RULE_ARN)["tags"]
        return found

    assert tags() == [{"Key": "site", "Value": "a b"}, {"Key": "x", "Value": ""}]
    iot.delete_topic_rule(ruleName="meters")
    add(iot)
    assert tags() == []
