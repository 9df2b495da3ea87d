"""Where the listeners of a running server are."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from bittern.config import Configuration
from bittern.config.listening import plain_mqtt_host
from bittern.config.uris import server_name
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.mqtt.output import MqttOutput

MQTTS_PORT = 8883
"""What MQTT clients of AWS connect to by themselves."""


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


def data_endpoint(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> str:
    """Where MQTT clients are told to connect to, over TLS where it is spoken: ``host``, or
    ``host:port`` where the port is another than `MQTTS_PORT`."""
    if isinstance(mqtt, MqttOutput):
        told = urlsplit(configuration.mqtt.url or "")
        port = told.port or (MQTTS_PORT if told.scheme == "mqtts" else 1883)
        return _endpoint(told.hostname or "", port)
    if mqtt.tls_port is not None:
        return _endpoint(server_name(configuration), mqtt.tls_port)
    return _endpoint(plain_mqtt_host(configuration), mqtt.port)


def _endpoint(host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == MQTTS_PORT else f"{host}:{port}"
