from __future__ import annotations

from typing import Any

import pytest

ARN = "arn:aws:iot:eu-west-1:123456789012:thing/"


@pytest.fixture
def iot(api: Any) -> Any:
    made = api.client("iot")
    for name in ("pump", "valve"):
        made.create_thing(thingName=name)
    return made


@pytest.fixture(params=["device", "gateway"])
def wireless(request: Any, api: Any, iot: Any) -> Any:
    return Device(api) if request.param == "device" else Gateway(api)


class Device:
    kind = "WirelessDevice"

    def __init__(self, api: Any) -> None:
        self.id = api.device()["Id"]
        self.other = api.device("70b3d57ed0000002")["Id"]
        self.associate = api.wireless.associate_wireless_device_with_thing
        self.disassociate = api.wireless.disassociate_wireless_device_from_thing
        self.get = api.wireless.get_wireless_device
        self.delete = api.wireless.delete_wireless_device


class Gateway:
    kind = "WirelessGateway"

    def __init__(self, api: Any) -> None:
        self.id = api.gateway()
        self.other = api.gateway("00800000a0000002")
        self.associate = api.wireless.associate_wireless_gateway_with_thing
        self.disassociate = api.wireless.disassociate_wireless_gateway_from_thing
        self.get = api.wireless.get_wireless_gateway
        self.delete = api.wireless.delete_wireless_gateway


def test_a_thing_stands_for_it_until_they_are_parted(wireless: Any, refused: Any) -> None:
    for _ in range(2):
        wireless.associate(Id=wireless.id, ThingArn=f"{ARN}pump")
    by_id = f"{wireless.kind}Id"
    told = wireless.get(Identifier=wireless.id, IdentifierType=by_id)
    assert (told["ThingName"], told["ThingArn"]) == ("pump", f"{ARN}pump")
    by_name = wireless.get(Identifier="pump", IdentifierType="ThingName")
    assert by_name["Id"] == wireless.id
    for _ in range(2):
        wireless.disassociate(Id=wireless.id)
    assert "ThingName" not in wireless.get(Identifier=wireless.id, IdentifierType=by_id)
    with refused("ResourceNotFoundException"):
        wireless.get(Identifier="pump", IdentifierType="ThingName")


def test_neither_has_two(wireless: Any, refused: Any) -> None:
    wireless.associate(Id=wireless.id, ThingArn=f"{ARN}pump")
    with refused("ConflictException") as refusal:
        wireless.associate(Id=wireless.other, ThingArn=f"{ARN}pump")
    assert refusal.resource == ("Thing", "pump")
    with refused("ConflictException") as refusal:
        wireless.associate(Id=wireless.id, ThingArn=f"{ARN}valve")
    assert refusal.resource == (wireless.kind, wireless.id)


def test_a_thing_is_free_when_what_it_stood_for_is_deleted(
    iot: Any, wireless: Any, refused: Any
) -> None:
    wireless.associate(Id=wireless.id, ThingArn=f"{ARN}pump")
    wireless.delete(Id=wireless.id)
    with refused("ResourceNotFoundException"):
        wireless.get(Identifier="pump", IdentifierType="ThingName")
    wireless.associate(Id=wireless.other, ThingArn=f"{ARN}pump")
    wireless.disassociate(Id=wireless.other)
    iot.delete_thing(thingName="pump")


@pytest.mark.parametrize(
    "arn", [f"{ARN}fan", ARN, "pump", f"{ARN.replace('123456789012', '210987654321')}pump"]
)
def test_a_thing_of_nobody_or_of_others_is_not_there(wireless: Any, refused: Any, arn: str) -> None:
    with refused("ResourceNotFoundException"):
        wireless.associate(Id=wireless.id, ThingArn=arn)


def test_a_thing_of_another_kind_is_not_it(api: Any, iot: Any, refused: Any) -> None:
    api.wireless.associate_wireless_gateway_with_thing(Id=api.gateway(), ThingArn=f"{ARN}pump")
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_device(Identifier="pump", IdentifierType="ThingName")
    device = api.device()["Id"]
    with refused("ConflictException"):
        api.wireless.associate_wireless_device_with_thing(Id=device, ThingArn=f"{ARN}pump")
