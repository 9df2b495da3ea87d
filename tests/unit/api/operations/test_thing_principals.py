from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def iot(api: Any) -> Any:
    made = api.client("iot")
    for name in ("pump", "valve"):
        made.create_thing(thingName=name)
    return made


@pytest.fixture
def arn(iot: Any) -> str:
    made: str = iot.create_keys_and_certificate()["certificateArn"]
    return made


def test_a_certificate_is_attached_listed_and_detached(iot: Any, arn: str) -> None:
    for _ in range(2):
        iot.attach_thing_principal(thingName="pump", principal=arn)
    iot.attach_thing_principal(thingName="valve", principal=arn)
    assert iot.list_thing_principals(thingName="pump")["principals"] == [arn]
    assert iot.list_principal_things(principal=arn)["things"] == ["pump", "valve"]
    shared = "NON_EXCLUSIVE_THING"
    told = iot.list_thing_principals_v2(thingName="pump")["thingPrincipalObjects"]
    assert told == [{"principal": arn, "thingPrincipalType": shared}]
    told = iot.list_principal_things_v2(principal=arn)["principalThingObjects"]
    assert told[1] == {"thingName": "valve", "thingPrincipalType": shared}
    for _ in range(2):
        iot.detach_thing_principal(thingName="pump", principal=arn)
    assert iot.list_thing_principals(thingName="pump")["principals"] == []
    assert iot.list_principal_things(principal=arn)["things"] == ["valve"]
    iot.delete_thing(thingName="pump")


def test_it_is_no_new_version_of_the_thing(iot: Any, arn: str) -> None:
    iot.attach_thing_principal(thingName="pump", principal=arn)
    assert iot.describe_thing(thingName="pump")["version"] == 1


def test_an_exclusive_principal_has_one_thing(iot: Any, arn: str, refused: Any) -> None:
    exclusive = {"principal": arn, "thingPrincipalType": "EXCLUSIVE_THING"}
    iot.attach_thing_principal(thingName="pump", **exclusive)
    with refused("InvalidRequestException"):
        iot.attach_thing_principal(thingName="valve", principal=arn)
    iot.attach_thing_principal(thingName="pump", principal=arn)
    iot.attach_thing_principal(thingName="valve", principal=arn)
    with refused("InvalidRequestException"):
        iot.attach_thing_principal(thingName="valve", **exclusive)
    listed = iot.list_principal_things_v2(principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    assert listed["principalThingObjects"] == []


def test_principals_and_things_are_listed_page_by_page(iot: Any, arn: str) -> None:
    arns = sorted(iot.create_keys_and_certificate()["certificateArn"] for _ in range(3))
    for one in arns:
        iot.attach_thing_principal(thingName="pump", principal=one)
    first = iot.list_thing_principals(thingName="pump", maxResults=2)
    rest = iot.list_thing_principals(thingName="pump", maxResults=2, nextToken=first["nextToken"])
    assert first["principals"] + rest["principals"] == arns
    assert "nextToken" not in rest
    iot.attach_thing_principal(thingName="pump", principal=arn)
    iot.attach_thing_principal(thingName="valve", principal=arn)
    pages = iot.get_paginator("list_principal_things").paginate(
        principal=arn, PaginationConfig={"PageSize": 1}
    )
    assert [page["things"] for page in pages] == [["pump"], ["valve"]]


def test_what_is_not_there_is_told(iot: Any, arn: str, refused: Any) -> None:
    absent = arn[:-64] + "0" * 64
    for call, given in (
        (iot.attach_thing_principal, {"thingName": "fan", "principal": arn}),
        (iot.detach_thing_principal, {"thingName": "fan", "principal": arn}),
        (iot.list_thing_principals, {"thingName": "fan"}),
        (iot.list_principal_things, {"principal": absent}),
    ):
        with refused("ResourceNotFoundException"):
            call(**given)
