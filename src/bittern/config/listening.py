"""Where what must not be overheard listens."""

from __future__ import annotations

import ipaddress

from bittern.config.settings import Configuration


def is_loopback(host: str) -> bool:
    """Whether nothing leaves this machine by that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def plain_mqtt_host(configuration: Configuration) -> str:
    """Where the embedded broker listens without TLS: passwords cross no network unless
    ``mqtt.allow_plain`` says so."""
    host = configuration.host_of(configuration.mqtt)
    if configuration.mqtt.allow_plain or is_loopback(host):
        return host
    return "::1" if ":" in host else "127.0.0.1"
