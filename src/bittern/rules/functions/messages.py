"""Functions of the message's circumstances, and of chance.

Source: AWS IoT Core developer guide, "Functions", by name; sourceip, get_mqtt_property and
get_user_properties in its newer editions.
"""

from __future__ import annotations

from bittern.rules.context import Context
from bittern.rules.functions.registry import Function, function, of_context
from bittern.rules.values import UNDEFINED, double, index, text


def topic(context: Context, segment: object = None) -> object:
    """The topic, or one of its segments, counted from 1."""
    if segment is None:
        return context.visible_topic
    at, segments = index(segment), context.visible_topic.split("/")
    return segments[at - 1] if at is not None and 1 <= at <= len(segments) else UNDEFINED


def client_id(context: Context) -> object:
    return "n/a" if context.client_id is None else context.client_id


def mqtt_property(context: Context, name: object) -> object:
    """Of MQTT 5: ``content_type`` and the others that `Context` lists."""
    found = text(name)
    return UNDEFINED if found is None else context.mqtt_properties.get(found, UNDEFINED)


def user_properties(context: Context, key: object = None) -> object:
    """The values of one key as an Array; without a key, all of them, each as an Object."""
    if key is None:
        return [{name: value} for name, value in context.user_properties]
    values: list[object] = [value for name, value in context.user_properties if name == key]
    return values or UNDEFINED


def rand(context: Context) -> object:
    """A double from 0 up to 1."""
    return double((int.from_bytes(context.random_bytes(8), "big") >> 11) / 2**53)


def new_uuid(context: Context) -> object:
    """Version 4 (RFC 9562, 5.4)."""
    drawn = int.from_bytes(context.random_bytes(16), "big")
    drawn = drawn & ~(0xF << 76) | 0x4 << 76
    drawn = drawn & ~(0x3 << 62) | 0x2 << 62
    digits = f"{drawn:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


FUNCTIONS: tuple[Function, ...] = (
    function("accountid", "", of_context(lambda c: c.account_id), with_context=True),
    function("clientid", "", client_id, with_context=True),
    function("principal", "", of_context(lambda c: c.principal), with_context=True),
    function("sourceip", "", of_context(lambda c: c.source_ip), with_context=True),
    function("traceid", "", of_context(lambda c: c.trace_id), with_context=True),
    function("topic", "? segment", topic, with_context=True),
    function("get_mqtt_property", "name", mqtt_property, with_context=True),
    function("get_user_properties", "? key", user_properties, with_context=True),
    function("rand", "", rand, with_context=True),
    function("newuuid", "", new_uuid, with_context=True),
)

DRAWING = frozenset({"rand", "newuuid"})
"""Must give the same again where an evaluation is resumed."""
