from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bittern.api.front import Front
from bittern.api.operations import Notify, handlers, log_levels

OPTIONS = [
    {
        "Type": "LoRaWAN",
        "LogLevel": "INFO",
        "Events": [{"Event": "Join", "LogLevel": "DISABLED"}],
    }
]


def defaults(api: Any) -> Any:
    found = api.wireless.get_log_levels_by_resource_types()
    del found["ResponseMetadata"]
    return found


def test_the_default_is_told_as_it_was_set(api: Any) -> None:
    assert defaults(api) == {"DefaultLogLevel": "ERROR"}
    update = api.wireless.update_log_levels_by_resource_types
    update(DefaultLogLevel="INFO")
    update(WirelessDeviceLogOptions=OPTIONS)
    assert defaults(api) == {"DefaultLogLevel": "INFO", "WirelessDeviceLogOptions": OPTIONS}
    other = api.other.get_log_levels_by_resource_types()
    assert other["DefaultLogLevel"] == "ERROR"


def test_a_level_must_be_known(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        api.wireless.update_log_levels_by_resource_types(DefaultLogLevel="LOUD")
    with refused("ValidationException"):
        api.wireless.get_resource_log_level(ResourceIdentifier="x", ResourceType="Thing")


def test_a_resource_has_a_level_of_its_own(api: Any, refused: Any) -> None:
    for kind, identity in (
        ("WirelessDevice", api.device()["Id"]),
        ("WirelessGateway", api.gateway()),
        (
            "FuotaTask",
            api.wireless.create_fuota_task(
                FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole="role"
            )["Id"],
        ),
    ):
        named = {"ResourceIdentifier": identity, "ResourceType": kind}
        with refused("ResourceNotFoundException"):
            api.wireless.get_resource_log_level(**named)
        api.wireless.put_resource_log_level(LogLevel="DISABLED", **named)
        assert api.wireless.get_resource_log_level(**named)["LogLevel"] == "DISABLED"
        with refused("ResourceNotFoundException"):
            api.other.get_resource_log_level(**named)
        api.wireless.reset_resource_log_level(**named)
        with refused("ResourceNotFoundException"):
            api.wireless.get_resource_log_level(**named)


def test_all_are_reset_but_the_default(api: Any, refused: Any) -> None:
    named = {"ResourceIdentifier": api.gateway(), "ResourceType": "WirelessGateway"}
    api.wireless.update_log_levels_by_resource_types(DefaultLogLevel="INFO")
    api.wireless.put_resource_log_level(LogLevel="DISABLED", **named)
    api.wireless.reset_all_resource_log_levels()
    with refused("ResourceNotFoundException"):
        api.wireless.get_resource_log_level(**named)
    assert defaults(api) == {"DefaultLogLevel": "INFO"}


def test_a_resource_must_be_there(api: Any, refused: Any) -> None:
    for kind in ("WirelessDevice", "WirelessGateway", "FuotaTask"):
        with refused("ResourceNotFoundException"):
            api.wireless.put_resource_log_level(
                ResourceIdentifier="nobody", ResourceType=kind, LogLevel="INFO"
            )


def test_levels_of_single_resources_are_bounded(
    api: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_levels, "MOST_OF_ONE", 1)
    api.wireless.update_log_levels_by_resource_types(DefaultLogLevel="INFO")
    one, two = (
        {"ResourceIdentifier": api.gateway(f"00800000a000000{number}"), "ResourceType": kind}
        for number, kind in enumerate(["WirelessGateway"] * 2)
    )
    for level in ("INFO", "ERROR"):
        api.wireless.put_resource_log_level(LogLevel=level, **one)
    with refused("ValidationException"):
        api.wireless.put_resource_log_level(LogLevel="INFO", **two)
    api.wireless.delete_wireless_gateway(Id=one["ResourceIdentifier"])
    api.wireless.put_resource_log_level(LogLevel="INFO", **two)


def test_whoever_writes_the_log_is_told_of_every_change(api: Any) -> None:
    told: list[int] = []
    services = dataclasses.replace(api.services, notify=Notify(logs=lambda: told.append(1)))
    api.front = Front(handlers(services), api.front._credentials, region="eu-west-1")
    client, named = api.client(), {"ResourceType": "WirelessGateway"}
    named["ResourceIdentifier"] = api.gateway()
    client.update_log_levels_by_resource_types(DefaultLogLevel="INFO")
    client.put_resource_log_level(LogLevel="INFO", **named)
    client.reset_resource_log_level(**named)
    client.reset_all_resource_log_levels()
    assert len(told) == 4
