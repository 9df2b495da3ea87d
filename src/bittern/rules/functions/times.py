"""Functions of time.

Source: AWS IoT Core developer guide, "Functions", parse_time, time_to_epoch and timestamp.
"""

from __future__ import annotations

from bittern.rules.context import Context
from bittern.rules.functions.registry import Function, function, of_texts
from bittern.rules.functions.time_formatting import format_time
from bittern.rules.functions.time_reading import read_time
from bittern.rules.functions.zones import zone
from bittern.rules.values import UNDEFINED, index, text


def parse_time(pattern: object, milliseconds: object, name: object = "UTC") -> object:
    """A time as text, despite its name."""
    wanted, moment, where = text(pattern), index(milliseconds), text(name)
    if wanted is None or moment is None or where is None:
        return UNDEFINED
    found = zone(where)
    formatted = None if found is None else format_time(wanted, moment, found)
    return UNDEFINED if formatted is None else formatted


def time_to_epoch(value: str, pattern: str) -> object:
    found = read_time(value, pattern)
    return UNDEFINED if found is None else found


def timestamp(context: Context) -> object:
    return int(context.now * 1000)


FUNCTIONS: tuple[Function, ...] = (
    function("parse_time", "pattern milliseconds ? timezone", parse_time, since_2016=True),
    function("time_to_epoch", "string pattern", of_texts(time_to_epoch), since_2016=True),
    function("timestamp", "", timestamp, with_context=True),
)
