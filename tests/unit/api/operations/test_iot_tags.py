from __future__ import annotations

from typing import Any

import pytest

from bittern.api.errors import ApiError
from bittern.api.operations.iot_tags import checked_iot_tags, from_query

ROLE = "arn:aws:iam::123456789012:role/any"
ARN = "arn:aws:iot:eu-west-1:123456789012:rule/meters"
PAYLOAD = {
    "sql": "SELECT * FROM 'a'",
    "actions": [{"republish": {"roleArn": ROLE, "topic": "b"}}],
}


@pytest.fixture
def iot(api: Any) -> Any:
    made = api.client("iot")
    made.create_topic_rule(ruleName="meters", topicRulePayload=PAYLOAD)
    return made


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"Key": key, "Value": value}


def test_a_rule_is_tagged_and_untagged(iot: Any) -> None:
    iot.tag_resource(resourceArn=ARN, tags=[tag("b", "1"), tag("a", "2")])
    iot.tag_resource(resourceArn=ARN, tags=[tag("b", "3"), {"Key": "c"}])
    listed = iot.list_tags_for_resource(resourceArn=ARN)["tags"]
    assert listed == [tag("a", "2"), tag("b", "3"), tag("c")]
    iot.untag_resource(resourceArn=ARN, tagKeys=["a", "none"])
    listed = iot.list_tags_for_resource(resourceArn=ARN)["tags"]
    assert listed == [tag("b", "3"), tag("c")]


def test_a_rule_has_fifty_tags_at_most(iot: Any, refused: Any) -> None:
    iot.tag_resource(resourceArn=ARN, tags=[tag(f"k{n}") for n in range(50)])
    with refused("LimitExceededException"):
        iot.tag_resource(resourceArn=ARN, tags=[tag("one more")])


@pytest.mark.parametrize(
    "arn",
    [
        ARN.replace("meters", "others"),
        ARN.replace("123456789012", "210987654321"),
        ARN.replace("rule/", "thing/"),
        "arn:aws:iotwireless:eu-west-1:123456789012:rule/meters",
    ],
)
def test_what_is_not_there_has_no_tags(iot: Any, refused: Any, arn: str) -> None:
    with refused("ResourceNotFoundException"):
        iot.list_tags_for_resource(resourceArn=arn)


def test_no_account_tags_what_is_anothers(api: Any, iot: Any, refused: Any) -> None:
    other = api.client("iot", access_key_id="AKIDOTHER")
    with refused("ResourceNotFoundException"):
        other.tag_resource(resourceArn=ARN, tags=[tag("a")])


def test_tags_in_a_header_are_a_query() -> None:
    assert from_query("a=1&b=x%26y&c=") == [tag("a", "1"), tag("b", "x&y"), tag("c")]
    with pytest.raises(ApiError):
        checked_iot_tags(from_query("a=1&a=2"))
