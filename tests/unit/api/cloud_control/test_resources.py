from __future__ import annotations

from typing import Any, cast

import pytest

from bittern.api.cloud_control.resources import Resources
from bittern.api.cloud_control.types import resource_type
from bittern.api.cloud_control.underlying import Underlying
from bittern.api.errors import ApiError, not_found
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

THING = "arn:aws:iot:eu-west-1:123456789012:thing"


class Services:
    def __init__(self) -> None:
        self.store = MemoryStore()


class World:
    """Resources of one type over operations that only write down what they were asked."""

    def __init__(self, kind: str, **answers: Any) -> None:
        of = resource_type(f"AWS::IoTWireless::{kind}")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers = answers
        caller = Caller("1" * 12, "A", "arn", policy(READY["administrator"]), SecretAccessKey("x"))
        made = service("cloudcontrol").operation("GetResource")
        call = Call(made, caller, "eu-west-1", "request", Instant(0))
        names = service("iotwireless").operation_names
        handlers = dict.fromkeys(names, self.answer)
        self.resources = Resources(of, Underlying(handlers, cast(Any, Services()), call))

    async def answer(self, services: Any, call: Call, parameters: dict[str, Any]) -> Any:
        name = call.operation.name
        self.asked.append((name, parameters))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


async def test_the_token_of_the_request_makes_a_creation_repeatable() -> None:
    world = World("WirelessGateway", CreateWirelessGateway={"Id": "x", "Arn": "a"})
    given = {"LoRaWAN": {"GatewayEui": "a" * 16, "RfRegion": "EU868"}, "ThingArn": THING}
    assert await world.resources.create(given, "token") == "x"
    assert world.asked == [
        (
            "CreateWirelessGateway",
            {"LoRaWAN": given["LoRaWAN"], "ClientRequestToken": "token"},
        )
    ]


async def test_tags_are_of_the_properties_where_there_are_any() -> None:
    answers = {"GetDeviceProfile": {"Id": "x", "Arn": "arn:x"}}
    world = World("DeviceProfile", **answers, ListTagsForResource={"Tags": []})
    assert await world.resources.read("x") == {"Id": "x", "Arn": "arn:x"}
    world = World("DeviceProfile", **answers, ListTagsForResource={"Tags": tags(a="1")})
    assert (await world.resources.read("x"))["Tags"] == tags(a="1")
    assert world.asked[1] == ("ListTagsForResource", {"ResourceArn": "arn:x"})


async def test_a_change_calls_no_operation_without_need() -> None:
    world = World("WirelessGateway")
    before = {"Name": "a", "Arn": "arn:x", "LoRaWAN": {"RfRegion": "EU868"}, "Tags": tags(a="1")}
    await world.resources.change("x", before, dict(before))
    assert world.asked == []


async def test_a_change_is_an_update_and_then_tags_and_then_associations() -> None:
    world = World("WirelessGateway")
    lorawan = {"RfRegion": "EU868"}
    before = {"Name": "a", "Arn": "arn:x", "LoRaWAN": lorawan, "Tags": tags(a="1", b="2")}
    after = {"Name": "b", "Arn": "arn:x", "LoRaWAN": lorawan, "Tags": tags(b="3")}
    await world.resources.change(
        "x", before | {"ThingArn": f"{THING}/one"}, after | {"ThingArn": f"{THING}/two"}
    )
    assert world.asked == [
        ("UpdateWirelessGateway", {"Id": "x", "Name": "b"}),
        ("UntagResource", {"ResourceArn": "arn:x", "TagKeys": ["a"]}),
        ("TagResource", {"ResourceArn": "arn:x", "Tags": tags(b="3")}),
        ("DisassociateWirelessGatewayFromThing", {"Id": "x"}),
        ("AssociateWirelessGatewayWithThing", {"Id": "x", "ThingArn": f"{THING}/two"}),
        ("GetWirelessGateway", {"Identifier": "x", "IdentifierType": "WirelessGatewayId"}),
    ]


async def test_nothing_is_done_of_a_change_that_is_refused() -> None:
    world = World("DeviceProfile")
    after = {"Name": "b", "Tags": tags(a="1")}
    with pytest.raises(ApiError) as refused:
        await world.resources.change("x", {"Name": "a", "Arn": "arn:x"}, after)
    assert refused.value.code == "NotUpdatableException"
    assert world.asked == []


async def test_an_order_is_followed_and_remembered() -> None:
    world = World("MulticastGroup", GetMulticastGroup={"Id": "x", "Arn": "arn:x"})
    world.answers["ListTagsForResource"] = {"Tags": []}
    given = {"AssociateWirelessDevice": "d"}
    await world.resources.associate("x", {}, given)
    assert world.asked == [
        ("AssociateWirelessDeviceWithMulticastGroup", {"Id": "x", "WirelessDeviceId": "d"})
    ]
    await world.resources.remember("x", given)
    before = await world.resources.read("x")
    assert before["AssociateWirelessDevice"] == "d"
    after = {"LoRaWAN": {}, "DisassociateWirelessDevice": "d"}
    world.asked.clear()
    await world.resources.change("x", before, after | {"Arn": "arn:x"})
    assert world.names() == ["DisassociateWirelessDeviceFromMulticastGroup", "GetMulticastGroup"]
    assert (await world.resources.read("x")).keys() == {"Id", "Arn", "DisassociateWirelessDevice"}
    await world.resources.delete("x")
    assert (await world.resources.read("x")).keys() == {"Id", "Arn"}


async def test_one_device_cannot_be_taken_in_and_let_go_at_once() -> None:
    world = World("FuotaTask")
    orders = {"AssociateMulticastGroup": "g", "DisassociateMulticastGroup": "g"}
    given = {"FirmwareUpdateImage": "s3://b/k", "FirmwareUpdateRole": "r" * 20, "LoRaWAN": {}}
    with pytest.raises(ApiError, match="name the same"):
        await world.resources.create(given | orders, "token")
    assert world.asked == []


async def test_what_waits_for_its_devices_lingers() -> None:
    world = World("MulticastGroup", GetMulticastGroup={"Id": "x", "Arn": "arn:x"})
    assert await world.resources.lingers("x")
    world.answers["GetMulticastGroup"] = not_found("MulticastGroup", "x")
    assert not await world.resources.lingers("x")
    other = World("Destination")
    assert not await other.resources.lingers("x")
    assert other.asked == []


async def test_a_page_has_what_the_list_tells() -> None:
    entries = [{"Name": "a", "Arn": "arn:a"}, {"Name": "b"}]
    world = World("Destination", ListDestinations={"DestinationList": entries, "NextToken": "n"})
    shown, token = await world.resources.list({"MaxResults": 2})
    assert shown == [("a", {"Name": "a", "Arn": "arn:a"}), ("b", {"Name": "b"})]
    assert token == "n"
