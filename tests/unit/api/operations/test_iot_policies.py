from __future__ import annotations

import json
from typing import Any

import pytest

ARN = "arn:aws:iot:eu-west-1:123456789012:policy/meters"
CONNECT = {
    "Effect": "Allow",
    "Action": ["iot:Connect", "iot:Publish"],
    "Resource": "arn:aws:iot:eu-west-1:123456789012:client/${iot:ClientId}",
    "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}},
}


def text(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


DOCUMENT = text(CONNECT)


@pytest.fixture
def iot(api: Any) -> Any:
    return api.client("iot")


def add(iot: Any, name: str = "meters", document: str = DOCUMENT) -> dict[str, Any]:
    made: dict[str, Any] = iot.create_policy(policyName=name, policyDocument=document)
    return made


def test_a_policy_is_made_and_told(api: Any, iot: Any, refused: Any) -> None:
    made = add(iot)
    assert (made["policyArn"], made["policyVersionId"]) == (ARN, "1")
    told = iot.get_policy(policyName="meters")
    assert (told["policyDocument"], told["defaultVersionId"]) == (DOCUMENT, "1")
    assert (told["policyName"], told["policyArn"]) == ("meters", ARN)
    assert told["creationDate"].timestamp() == api.now
    with refused("ResourceAlreadyExistsException"):
        add(iot)
    with refused("ResourceNotFoundException"):
        iot.get_policy(policyName="others")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "{}",
        text(),
        text({**CONNECT, "Effect": "Maybe"}),
        text({**CONNECT, "Principal": "*"}),
        text({**CONNECT, "Action": []}),
        text({**CONNECT, "Action": "s3:GetObject"}),
        text({**CONNECT, "Resource": "client/x"}),
        text(CONNECT, Version="2020-01-01"),
        text({**CONNECT, "Resource": "arn:aws:iot:::" + "x" * 2048}),
        "[" * 100_000,
    ],
    ids=range(13),
)
def test_what_is_no_policy_is_refused(iot: Any, refused: Any, document: str) -> None:
    with refused("MalformedPolicyException"):
        add(iot, document=document)
    assert iot.list_policies()["policies"] == []


def test_one_statement_need_not_be_in_a_list(iot: Any) -> None:
    add(iot, document=json.dumps({"Statement": {**CONNECT, "Action": "*", "Resource": "*"}}))


def test_policies_are_listed_page_by_page(api: Any, iot: Any) -> None:
    for name in "abc":
        add(iot, name)
    pages = iot.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 2})
    listed = [[one["policyName"] for one in page["policies"]] for page in pages]
    assert listed == [["a", "b"], ["c"]]
    other = api.client("iot", access_key_id="AKIDOTHER")
    assert other.list_policies()["policies"] == []


def test_a_policy_has_versions_and_one_of_them_holds(iot: Any, refused: Any) -> None:
    add(iot)
    second = text({**CONNECT, "Effect": "Deny"})
    made = iot.create_policy_version(policyName="meters", policyDocument=second)
    assert (made["policyVersionId"], made["isDefaultVersion"]) == ("2", False)
    assert iot.get_policy(policyName="meters")["policyDocument"] == DOCUMENT
    iot.set_default_policy_version(policyName="meters", policyVersionId="2")
    assert iot.get_policy(policyName="meters")["policyDocument"] == second
    told = iot.get_policy_version(policyName="meters", policyVersionId="1")
    assert (told["policyDocument"], told["isDefaultVersion"]) == (DOCUMENT, False)
    listed = iot.list_policy_versions(policyName="meters")["policyVersions"]
    assert [(one["versionId"], one["isDefaultVersion"]) for one in listed] == [
        ("2", True),
        ("1", False),
    ]
    with refused("DeleteConflictException"):
        iot.delete_policy_version(policyName="meters", policyVersionId="2")
    with refused("DeleteConflictException"):
        iot.delete_policy(policyName="meters")
    iot.delete_policy_version(policyName="meters", policyVersionId="1")
    with refused("ResourceNotFoundException"):
        iot.get_policy_version(policyName="meters", policyVersionId="1")
    with refused("ResourceNotFoundException"):
        iot.get_policy_version(policyName="meters", policyVersionId="9" * 5000)
    with refused("MalformedPolicyException"):
        iot.create_policy_version(policyName="meters", policyDocument="{}")


def test_numbers_of_versions_are_not_used_again_and_there_are_five_at_most(
    iot: Any, refused: Any
) -> None:
    add(iot)
    for number in range(2, 6):
        made = iot.create_policy_version(
            policyName="meters", policyDocument=DOCUMENT, setAsDefault=True
        )
        assert made["policyVersionId"] == str(number)
    with refused("VersionsLimitExceededException"):
        iot.create_policy_version(policyName="meters", policyDocument=DOCUMENT)
    iot.set_default_policy_version(policyName="meters", policyVersionId="1")
    iot.delete_policy_version(policyName="meters", policyVersionId="5")
    made = iot.create_policy_version(policyName="meters", policyDocument=DOCUMENT)
    assert made["policyVersionId"] == "6"


def test_a_policy_is_deleted_with_its_tags(iot: Any, refused: Any) -> None:
    tags = [{"Key": "site", "Value": "north"}]
    iot.create_policy(policyName="meters", policyDocument=DOCUMENT, tags=tags)
    assert iot.list_tags_for_resource(resourceArn=ARN)["tags"] == tags
    iot.delete_policy(policyName="meters")
    with refused("ResourceNotFoundException"):
        iot.delete_policy(policyName="meters")
    add(iot)
    assert iot.list_tags_for_resource(resourceArn=ARN)["tags"] == []
