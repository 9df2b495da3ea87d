"""Where the listeners of a running server are."""

from __future__ import annotations

import msgspec

from bittern.config import Configuration
from bittern.config.listening import plain_mqtt_host
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.mqtt.output import MqttOutput


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running server is reached."""

    lns: str
    cups: str
    api: str
    mqtt: str
    feed: str
    mqtts: str | None = None
    """The embedded broker's listener with TLS, if there is one."""


def url(scheme: str, address: tuple[str, int]) -> str:
    """`address` is host and port."""
    host, port = address
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def mqtt_url(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> str:
    if isinstance(mqtt, EmbeddedBroker):
        return url("mqtt", (plain_mqtt_host(configuration), mqtt.port))
    return str(configuration.mqtt.url)


def mqtts_url(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> str | None:
    if not isinstance(mqtt, EmbeddedBroker) or mqtt.tls_port is None:
        return None
    return url("mqtts", (configuration.host_of(configuration.mqtt), mqtt.tls_port))
