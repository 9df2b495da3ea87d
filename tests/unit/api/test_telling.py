"""What of parameters is told: names and numbers, and nothing that may be a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bittern.api.model import Operation, Shape, service
from bittern.api.operations import offered
from bittern.api.telling import HIDDEN, MOST_ITEMS, MOST_TEXT, told

KEY = "000102030405060708090a0b0c0d0e0f"
SECRET = "correct horse battery staple"
CHANGING = [
    one for name in sorted(offered()) if (one := service(name[0]).operation(name[1])).changes_state
]


def operation(name: str, of: str = "iotwireless") -> Operation:
    return service(of).operation(name)


def filled(shape: Shape, text: str, seen: tuple[str, ...] = ()) -> Any:
    """A value of the shape with `text` wherever one may stand."""
    if shape.name in seen:
        return None
    below = (*seen, shape.name)
    match shape.type_name:
        case "structure":
            made = {name: filled(one, text, below) for name, one in shape.members.items()}
            return {name: value for name, value in made.items() if value is not None}
        case "list":
            item = filled(shape.member, text, below)
            return [] if item is None else [item]
        case "map":
            return {text: filled(shape.value, text, below)}
        case "string":
            return text
        case "blob":
            return text.encode()
        case "boolean":
            return True
        case _:
            return 1


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            for name, item in value.items():
                yield from leaves(item, (*path, name))
        case list():
            for item in value:
                yield from leaves(item, path)
        case _:
            yield path[-1] if path else "", value


def test_there_is_something_to_look_at() -> None:
    assert len(CHANGING) > 80


@pytest.mark.parametrize("one", CHANGING, ids=lambda one: one.name)
def test_a_key_is_told_of_no_operation_wherever_it_stands(one: Operation) -> None:
    parameters = filled(one.input, KEY) if one.input is not None else {}
    assert KEY not in repr(told(one, parameters))


@pytest.mark.parametrize("one", CHANGING, ids=lambda one: one.name)
def test_only_names_are_told_of_texts(one: Operation) -> None:
    parameters = filled(one.input, SECRET) if one.input is not None else {}
    names = {name for name, value in leaves(told(one, parameters)) if SECRET in str(value)}
    suspicious = ("Key", "Secret", "Password", "Payload", "Token", "Pem", "Document", "Desc")
    assert not [name for name in names if any(word in name for word in suspicious)], names


def test_a_device_is_told_without_its_keys() -> None:
    parameters = {
        "Type": "LoRaWAN",
        "Name": "cellar",
        "Description": "under the stairs",
        "DestinationName": "plant",
        "LoRaWAN": {
            "DevEui": "70b3d57ed0000001",
            "OtaaV1_0_x": {"AppKey": KEY, "AppEui": "0" * 16},
            "FPorts": {"ClockSync": 202},
        },
    }
    shown = told(operation("CreateWirelessDevice"), parameters)
    assert shown == {
        "Type": "LoRaWAN",
        "Name": "cellar",
        "Description": "(16 characters)",
        "DestinationName": "plant",
        "LoRaWAN": {
            "DevEui": "70b3d57ed0000001",
            "OtaaV1_0_x": {"AppKey": HIDDEN, "AppEui": "0" * 16},
            "FPorts": {"ClockSync": 202},
        },
    }


def test_a_message_to_a_device_is_not_told() -> None:
    parameters = {"Id": "x", "TransmitMode": 1, "PayloadData": "aGVsbG8="}
    shown = told(operation("SendDataToWirelessDevice"), parameters)
    assert shown == {"Id": "x", "TransmitMode": 1, "PayloadData": HIDDEN}


def test_long_lists_and_names_are_cut() -> None:
    tags = [{"Key": "a", "Value": "b"}] * (MOST_ITEMS + 1)
    shown = told(operation("TagResource"), {"ResourceArn": "x" * 1000, "Tags": tags})
    assert len(shown["ResourceArn"]) == MOST_TEXT + len("...")
    assert shown["Tags"] == f"({MOST_ITEMS + 1} items)"


def test_what_the_model_does_not_have_is_not_told() -> None:
    assert told(operation("DeleteDestination"), {"Name": "a", "Other": "b"}) == {"Name": "a"}
