"""Messages of programs, `iot-data`: published to the broker, and what it retains.

The broker is the installation's, and so is the account that may do this: it has one space of
topics. Subscribers here speak MQTT 3.1.1, so the properties of MQTT 5 are checked and end here, as
they do at AWS for such subscribers. Rules see what devices send, not what is published so.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from bittern.api.errors import INTERNAL, ApiError, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, page_of, present
from bittern.api.operations.services import Services
from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.broker.log import Retained
from bittern.outputs.clients import ClientMessage, Clients
from bittern.outputs.routing import checked_topic

RETAIN = "iot:RetainPublish"
"""What may be denied to somebody who may publish."""
MOST_PROPERTIES = 100


async def publish(services: Services, call: Call, parameters: Parameters) -> None:
    """Answered when the broker has taken it over; a retained message is then on the disk."""
    topic = parameters["topic"]
    retain: bool = parameters.get("retain", False)
    clients = _clients(services, call)
    if retain:
        call.require(call.arn(f"topic/{topic}", "iot"), RETAIN)
    _check_topic(topic)
    _check_properties(parameters, retain=retain)
    message = ClientMessage(
        topic=topic,
        payload=parameters.get("payload", b""),
        qos=parameters.get("qos", 0),
        retain=retain,
    )
    try:
        await clients.publish(message)
    except DeliveryRejected as rejection:
        raise invalid(rejection.reason) from None
    except DeliveryUnavailable as unavailable:
        raise ApiError(INTERNAL, f"the broker does not take it now: {unavailable.reason}") from None


async def get_retained(services: Services, call: Call, parameters: Parameters) -> Answer:
    topic = parameters["topic"]
    found = _keeper(services, call).retained(topic)
    if found is None:
        raise not_found("RetainedMessage", topic)
    return {
        "topic": found.topic,
        "payload": found.payload,
        "qos": found.qos,
        "lastModifiedTime": _milliseconds(found),
    }


async def list_retained(services: Services, call: Call, parameters: Parameters) -> Answer:
    keeper = _keeper(services, call)
    page = page_of(services, call, parameters)
    found = keeper.retained_page(page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.topic)
    return present(nextToken=token) | {"retainedTopics": [_entry(one) for one in shown]}


def _clients(services: Services, call: Call) -> Clients:
    """ApiError for another account than that of the broker."""
    if services.broker is None or call.account != services.broker_account:
        raise ApiError(
            "UnauthorizedException",
            f"the broker is that of account {services.broker_account}, not of {call.account}",
        )
    return services.broker


def _keeper(services: Services, call: Call) -> Clients:
    """ApiError where nobody here knows what is retained."""
    clients = _clients(services, call)
    if not clients.tells_retained:
        raise ApiError(
            "MethodNotAllowedException",
            "messages are published to an external broker, which keeps what is retained: ask it",
        )
    return clients


def _check_topic(topic: str, what: str = "topic") -> None:
    """ApiError. Basic Ingest, ``$aws/rules/…``, is for devices' messages alone here."""
    try:
        checked_topic(topic)
    except DeliveryRejected as rejection:
        raise invalid(f"{what}: {rejection.reason}") from None
    if topic.startswith("$"):
        raise invalid(f"{what}: topics that begin with $ are reserved: {topic}")


def _check_properties(parameters: Parameters, *, retain: bool) -> None:
    """ApiError for what is no property of MQTT 5, and for an expiry that nobody would heed."""
    if "responseTopic" in parameters:
        _check_topic(parameters["responseTopic"], "responseTopic")
    if "correlationData" in parameters:
        try:
            base64.b64decode(parameters["correlationData"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("correlationData: it is not in base64") from None
    if parameters.get("messageExpiry", 0) < 0:
        raise invalid("messageExpiry: it is less than 0")
    if retain and "messageExpiry" in parameters:
        raise invalid("messageExpiry: a retained message does not expire here")
    if "userProperties" in parameters:
        _check_user_properties(parameters["userProperties"])


def _check_user_properties(given: Any) -> None:
    """A list of objects of one text each; clients write it as a value, or as JSON in a text."""
    try:
        value = msgspec.json.decode(given) if isinstance(given, str) else given
        properties = msgspec.convert(value, list[dict[str, str]])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        properties = [{}]
    if len(properties) > MOST_PROPERTIES or any(len(one) != 1 for one in properties):
        raise invalid("userProperties: they are a list of objects of one text each")


def _entry(retained: Retained) -> Answer:
    return {
        "topic": retained.topic,
        "payloadSize": len(retained.payload),
        "qos": retained.qos,
        "lastModifiedTime": _milliseconds(retained),
    }


def _milliseconds(retained: Retained) -> int:
    """Since 1970."""
    return round(retained.at * 1000)
