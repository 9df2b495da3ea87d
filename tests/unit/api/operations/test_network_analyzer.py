from __future__ import annotations

from typing import Any

import pytest

DEFAULT = "NetworkAnalyzerConfig_Default"
ARN = "arn:aws:iotwireless:eu-west-1:123456789012:NetworkAnalyzerConfiguration/"
TRACE = {
    "WirelessDeviceFrameInfo": "ENABLED",
    "MulticastFrameInfo": "ENABLED",
    "LogLevel": "INFO",
}
EMPTY: dict[str, Any] = {"WirelessDevices": [], "WirelessGateways": [], "MulticastGroups": []}
TAGS = [{"Key": "team", "Value": "air"}]


def get(client: Any, name: str) -> Any:
    found = client.get_network_analyzer_configuration(ConfigurationName=name)
    del found["ResponseMetadata"]
    return found


def create(api: Any, name: str = "watch", **given: Any) -> Any:
    return api.wireless.create_network_analyzer_configuration(Name=name, **given)


def update(api: Any, name: str = "watch", **given: Any) -> Any:
    return api.wireless.update_network_analyzer_configuration(ConfigurationName=name, **given)


def delete(client: Any, name: str = "watch") -> Any:
    return client.delete_network_analyzer_configuration(ConfigurationName=name)


def listed(client: Any) -> list[str]:
    page = client.list_network_analyzer_configurations()
    return [one["Name"] for one in page["NetworkAnalyzerConfigurationList"]]


def group(api: Any) -> str:
    made: str = api.wireless.create_multicast_group(
        LoRaWAN={"RfRegion": "EU868", "DlClass": "ClassC"}
    )["Id"]
    return made


def test_everyone_has_the_default_from_the_beginning(api: Any) -> None:
    expected = {"Arn": ARN + DEFAULT, "Name": DEFAULT, "TraceContent": TRACE, **EMPTY}
    assert get(api.wireless, DEFAULT) == expected
    assert listed(api.wireless) == listed(api.other) == [DEFAULT]


def test_the_default_changes_for_its_account_alone(api: Any, refused: Any) -> None:
    with refused("ConflictException"):
        create(api, DEFAULT)
    device = api.device()["Id"]
    update(api, DEFAULT, WirelessDevicesToAdd=[device], Description="ours")
    assert get(api.wireless, DEFAULT)["WirelessDevices"] == [device]
    assert get(api.other, DEFAULT)["WirelessDevices"] == []
    assert listed(api.wireless) == [DEFAULT]


@pytest.mark.parametrize("touched", [False, True])
def test_the_default_is_gone_once_deleted_and_may_be_made_again(
    api: Any, refused: Any, touched: bool
) -> None:
    if touched:
        update(api, DEFAULT, Description="ours")
    for _ in range(2):
        delete(api.wireless, DEFAULT)
        assert listed(api.wireless) == []
        assert listed(api.other) == [DEFAULT]
        for refuse in (delete, get):
            with refused("ResourceNotFoundException") as refusal:
                refuse(api.wireless, DEFAULT)
            assert refusal.resource == ("NetworkAnalyzerConfiguration", DEFAULT)
        create(api, DEFAULT)
        assert "Description" not in get(api.wireless, DEFAULT)


def test_a_configuration_is_told_as_it_was_made(api: Any) -> None:
    lists = {
        "WirelessDevices": [api.device()["Id"]],
        "WirelessGateways": [api.gateway()],
        "MulticastGroups": [group(api)],
    }
    given = {"TraceContent": {"LogLevel": "ERROR"}, "Description": "all"}
    made = create(api, **lists, **given)
    assert (made["Arn"], made["Name"]) == (f"{ARN}watch", "watch")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert get(api.wireless, "watch") == {
        "Arn": f"{ARN}watch",
        "Name": "watch",
        "Description": "all",
        "TraceContent": TRACE | {"LogLevel": "ERROR"},
        **lists,
    }


def test_a_name_is_taken_once_in_an_account(api: Any, refused: Any) -> None:
    create(api)
    with refused("ConflictException") as refusal:
        create(api)
    assert refusal.resource == ("NetworkAnalyzerConfiguration", "watch")
    assert api.other.create_network_analyzer_configuration(Name="watch")


def test_the_same_token_gets_the_same_answer(api: Any, refused: Any) -> None:
    arns = [create(api, ClientRequestToken="once")["Arn"] for _ in range(2)]
    assert arns == [f"{ARN}watch"] * 2
    with refused("ConflictException"):
        create(api, "other", ClientRequestToken="once")


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 1025])
def test_a_name_must_fit_the_pattern(api: Any, refused: Any, name: str) -> None:
    with refused("ValidationException"):
        create(api, name)


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    create(api)
    assert listed(api.other) == [DEFAULT]
    for refuse in (get, delete):
        with refused("ResourceNotFoundException"):
            refuse(api.other, "watch")
    with refused("ResourceNotFoundException"):
        api.other.update_network_analyzer_configuration(ConfigurationName="watch")
    mine = api.device()["Id"]
    with refused("ResourceNotFoundException"):
        api.other.create_network_analyzer_configuration(Name="spy", WirelessDevices=[mine])


@pytest.mark.parametrize("member", ["WirelessDevices", "WirelessGateways", "MulticastGroups"])
def test_what_is_not_there_is_refused(api: Any, refused: Any, member: str) -> None:
    with refused("ResourceNotFoundException"):
        create(api, **{member: ["nobody"]})
    create(api)
    for verb in ("Add", "Remove"):
        with refused("ResourceNotFoundException"):
            update(api, **{f"{member}To{verb}": ["nobody"]})
    assert get(api.wireless, "watch")[member] == []


def test_what_is_not_given_stays(api: Any) -> None:
    one, two = (api.gateway(f"00800000a000000{number}") for number in (1, 2))
    create(api, WirelessGateways=[one], Description="all")
    changed = update(api, WirelessGatewaysToAdd=[two, one], TraceContent={"LogLevel": "ERROR"})
    assert changed["ResponseMetadata"]["HTTPStatusCode"] == 204
    update(api, TraceContent={"WirelessDeviceFrameInfo": "DISABLED"})
    found = get(api.wireless, "watch")
    assert found["WirelessGateways"] == [one, two]
    assert found["Description"] == "all"
    assert found["TraceContent"] == TRACE | {
        "LogLevel": "ERROR",
        "WirelessDeviceFrameInfo": "DISABLED",
    }
    update(api, WirelessGatewaysToRemove=[one], Description="")
    found = get(api.wireless, "watch")
    assert found["WirelessGateways"] == [two]
    assert "Description" not in found


def test_nothing_is_added_and_removed_at_once(api: Any, refused: Any) -> None:
    create(api)
    gateway = api.gateway()
    with refused("ValidationException"):
        update(api, WirelessGatewaysToAdd=[gateway], WirelessGatewaysToRemove=[gateway])


def test_what_has_gone_meanwhile_may_be_removed(api: Any) -> None:
    gateway = api.gateway()
    create(api, WirelessGateways=[gateway])
    api.wireless.delete_wireless_gateway(Id=gateway)
    update(api, WirelessGatewaysToRemove=[gateway])
    assert get(api.wireless, "watch")["WirelessGateways"] == []


def test_devices_and_gateways_are_bounded_together(api: Any, refused: Any) -> None:
    devices = [
        api.device(
            f"70b3d57ed{number:07x}",
            device_profile=None if number == 0 else profile,
            service_profile=None if number == 0 else service,
            destination=None if number == 0 else "to-70b3d57ed0000000",
        )["Id"]
        for profile, service in [(api.device_profile(), api.service_profile())]
        for number in range(250)
    ]
    create(api, WirelessDevices=devices)
    gateway = api.gateway()
    with refused("ValidationException"):
        update(api, WirelessGatewaysToAdd=[gateway])
    update(api, WirelessGatewaysToAdd=[gateway], WirelessDevicesToRemove=devices[:1])
    assert get(api.wireless, "watch")["WirelessGateways"] == [gateway]


def test_multicast_groups_are_bounded(api: Any, refused: Any) -> None:
    groups = [group(api) for _ in range(11)]
    with refused("ValidationException"):
        create(api, MulticastGroups=groups)
    create(api, MulticastGroups=groups[:10])
    with refused("ValidationException"):
        update(api, MulticastGroupsToAdd=groups[10:])


def test_configurations_are_listed_page_by_page(api: Any, refused: Any) -> None:
    for name in ("A", "Z", "b"):
        create(api, name)
    names, token = [], {}
    for size in (2, 2):
        page = api.wireless.list_network_analyzer_configurations(MaxResults=2, **token)
        entries = page["NetworkAnalyzerConfigurationList"]
        assert len(entries) == size
        assert all(one["Arn"] == ARN + one["Name"] for one in entries)
        names += [one["Name"] for one in entries]
        token = {"NextToken": page.get("NextToken")}
    assert names == ["A", DEFAULT, "Z", "b"]
    assert token == {"NextToken": None}
    with refused("ValidationException"):
        api.wireless.list_network_analyzer_configurations(MaxResults=251)


def test_a_configuration_has_tags_until_it_is_deleted(api: Any) -> None:
    arn = create(api, Tags=TAGS)["Arn"]
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == TAGS
    api.wireless.tag_resource(ResourceArn=ARN + DEFAULT, Tags=TAGS)
    assert api.wireless.list_tags_for_resource(ResourceArn=ARN + DEFAULT)["Tags"] == TAGS
    delete(api.wireless)
    create(api)
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
