from __future__ import annotations

import json
from typing import Any

import pytest

POINT: dict[str, Any] = {"type": "Point", "coordinates": [2.3522, 48.8566, 35.5]}
PROPERTIES = {
    "horizontalAccuracy": 20.5,
    "verticalAccuracy": None,
    "horizontalConfidenceLevel": 0.68,
    "timestamp": "2026-01-02T03:00:30.000Z",
    "floor": 3,
}
NOBODY = "00000000-0000-4000-8000-000000000000"


def named(api: Any, kind: str) -> dict[str, str]:
    identity = api.gateway() if kind == "WirelessGateway" else api.device()["Id"]
    return {"ResourceIdentifier": identity, "ResourceType": kind}


def put(client: Any, name: dict[str, str], document: Any) -> Any:
    return client.update_resource_position(**name, GeoJsonPayload=json.dumps(document).encode())


def got(client: Any, name: dict[str, str]) -> Any:
    return json.loads(client.get_resource_position(**name)["GeoJsonPayload"].read())


@pytest.mark.parametrize("kind", ["WirelessDevice", "WirelessGateway"])
def test_a_position_is_told_as_it_was_given_until_its_resource_goes(
    api: Any, refused: Any, kind: str
) -> None:
    name = named(api, kind)
    with refused("ResourceNotFoundException") as refusal:
        api.wireless.get_resource_position(**name)
    assert refusal.resource == ("ResourcePosition", name["ResourceIdentifier"])
    for document in (
        POINT,
        POINT | {"properties": PROPERTIES},
        POINT | {"coordinates": [-180, 90]},
    ):
        done = put(api.wireless, name, document)
        assert done["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert got(api.wireless, name) == document
    gone = name["ResourceIdentifier"]
    if kind == "WirelessDevice":
        api.wireless.delete_wireless_device(Id=gone)
    else:
        api.wireless.delete_wireless_gateway(Id=gone)
    assert not [key for key in api.store._notes if key[1] == "position"]


@pytest.mark.parametrize("payload", [{"GeoJsonPayload": b" null\n"}, {}])
def test_a_position_is_taken_back(api: Any, refused: Any, payload: Any) -> None:
    name = named(api, "WirelessGateway")
    put(api.wireless, name, POINT)
    for _ in range(2):
        api.wireless.update_resource_position(**name, **payload)
        with refused("ResourceNotFoundException"):
            api.wireless.get_resource_position(**name)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "Point",
        {"type": "Point"},
        {"type": "Polygon", "coordinates": [[[1, 2]]]},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [1, 2, 3, 4]},
        {"type": "Point", "coordinates": ["1", 2]},
        {"type": "Point", "coordinates": [True, 2]},
        {"type": "Point", "coordinates": [180.1, 2]},
        {"type": "Point", "coordinates": [1, -90.1]},
        {"type": "Point", "coordinates": [float("nan"), 2]},
        POINT | {"properties": []},
        POINT | {"properties": {"horizontalAccuracy": -1}},
        POINT | {"properties": {"verticalConfidenceLevel": 1.1}},
        POINT | {"properties": {"timestamp": 17}},
        POINT | {"properties": {"note": "x" * 4096}},
    ],
)
def test_what_is_not_a_point_is_refused(api: Any, refused: Any, document: Any) -> None:
    name = named(api, "WirelessGateway")
    with refused("ValidationException"):
        put(api.wireless, name, document)
    with refused("ResourceNotFoundException"):
        api.wireless.get_resource_position(**name)


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"[" * 4000, b'{"properties":' + b"[" * 4000])
def test_what_is_no_document_is_refused(api: Any, refused: Any, payload: bytes) -> None:
    name = named(api, "WirelessGateway")
    with refused("ValidationException"):
        api.wireless.update_resource_position(**name, GeoJsonPayload=payload)


def test_a_resource_must_be_there_and_ones_own(api: Any, refused: Any) -> None:
    mine = named(api, "WirelessDevice")
    put(api.wireless, mine, POINT)
    other_kind = mine | {"ResourceType": "WirelessGateway"}
    for client, name in (
        (api.other, mine),
        (api.wireless, other_kind),
        (api.wireless, mine | {"ResourceIdentifier": NOBODY}),
    ):
        with refused("ResourceNotFoundException"):
            client.get_resource_position(**name)
        with refused("ResourceNotFoundException"):
            put(client, name, POINT)
    for bad in ({"ResourceIdentifier": "x"}, {"ResourceType": "FuotaTask"}):
        with refused("ValidationException"):
            api.wireless.get_resource_position(**(mine | bad))
