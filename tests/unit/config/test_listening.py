from __future__ import annotations

import pytest

from bittern.config import Configuration, Mqtt, Server
from bittern.config.listening import is_loopback, plain_mqtt_host


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("lns.example", False),
    ],
)
def test_loopback_is_told_from_networks(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("mqtt", "bind", "host"),
    [
        (Mqtt(), "127.0.0.1", "127.0.0.1"),
        (Mqtt(host="127.0.0.2"), "0.0.0.0", "127.0.0.2"),
        (Mqtt(), "0.0.0.0", "127.0.0.1"),
        (Mqtt(), "2001:db8::1", "::1"),
        (Mqtt(tls_port=8883), "192.0.2.1", "127.0.0.1"),
        (Mqtt(allow_plain=True), "0.0.0.0", "0.0.0.0"),
    ],
)
def test_passwords_cross_no_network_in_the_clear_unless_allowed(
    mqtt: Mqtt, bind: str, host: str
) -> None:
    assert plain_mqtt_host(Configuration(server=Server(bind=bind), mqtt=mqtt)) == host
