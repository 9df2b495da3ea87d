"""AWS IoT Core as the broker that `republish` names: its limits.

It closes the connection over what is beyond them, and drops messages that come too fast, without a
word; so they are kept here. AWS General Reference, "AWS IoT Core endpoints and quotas", message
broker and protocol.
"""

from __future__ import annotations

from bittern.errors import DeliveryRejected

SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
ALPN = "x-amzn-mqtt-ca"
"""By which it knows MQTT on port 443. AWS IoT Developer Guide, "Device communication protocols"."""
ALPN_PORT = 443
UNDER_WAY = 100
"""Publications without an acknowledgement, of one connection."""
PER_S = 100
"""Publications in a second, of one connection. What is more is dropped, and not acknowledged."""
PAYLOAD_BYTES = 128 * 1024
TOPIC_BYTES = 256
TOPIC_SLASHES = 7
CLIENT_ID_BYTES = 128
BASIC_INGEST = "$aws/rules/"
"""Behind it comes the name of a rule; up to there a topic's bytes and slashes do not count."""


def is_host(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def check_topic(topic: str) -> None:
    """Raises `DeliveryRejected`."""
    counted = topic
    if topic.startswith(BASIC_INGEST):
        counted = topic.removeprefix(BASIC_INGEST).partition("/")[2]
    if counted.count("/") > TOPIC_SLASHES:
        raise DeliveryRejected(f"topic: AWS IoT Core takes at most {TOPIC_SLASHES} slashes")
    if len(counted.encode()) > TOPIC_BYTES:
        raise DeliveryRejected(f"topic: AWS IoT Core takes at most {TOPIC_BYTES} bytes")


def check_payload(payload: bytes) -> None:
    """Raises `DeliveryRejected`."""
    if len(payload) > PAYLOAD_BYTES:
        raise DeliveryRejected(f"AWS IoT Core takes at most {PAYLOAD_BYTES} bytes")
