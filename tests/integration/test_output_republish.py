"""Republishing to Mosquitto by MQTT 5, with properties, through all troubles; open and by TLS."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mqtt_services import (
    DEVICES,
    EACH,
    PROGRAM,
    REASON,
    Certificates,
    Mosquitto,
    arrivals,
    messages,
    subscribed,
    subscriber,
    topic,
)
from output_chaos import carry, check_arrivals, made

from bittern.outputs.port import Message

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason=REASON),
    pytest.mark.timeout(120),
]
HEADERS = {
    "contentType": "application/json",
    "userProperties": [{"key": "device", "value": "${device}"}],
}


def broker_of(folder: Path, secure: bool) -> tuple[Mosquitto, dict[str, Any]]:
    """Mosquitto, and how an action names it."""
    if not secure:
        mosquitto = Mosquitto(folder)
        return mosquitto, {"url": f"mqtt://127.0.0.1:{mosquitto.port}"}
    certificates = Certificates(folder, "127.0.0.1")
    mosquitto = Mosquitto(folder, *certificates.lines)
    return mosquitto, {"url": f"mqtts://127.0.0.1:{mosquitto.port}", **certificates.parameters}


def parameters(broker: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"topic": "up/${d}", "qos": 1, "broker": {"clientId": "bittern", **broker}, **more}


def filled(device: int, number: int) -> Mapping[str, str]:
    return {**topic(device, number), "headers.userProperties.0.value": str(device)}


@pytest.mark.parametrize("secure", [False, True], ids=["open", "tls"])
@pytest.mark.parametrize("headers", [None, HEADERS], ids=["3.1.1", "5"])
async def test_subscriber_gets_everything_in_order_through_all_troubles(
    tmp_path: Path, headers: Any, secure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    mosquitto, named = broker_of(tmp_path, secure)
    more = {} if headers is None else {"headers": headers}
    async with mosquitto:
        await subscribed(mosquitto.open_port)
        async with made("republish", parameters(named, **more), tmp_path) as output:
            result = await carry(
                output,
                devices=DEVICES,
                each=EACH,
                fill=filled,
                # Not killed: Mosquitto keeps what it has acknowledged in memory until it stops.
                troubles=[mosquitto.restart, mosquitto.freeze, mosquitto.restart],
            )
        found = await messages(mosquitto.open_port)
    arrived = arrivals(found)
    again = check_arrivals(arrived, DEVICES, EACH)
    assert result.rejected == []
    assert result.unavailable > 0
    if headers is not None:
        for (device, number), message in zip(arrived, found, strict=True):
            told = message.properties
            assert told is not None
            assert told.UserProperty == [
                ("device", str(device)),
                ("Bittern-Message-Id", f"{device}-{number}"),
            ]
    with capsys.disabled():
        name = f"MQTT {5 if headers else '3.1.1'}{' by TLS' if secure else ''}"
        print(f"\nrepublish, {name}: {result}, {again} twice")


@pytest.mark.parametrize("secure", [False, True], ids=["open", "tls"])
async def test_properties_arrive(tmp_path: Path, secure: bool) -> None:
    headers = {
        "payloadFormatIndicator": "UTF8_DATA",
        "contentType": "application/json",
        "responseTopic": "answer",
        "correlationData": "AAE=",
        "messageExpiry": "3600",
        "userProperties": [{"key": "site", "value": "${s}"}],
    }
    mosquitto, named = broker_of(tmp_path, secure)
    async with mosquitto, subscriber(mosquitto.open_port) as client:
        await client.subscribe("up/#", qos=1)
        async with made("republish", parameters(named, headers=headers), tmp_path) as output:
            filled = {"topic": "up/1", "headers.userProperties.0.value": "lake"}
            while not output.health().working:
                await client.publish("elsewhere")
            assert await output.publish([Message("", b"{}", "m1", filled)]) == {}
        message = await anext(aiter(client.messages))
    found = message.properties
    assert found is not None
    assert found.PayloadFormatIndicator == 1
    assert found.ContentType == "application/json"
    assert found.ResponseTopic == "answer"
    assert found.CorrelationData == b"\x00\x01"
    assert 3500 < found.MessageExpiryInterval <= 3600
    assert found.UserProperty == [("site", "lake"), ("Bittern-Message-Id", "m1")]
