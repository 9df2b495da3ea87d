from __future__ import annotations

from typing import Any

import pytest

GIVEN = {
    "ExpressionType": "RuleName",
    "Expression": "meters",
    "RoleArn": "arn:aws:iam::123456789012:role/any",
}
ARN = "arn:aws:iotwireless:eu-west-1:123456789012:Destination/plant"


def test_a_destination_is_told_as_it_was_made(api: Any) -> None:
    made = api.wireless.create_destination(Name="plant", Description="all", **GIVEN)
    assert (made["Arn"], made["Name"]) == (ARN, "plant")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    found = api.wireless.get_destination(Name="plant")
    del found["ResponseMetadata"]
    assert found == {"Arn": ARN, "Name": "plant", "Description": "all", **GIVEN}


def test_what_was_not_said_is_not_told(api: Any) -> None:
    api.wireless.create_destination(Name="plant", **GIVEN)
    assert "Description" not in api.wireless.get_destination(Name="plant")


def test_a_name_is_taken_once(api: Any, refused: Any) -> None:
    api.destination()
    with refused("ConflictException") as refusal:
        api.destination()
    assert refusal.resource == ("Destination", "plant")
    assert api.other.create_destination(Name="plant", **GIVEN)


def test_the_same_token_gets_the_same_answer(api: Any, refused: Any) -> None:
    made = [
        api.wireless.create_destination(Name="plant", ClientRequestToken="once", **GIVEN)["Arn"]
        for _ in range(2)
    ]
    assert made == [ARN, ARN]
    with refused("ConflictException"):
        api.wireless.create_destination(Name="other", ClientRequestToken="once", **GIVEN)
    with api.later(601):
        api.wireless.create_destination(Name="other", ClientRequestToken="once", **GIVEN)


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    api.destination()
    assert api.other.list_destinations()["DestinationList"] == []
    for refuse in (api.other.get_destination, api.other.delete_destination):
        with refused("ResourceNotFoundException") as refusal:
            refuse(Name="plant")
        assert refusal.resource == ("Destination", "plant")
    with refused("ResourceNotFoundException"):
        api.other.update_destination(Name="plant", Description="mine")


def test_destinations_are_listed_page_by_page(api: Any) -> None:
    for number in range(5):
        api.destination(f"d{number}")
    names, token = [], {}
    for size in (2, 2, 1):
        page = api.wireless.list_destinations(MaxResults=2, **token)
        assert len(page["DestinationList"]) == size
        names += [one["Name"] for one in page["DestinationList"]]
        token = {"NextToken": page.get("NextToken")}
    assert names == [f"d{number}" for number in range(5)]
    assert token == {"NextToken": None}


def test_a_token_of_another_account_is_refused(api: Any, refused: Any) -> None:
    for number in range(2):
        api.destination(f"d{number}")
    token = api.wireless.list_destinations(MaxResults=1)["NextToken"]
    with refused("ValidationException"):
        api.other.list_destinations(MaxResults=1, NextToken=token)


def test_an_update_changes_what_it_names(api: Any) -> None:
    api.wireless.create_destination(Name="plant", Description="all", **GIVEN)
    answer = api.wireless.update_destination(
        Name="plant", ExpressionType="MqttTopic", Expression="a/b"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    found = api.wireless.get_destination(Name="plant")
    assert (found["ExpressionType"], found["Expression"]) == ("MqttTopic", "a/b")
    assert (found["Description"], found["RoleArn"]) == ("all", GIVEN["RoleArn"])


@pytest.mark.parametrize("topic", ["a/+", "#", ""])
def test_a_topic_to_publish_to_has_no_wildcard(api: Any, refused: Any, topic: str) -> None:
    with refused("ValidationException"):
        api.destination(Expression=topic)
    api.destination()
    with refused("ValidationException"):
        api.wireless.update_destination(Name="plant", Expression=topic)


def test_a_destination_in_use_stays(api: Any, refused: Any) -> None:
    device = api.device(destination=api.destination())
    with refused("ConflictException") as refusal:
        api.wireless.delete_destination(Name="plant")
    assert refusal.resource == ("Destination", "plant")
    api.wireless.delete_wireless_device(Id=device["Id"])
    api.wireless.delete_destination(Name="plant")
    with refused("ResourceNotFoundException"):
        api.wireless.get_destination(Name="plant")


def test_a_name_that_is_free_again_has_no_tags(api: Any) -> None:
    api.destination(Tags=[{"Key": "site", "Value": "north"}])
    assert api.wireless.list_tags_for_resource(ResourceArn=ARN)["Tags"]
    api.wireless.delete_destination(Name="plant")
    api.destination()
    assert api.wireless.list_tags_for_resource(ResourceArn=ARN)["Tags"] == []
