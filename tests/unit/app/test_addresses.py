from __future__ import annotations

import pytest

from bittern.app.addresses import data_endpoint, mqtt_url, mqtts_url, url
from bittern.config import Configuration, Mqtt, Server
from bittern.outputs.broker.server import EmbeddedBroker
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


@pytest.mark.parametrize(
    ("configured", "told"),
    [
        ("mqtt://broker.example:1884", "broker.example:1884"),
        ("mqtt://broker.example", "broker.example:1883"),
        ("mqtts://broker.example", "broker.example"),
        ("mqtts://[::1]:8884", "[::1]:8884"),
    ],
)
def test_clients_are_told_a_host_and_a_port_where_it_is_unusual(configured: str, told: str) -> None:
    configuration = Configuration(mqtt=Mqtt(url=configured))
    output = MqttOutput(mqtt_settings(configuration.mqtt), lambda: 0.5)
    assert data_endpoint(configuration, output) == told


class Listening(EmbeddedBroker):
    """At ports that the test says."""

    port = 1885

    def __init__(self, tls_port: int | None) -> None:
        self._told = tls_port

    @property
    def tls_port(self) -> int | None:
        return self._told


@pytest.mark.parametrize(
    ("tls_port", "told"),
    [(8883, "a.example"), (8884, "a.example:8884"), (None, "127.0.0.1:1885")],
)
def test_tls_goes_before_where_the_embedded_broker_speaks_it(
    tls_port: int | None, told: str
) -> None:
    configuration = Configuration(server=Server(names=("a.example",)))
    assert data_endpoint(configuration, Listening(tls_port)) == told
