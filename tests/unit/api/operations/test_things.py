from __future__ import annotations

from typing import Any

import pytest

ARN = "arn:aws:iot:eu-west-1:123456789012:thing/pump"


@pytest.fixture
def iot(api: Any) -> Any:
    return api.client("iot")


def attributes(merge: bool = False, **values: str) -> dict[str, Any]:
    return {"attributes": values, "merge": merge}


def test_a_thing_is_made_and_told(iot: Any) -> None:
    made = iot.create_thing(thingName="pump", attributePayload=attributes(site="north", gone=""))
    assert (made["thingName"], made["thingArn"]) == ("pump", ARN)
    told = iot.describe_thing(thingName="pump")
    assert (told["thingId"], told["thingArn"]) == (made["thingId"], ARN)
    assert (told["defaultClientId"], told["version"]) == ("pump", 1)
    assert told["attributes"] == {"site": "north"}


def test_to_make_the_same_thing_again_changes_nothing(iot: Any, refused: Any) -> None:
    made = iot.create_thing(thingName="pump", attributePayload=attributes(site="north"))
    again = iot.create_thing(thingName="pump", attributePayload=attributes(site="north"))
    assert again["thingId"] == made["thingId"]
    with refused("ResourceAlreadyExistsException"):
        iot.create_thing(thingName="pump")


@pytest.mark.parametrize(
    "named", [{"thingTypeName": "pumps"}, {"billingGroupName": "all"}], ids=min
)
def test_types_and_billing_groups_are_not_there(iot: Any, refused: Any, named: Any) -> None:
    with refused("ResourceNotFoundException") as refusal:
        iot.create_thing(thingName="pump", **named)
    assert next(iter(named.values())) in refusal.message
    assert iot.list_things(thingTypeName="pumps")["things"] == []


def test_attributes_are_replaced_or_merged(iot: Any, refused: Any) -> None:
    iot.create_thing(thingName="pump", attributePayload=attributes(a="1", b="2"))
    for payload, wanted in (
        (attributes(merge=True, b="", c="3"), {"a": "1", "c": "3"}),
        (attributes(d="4"), {"d": "4"}),
    ):
        iot.update_thing(thingName="pump", attributePayload=payload)
        assert iot.describe_thing(thingName="pump")["attributes"] == wanted
    iot.update_thing(thingName="pump", removeThingType=True)
    told = iot.describe_thing(thingName="pump")
    assert (told["attributes"], told["version"]) == ({"d": "4"}, 4)
    many = attributes(**{f"a{n}": "1" for n in range(51)})
    with refused("InvalidRequestException"):
        iot.update_thing(thingName="pump", attributePayload=many)
    with refused("ResourceNotFoundException"):
        iot.update_thing(thingName="other", attributePayload=attributes(a="1"))


def test_a_version_that_is_not_the_expected_one_is_refused(iot: Any, refused: Any) -> None:
    iot.create_thing(thingName="pump")
    iot.update_thing(thingName="pump", attributePayload=attributes(a="1"), expectedVersion=1)
    with refused("VersionConflictException"):
        iot.update_thing(thingName="pump", attributePayload=attributes(a="2"), expectedVersion=1)
    with refused("VersionConflictException"):
        iot.delete_thing(thingName="pump", expectedVersion=1)
    iot.delete_thing(thingName="pump", expectedVersion=2)
    with refused("ResourceNotFoundException"):
        iot.describe_thing(thingName="pump")
    iot.delete_thing(thingName="pump")


def test_things_are_found_by_attribute(iot: Any) -> None:
    for name, site in (("a", "north-1"), ("b", "south"), ("c", "north-2")):
        iot.create_thing(thingName=name, attributePayload=attributes(site=site))
    iot.create_thing(thingName="d")

    def names(**filters: Any) -> list[str]:
        return [one["thingName"] for one in iot.list_things(**filters)["things"]]

    assert names() == ["a", "b", "c", "d"]
    assert names(attributeName="site") == ["a", "b", "c"]
    assert names(attributeName="site", attributeValue="south") == ["b"]
    prefix = {"attributeName": "site", "attributeValue": "north", "usePrefixAttributeValue": True}
    assert names(**prefix) == ["a", "c"]


def test_things_that_fit_are_listed_page_by_page_among_many(iot: Any) -> None:
    for number in range(300):
        site = "north" if number % 100 == 99 else "south"
        iot.create_thing(thingName=f"t{number:03}", attributePayload=attributes(site=site))
    wanted = {"attributeName": "site", "attributeValue": "north"}
    pages = iot.get_paginator("list_things").paginate(**wanted, PaginationConfig={"PageSize": 2})
    listed = [[one["thingName"] for one in page["things"]] for page in pages]
    assert listed == [["t099", "t199"], ["t299"]]
    every = iot.get_paginator("list_things").paginate(PaginationConfig={"PageSize": 250})
    assert [len(page["things"]) for page in every] == [250, 50]


def test_no_account_sees_things_of_another(api: Any, iot: Any, refused: Any) -> None:
    iot.create_thing(thingName="pump")
    other = api.client("iot", access_key_id="AKIDOTHER")
    assert other.list_things()["things"] == []
    with refused("ResourceNotFoundException"):
        other.describe_thing(thingName="pump")
    other.delete_thing(thingName="pump")
    assert iot.describe_thing(thingName="pump")["version"] == 1


def test_a_thing_in_use_stays(api: Any, iot: Any, refused: Any) -> None:
    iot.create_thing(thingName="pump")
    arn = iot.create_keys_and_certificate()["certificateArn"]
    iot.attach_thing_principal(thingName="pump", principal=arn)
    with refused("InvalidRequestException") as refusal:
        iot.delete_thing(thingName="pump")
    attached = "Cannot delete. Thing pump is still attached to one or more principals"
    assert refusal.message == attached
    iot.detach_thing_principal(thingName="pump", principal=arn)
    device = api.device()["Id"]
    api.wireless.associate_wireless_device_with_thing(Id=device, ThingArn=ARN)
    with refused("InvalidRequestException") as refusal:
        iot.delete_thing(thingName="pump")
    assert f"WirelessDevice/{device}" in refusal.message
    api.wireless.delete_wireless_device(Id=device)
    iot.delete_thing(thingName="pump")
