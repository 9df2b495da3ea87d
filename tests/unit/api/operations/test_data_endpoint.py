from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "kind", [{}, {"endpointType": "iot:Data-ATS"}, {"endpointType": "iot:Data"}]
)
def test_mqtt_clients_are_told_where_the_broker_is(api: Any, kind: dict[str, str]) -> None:
    assert api.client("iot").describe_endpoint(**kind)["endpointAddress"] == "mqtt.example"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("iot:CredentialProvider", "no credentials"),
        ("iot:Jobs", "no jobs"),
        ("iotwireless:CUPS", "GetServiceEndpoint"),
    ],
)
def test_what_is_not_offered_is_told_with_its_reason(
    api: Any, refused: Any, kind: str, why: str
) -> None:
    with refused("InvalidRequestException") as refusal:
        api.client("iot").describe_endpoint(endpointType=kind)
    assert kind in refusal.message
    assert why in refusal.message
