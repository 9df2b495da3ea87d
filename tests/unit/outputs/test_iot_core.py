from __future__ import annotations

import pytest

from bittern.errors import DeliveryRejected
from bittern.outputs.iot_core import check_payload, check_topic, is_host


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("abc-ats.iot.eu-west-1.amazonaws.com", True),
        ("ABC-ats.iot.cn-north-1.amazonaws.com.cn", True),
        ("iot.example", False),
        ("amazonaws.com.example", False),
        ("notamazonaws.com", False),
    ],
)
def test_it_is_known_by_its_name(name: str, known: bool) -> None:
    assert is_host(name) is known


@pytest.mark.parametrize(
    "topic",
    [
        "a/b/c/d/e/f/g/h",
        "x" * 256,
        "$aws/rules/decode/a/b/c/d/e/f/g/h",
        "$aws/rules/decode/" + "x" * 256,
        "$aws/things/one/shadow/update",
    ],
)
def test_a_topic_within_the_limits_is_taken(topic: str) -> None:
    check_topic(topic)


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("a/b/c/d/e/f/g/h/i", "7 slashes"),
        ("ü" * 129, "256 bytes"),
        ("$aws/rules/decode/a/b/c/d/e/f/g/h/i", "7 slashes"),
        ("$aws/rules/decode/" + "x" * 257, "256 bytes"),
    ],
)
def test_a_topic_beyond_the_limits_is_rejected(topic: str, told: str) -> None:
    with pytest.raises(DeliveryRejected, match=told):
        check_topic(topic)


def test_a_payload_has_its_limit() -> None:
    check_payload(b"x" * 131_072)
    with pytest.raises(DeliveryRejected, match="131072 bytes"):
        check_payload(b"x" * 131_073)
