from __future__ import annotations

from typing import Any


def test_whatever_has_an_arn_has_tags(api: Any) -> None:
    tags = [{"Key": "site", "Value": "north"}]
    device = api.device(Tags=tags)
    gateway = api.gateway(Tags=tags)
    api.destination(Tags=tags)
    prefix = device["Arn"].rpartition(":")[0]
    for rest in (
        f"WirelessDevice/{device['Id']}",
        f"WirelessGateway/{gateway}",
        "Destination/plant",
    ):
        found = api.wireless.list_tags_for_resource(ResourceArn=f"{prefix}:{rest}")
        assert found["Tags"] == tags


def test_tags_are_added_replaced_and_removed(api: Any) -> None:
    arn = api.wireless.create_service_profile()["Arn"]
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    for value in ("1", "2"):
        api.wireless.tag_resource(
            ResourceArn=arn, Tags=[{"Key": "b", "Value": value}, {"Key": "a", "Value": ""}]
        )
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "b", "Value": "2"},
        {"Key": "a", "Value": ""},
    ]
    api.wireless.untag_resource(ResourceArn=arn, TagKeys=["a", "c"])
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]


def test_there_are_fifty_tags_at_most(api: Any, refused: Any) -> None:
    made = api.wireless.create_device_profile(LoRaWAN={})
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    api.wireless.tag_resource(ResourceArn=made["Arn"], Tags=tags)
    with refused("TooManyTagsException"):
        api.wireless.tag_resource(ResourceArn=made["Arn"], Tags=[{"Key": "x", "Value": ""}])


def test_tags_that_cannot_be_are_refused(api: Any, refused: Any) -> None:
    same = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    for tags in (same, [{"Key": "AWS:x", "Value": ""}]):
        with refused("ValidationException"):
            api.destination(Tags=tags)


def test_a_resource_must_be_there(api: Any, refused: Any) -> None:
    arn = api.wireless.create_device_profile(LoRaWAN={})["Arn"]
    for wrong in (arn + "x", "arn:aws:s3:::bucket", arn.replace("DeviceProfile", "Thing")):
        with refused("ResourceNotFoundException"):
            api.wireless.list_tags_for_resource(ResourceArn=wrong)
    with refused("ResourceNotFoundException"):
        api.other.tag_resource(ResourceArn=arn, Tags=[])
    with refused("ResourceNotFoundException"):
        api.other.untag_resource(ResourceArn=arn, TagKeys=["a"])
