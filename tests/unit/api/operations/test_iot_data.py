from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.broker.log import Retained
from bittern.outputs.clients import ClientMessage
from bittern.types import Instant


@pytest.fixture
def data(api: Any) -> Any:
    return api.client("iot-data")


def test_a_message_is_published_as_it_is(api: Any, data: Any) -> None:
    data.publish(topic="plant/a b/ü", payload=b"\x00\xff", qos=1)
    data.publish(topic="empty")
    assert api.broker.published == [
        ClientMessage(topic="plant/a b/ü", payload=b"\x00\xff", qos=1),
        ClientMessage(topic="empty", payload=b""),
    ]


def test_a_message_is_retained(api: Any, data: Any) -> None:
    data.publish(topic="state", payload="on", retain=True)
    wanted = ClientMessage(topic="state", payload=b"on", retain=True)
    assert api.broker.published == [wanted]


@pytest.mark.parametrize(
    "properties",
    [
        {"userProperties": json.dumps([{"site": "north"}, {"site": "south"}])},
        {"correlationData": base64.b64encode(b"17").decode()},
        {"responseTopic": "answers/1", "contentType": "text/plain", "messageExpiry": 60},
        {"payloadFormatIndicator": "UTF8_DATA"},
    ],
    ids=min,
)
def test_properties_of_mqtt_5_are_taken(api: Any, data: Any, properties: Any) -> None:
    data.publish(topic="t", payload=b"1", **properties)
    assert api.broker.published == [ClientMessage(topic="t", payload=b"1")]


@pytest.mark.parametrize(
    "given",
    [
        {"topic": "a/+"},
        {"topic": "#"},
        {"topic": "$aws/rules/meters"},
        {"topic": "$SYS"},
        {"topic": "a\nb"},
        {"userProperties": '{"site": "north"}'},
        {"userProperties": '[{"a": "1", "b": "2"}]'},
        {"userProperties": "no JSON"},
        {"userProperties": json.dumps([{"a": "1"}] * 101)},
        {"correlationData": "???"},
        {"responseTopic": "a/#"},
        {"messageExpiry": -1},
        {"messageExpiry": 60, "retain": True},
        {"qos": 2},
        {"payloadFormatIndicator": "TEXT"},
    ],
    ids=range(15),
)
def test_what_no_subscriber_could_get_is_refused(
    api: Any, data: Any, refused: Any, given: dict[str, Any]
) -> None:
    with refused("InvalidRequestException"):
        data.publish(**({"topic": "t", "payload": b"1"} | given))
    assert api.broker.published == []


def test_what_the_broker_says_is_told(api: Any, data: Any, refused: Any) -> None:
    api.broker.failure = DeliveryRejected("larger than a packet")
    with refused("InvalidRequestException") as refusal:
        data.publish(topic="t")
    assert refusal.message == "larger than a packet"
    api.broker.failure = DeliveryUnavailable("not connected")
    with refused("InternalFailureException") as refusal:
        data.publish(topic="t")
    assert "not connected" in refusal.message


def test_a_retained_message_is_read(api: Any, data: Any, refused: Any) -> None:
    api.broker.kept["a/b"] = Retained("a/b", b"\x01on", 1, Instant(1.5))
    told = data.get_retained_message(topic="a/b")
    assert (told["topic"], told["payload"], told["qos"]) == ("a/b", b"\x01on", 1)
    assert told["lastModifiedTime"] == 1500
    with refused("ResourceNotFoundException"):
        data.get_retained_message(topic="a")


def test_retained_messages_are_listed_page_by_page(api: Any, data: Any) -> None:
    for topic in ("c", "a", "b"):
        api.broker.kept[topic] = Retained(topic, b"12", 0, Instant(2.0))
    pages = data.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 2})
    listed = [page["retainedTopics"] for page in pages]
    assert [[one["topic"] for one in page] for page in listed] == [["a", "b"], ["c"]]
    assert listed[0][0] == {
        "topic": "a",
        "payloadSize": 2,
        "qos": 0,
        "lastModifiedTime": 2000,
    }


def test_what_an_external_broker_retains_is_asked_there(api: Any, data: Any, refused: Any) -> None:
    api.broker.tells_retained = False
    with refused("MethodNotAllowedException"):
        data.list_retained_messages()
    with refused("MethodNotAllowedException"):
        data.get_retained_message(topic="a")
    data.publish(topic="t")
    assert len(api.broker.published) == 1


def test_the_broker_is_of_one_account(api: Any, refused: Any) -> None:
    other = api.client("iot-data", access_key_id="AKIDOTHER")
    for call, given in (
        (other.publish, {"topic": "t"}),
        (other.get_retained_message, {"topic": "t"}),
        (other.list_retained_messages, {}),
    ):
        with refused("UnauthorizedException"):
            call(**given)
    assert api.broker.published == []
