"""Crossing from one account into another, by each kind of name that a request can carry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_asking import EVERYTHING, caller
from api_world import ACCOUNT, OTHER_ACCOUNT, World

ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/any"
LORAWAN = {"MacVersion": "1.0.3", "RegParamsRevision": "RP002-1.0.1", "RfRegion": "EU868"}


def there(world: World, service: str = "iotwireless") -> Any:
    """A client that may do everything, of the other account."""
    name = (service, "ListDestinations" if service == "iotwireless" else "ListThings")
    return caller(world.api, name, EVERYTHING, account=OTHER_ACCOUNT)


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def plant(client: Any, name: str, **more: Any) -> Any:
    return client.create_destination(
        Name=name, ExpressionType="MqttTopic", Expression="x", RoleArn=ROLE, **more
    )


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT])
def test_tags_are_reached_by_no_arn(world: World, account: str) -> None:
    """Neither as it is, nor with the asker's account written into it."""
    arn = world.client.get_wireless_device(
        Identifier=world.new_device(), IdentifierType="WirelessDeviceId"
    )["Arn"]
    tags = [{"Key": "site", "Value": "north"}]
    world.client.tag_resource(ResourceArn=arn, Tags=tags)
    other, asked = there(world), arn.replace(ACCOUNT, account)
    assert refusal(other.list_tags_for_resource, ResourceArn=asked) == "ResourceNotFoundException"
    changed = [{"Key": "site", "Value": "south"}]
    assert "NotFound" in refusal(other.tag_resource, ResourceArn=asked, Tags=changed)
    assert "NotFound" in refusal(other.untag_resource, ResourceArn=asked, TagKeys=["site"])
    assert world.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags


def test_one_name_in_two_accounts_is_two_things(world: World) -> None:
    other = there(world)
    for client in (world.client, other):
        plant(client, "twin")
    other.update_destination(Name="twin", Description="theirs")
    assert world.client.get_destination(Name="twin").get("Description", "") == ""
    other.delete_destination(Name="twin")
    assert world.client.get_destination(Name="twin")["Name"] == "twin"


def test_one_request_token_in_two_accounts_is_two_requests(world: World) -> None:
    other, token = there(world), "a-token-that-both-have-drawn"
    made = [
        client.create_device_profile(Name="meter", LoRaWAN=LORAWAN, ClientRequestToken=token)
        for client in (world.client, other)
    ]
    assert made[0]["Id"] != made[1]["Id"]
    assert refusal(other.get_device_profile, Id=made[0]["Id"]) == "ResourceNotFoundException"


def test_a_page_token_leads_into_no_other_account(world: World) -> None:
    for number in range(3):
        plant(world.client, f"ours-{number}")
    token = world.client.list_destinations(MaxResults=1)["NextToken"]
    try:
        found = there(world).list_destinations(NextToken=token)["DestinationList"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException"
    else:
        assert found == []


def test_a_list_is_filtered_to_nothing_of_another(world: World) -> None:
    name = world.new_destination()
    world.new_device(DestinationName=name)
    found = there(world).list_wireless_devices(DestinationName=name)
    assert found["WirelessDeviceList"] == []


def test_a_device_does_not_join_what_another_account_has(world: World) -> None:
    device, group = world.new_device(), world.new_group()
    other = there(world)
    own = other.create_multicast_group(LoRaWAN={"RfRegion": "EU868", "DlClass": "ClassC"})["Id"]
    for pair in (
        {"Id": own, "WirelessDeviceId": device},
        {"Id": group, "WirelessDeviceId": device},
    ):
        code = refusal(other.associate_wireless_device_with_multicast_group, **pair)
        assert code == "ResourceNotFoundException"
    found = other.list_wireless_devices(MulticastGroupId=own)["WirelessDeviceList"]
    assert found == []


def test_things_of_one_name_are_apart(world: World) -> None:
    other = there(world, "iot")
    world.iot.create_thing(thingName="twin", attributePayload={"attributes": {"of": "us"}})
    assert refusal(other.describe_thing, thingName="twin") == "ResourceNotFoundException"
    other.create_thing(thingName="twin")
    other.delete_thing(thingName="twin")
    assert world.iot.describe_thing(thingName="twin")["attributes"] == {"of": "us"}
