from __future__ import annotations

import pytest

from bittern.app.addresses import mqtt_url, mqtts_url, url
from bittern.config import Configuration, Mqtt
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 8887), "wss://127.0.0.1:8887"),
        (("lns.example", 1), "wss://lns.example:1"),
        (("::1", 8887), "wss://[::1]:8887"),
    ],
)
def test_an_address_is_host_and_port(address: tuple[str, int], expected: str) -> None:
    assert url("wss", address) == expected


def test_a_broker_of_the_operators_own_is_where_it_is_configured() -> None:
    configuration = Configuration(mqtt=Mqtt(url="mqtt://broker.example:1883"))
    output = MqttOutput(mqtt_settings(configuration.mqtt), lambda: 0.5)
    assert mqtt_url(configuration, output) == "mqtt://broker.example:1883"
    assert mqtts_url(configuration, output) is None
