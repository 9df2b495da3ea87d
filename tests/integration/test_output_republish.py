"""Republishing to Mosquitto by MQTT 5, with properties, through all troubles."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from bittern.outputs.port import Message

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import Program, carry, check_arrivals, free_port, made

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed"),
]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    assert PROGRAM is not None
    port, configuration = free_port(), tmp_path / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
        f"persistence_location {tmp_path}/\nmax_queued_messages 0\n"
        + ("user root\n" if os.geteuid() == 0 else "")
    )
    async with Program([PROGRAM, "-c", str(configuration)], port) as program:
        yield program


def parameters(running: Program, **more: Any) -> dict[str, Any]:
    broker = {"url": f"mqtt://127.0.0.1:{running.port}", "clientId": "bittern"}
    return {"topic": "up/${d}", "qos": 1, "broker": broker, **more}


def topic(device: int, number: int) -> Mapping[str, str]:
    return {"topic": f"up/{device}"}


def subscriber(running: Program) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        running.port,
        identifier="lake",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=_kept(),
    )


def _kept() -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    kept = Properties(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = 3600
    return kept


@pytest.mark.parametrize("headers", [None, {"contentType": "application/json"}])
async def test_subscriber_gets_everything_in_order_through_all_troubles(
    running: Program, tmp_path: Path, headers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async with subscriber(running) as client:
        await client.subscribe("up/#", qos=1)
    more = {} if headers is None else {"headers": headers}
    async with made("republish", parameters(running, **more), tmp_path) as output:
        result = await carry(
            output,
            each=80,
            fill=topic,
            # Not killed: Mosquitto keeps what it has acknowledged in memory until it stops.
            troubles=[running.restart, running.freeze, running.restart],
        )
    arrived: list[tuple[int, int]] = []
    async with subscriber(running) as client:
        async for message in client.messages:
            document = json.loads(bytes(message.payload))
            arrived.append((document["device"], document["n"]))
            if len(set(arrived)) == 20 * 80:
                break
    again = check_arrivals(arrived, 20, 80)
    assert result.rejected == []
    assert result.unavailable > 0
    with capsys.disabled():
        print(f"\nrepublish, MQTT {5 if headers else '3.1.1'}: {result}, {again} twice")


async def test_properties_arrive(running: Program, tmp_path: Path) -> None:
    headers = {
        "payloadFormatIndicator": "UTF8_DATA",
        "contentType": "application/json",
        "responseTopic": "answer",
        "correlationData": "AAE=",
        "messageExpiry": "3600",
        "userProperties": [{"key": "site", "value": "${s}"}],
    }
    async with subscriber(running) as client:
        await client.subscribe("up/#", qos=1)
        async with made("republish", parameters(running, headers=headers), tmp_path) as output:
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
