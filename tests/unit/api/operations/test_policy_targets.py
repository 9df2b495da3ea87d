from __future__ import annotations

from typing import Any

import pytest

DOCUMENT = '{"Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}'


@pytest.fixture
def iot(api: Any) -> Any:
    made = api.client("iot")
    for name in ("meters", "valves"):
        made.create_policy(policyName=name, policyDocument=DOCUMENT)
    return made


@pytest.fixture
def arn(iot: Any) -> str:
    made: str = iot.create_keys_and_certificate()["certificateArn"]
    return made


def names(answer: Any) -> list[str]:
    return [one["policyName"] for one in answer["policies"]]


def test_a_policy_is_attached_listed_and_detached(iot: Any, arn: str, refused: Any) -> None:
    for _ in range(2):
        iot.attach_policy(policyName="meters", target=arn)
    assert names(iot.list_attached_policies(target=arn)) == ["meters"]
    assert iot.list_targets_for_policy(policyName="meters")["targets"] == [arn]
    with refused("DeleteConflictException"):
        iot.delete_policy(policyName="meters")
    for _ in range(2):
        iot.detach_policy(policyName="meters", target=arn)
    assert names(iot.list_attached_policies(target=arn)) == []
    iot.delete_policy(policyName="meters")
    iot.detach_policy(policyName="meters", target=arn)


def test_the_words_of_before_mean_the_same(iot: Any, arn: str) -> None:
    iot.attach_principal_policy(policyName="meters", principal=arn)
    assert names(iot.list_attached_policies(target=arn)) == ["meters"]
    assert names(iot.list_principal_policies(principal=arn)) == ["meters"]
    assert iot.list_policy_principals(policyName="meters")["principals"] == [arn]
    iot.detach_principal_policy(policyName="meters", principal=arn)
    assert names(iot.list_principal_policies(principal=arn)) == []


def test_what_is_not_there_is_told(iot: Any, arn: str, refused: Any) -> None:
    absent = arn[:-64] + "0" * 64
    for call, given in (
        (iot.attach_policy, {"policyName": "others", "target": arn}),
        (iot.attach_policy, {"policyName": "meters", "target": absent}),
        (iot.list_attached_policies, {"target": absent}),
        (iot.list_targets_for_policy, {"policyName": "others"}),
    ):
        with refused("ResourceNotFoundException"):
            call(**given)


def test_a_certificate_has_ten_policies_at_most(iot: Any, arn: str, refused: Any) -> None:
    for number in range(10):
        iot.create_policy(policyName=f"p{number}", policyDocument=DOCUMENT)
        iot.attach_policy(policyName=f"p{number}", target=arn)
    with refused("LimitExceededException"):
        iot.attach_policy(policyName="meters", target=arn)
    iot.attach_policy(policyName="p0", target=arn)


def test_both_lists_have_pages(iot: Any, arn: str) -> None:
    arns = sorted([arn, *(iot.create_keys_and_certificate()["certificateArn"] for _ in range(2))])
    for one in arns:
        iot.attach_policy(policyName="meters", target=one)
    iot.attach_policy(policyName="valves", target=arn)
    pages = iot.get_paginator("list_targets_for_policy").paginate(
        policyName="meters", PaginationConfig={"PageSize": 2}
    )
    assert [page["targets"] for page in pages] == [arns[:2], arns[2:]]
    pages = iot.get_paginator("list_attached_policies").paginate(
        target=arn, PaginationConfig={"PageSize": 1}
    )
    assert [names(page) for page in pages] == [["meters"], ["valves"]]


def test_no_account_attaches_to_the_certificate_of_another(
    api: Any, iot: Any, arn: str, refused: Any
) -> None:
    other = api.client("iot", access_key_id="AKIDOTHER")
    other.create_policy(policyName="theirs", policyDocument=DOCUMENT)
    with refused("ResourceNotFoundException"):
        other.attach_policy(policyName="theirs", target=arn)
    with refused("ResourceNotFoundException"):
        other.list_attached_policies(target=arn)


def test_a_certificate_in_use_is_not_deleted(iot: Any, arn: str, refused: Any) -> None:
    identity = arn.rpartition("/")[2]
    iot.create_thing(thingName="pump")
    iot.attach_thing_principal(thingName="pump", principal=arn)
    iot.attach_policy(policyName="meters", target=arn)
    with refused("DeleteConflictException"):
        iot.delete_certificate(certificateId=identity, forceDelete=True)
    iot.detach_thing_principal(thingName="pump", principal=arn)
    with refused("DeleteConflictException"):
        iot.delete_certificate(certificateId=identity)
    iot.delete_certificate(certificateId=identity, forceDelete=True)
    iot.delete_policy(policyName="meters")
