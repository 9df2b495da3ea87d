"""Where messages to devices are taken from."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from bittern.app.mqtt_downlinks import downlinks_of, takes_downlinks
from bittern.config.settings import Mqtt
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings


@pytest.mark.parametrize(
    ("url", "said", "taken"),
    [
        (None, None, True),
        (None, False, False),
        ("mqtt://broker", None, False),
        ("mqtt://broker", True, True),
    ],
)
def test_they_are_taken_from_the_embedded_broker_unless_it_is_said(
    url: str | None, said: bool | None, taken: bool
) -> None:
    assert takes_downlinks(Mqtt(url=url, downlinks=said)) is taken


@pytest.mark.parametrize(("said", "handed_over"), [(None, 1), (False, 0)])
async def test_the_embedded_broker_hands_over_before_it_listens(
    said: bool | None, handed_over: int
) -> None:
    broker = Mock(spec=EmbeddedBroker)
    broker.__aenter__ = Mock(side_effect=lambda *_: entered(broker, handed_over))
    broker.__aexit__ = Mock(side_effect=lambda *_: asyncio.sleep(0))
    broker.hub = Mock()
    async with downlinks_of(broker, Mqtt(downlinks=said, downlink_prefix="site")) as downlinks:
        assert downlinks.topic_filter == "site/+/down"


async def entered(broker: Mock, handed_over: int) -> None:
    assert broker.hub.hand_over_to.call_count == handed_over


async def test_a_broker_of_the_operators_is_subscribed_to_by_another_name() -> None:
    named: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        named.append(await reader.read(1024))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mqtt = Mqtt(url=f"mqtt://127.0.0.1:{port}", downlinks=True)
    async with server, downlinks_of(MqttOutput(mqtt_settings(mqtt), lambda: 0.0), mqtt):
        async with asyncio.timeout(5):
            while not any(b"bittern-downlinks" in one for one in named):
                await asyncio.sleep(0.01)
