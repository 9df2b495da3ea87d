from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from bittern.rules.context import Context
from bittern.rules.functions.messages import client_id, new_uuid, rand, topic, user_properties
from bittern.rules.values import UNDEFINED


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (1, "a"),
        ("2", "b"),
        (1.9, "a"),
        (3, UNDEFINED),
        (0, UNDEFINED),
        (-1, UNDEFINED),
        ("x", UNDEFINED),
    ],
)
def test_segments_of_the_topic(segment: object, expected: object) -> None:
    assert topic(Context(topic="a/b"), segment) == expected


def test_a_message_that_did_not_come_over_mqtt_has_no_client() -> None:
    assert client_id(Context()) == "n/a"


@pytest.mark.parametrize("drawn", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_a_uuid_is_of_version_4(drawn: bytes) -> None:
    found = new_uuid(Context(random_bytes=lambda count: drawn))
    assert found == str(uuid.UUID(bytes=drawn, version=4))


@pytest.mark.parametrize("drawn", [bytes(8), b"\xff" * 8])
def test_a_random_number_is_below_one(drawn: bytes) -> None:
    found = rand(Context(random_bytes=lambda count: drawn))
    assert isinstance(found, Decimal)
    assert 0 <= found < 1


def test_user_properties_may_repeat() -> None:
    context = Context(user_properties=(("k", "1"), ("k", "2")))
    assert user_properties(context, "k") == ["1", "2"]
    assert user_properties(context) == [{"k": "1"}, {"k": "2"}]
    assert user_properties(Context()) == []
