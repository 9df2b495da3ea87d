from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.rules.context import Context
from bittern.rules.functions.times import parse_time, time_to_epoch, timestamp
from bittern.rules.values import UNDEFINED
from bittern.types import Instant


def test_the_zone_is_utc_without_another() -> None:
    assert parse_time("HH z", 0) == "00 UTC"
    assert parse_time("HH z", Decimal("0.9"), "Europe/Berlin") == "01 CET"


@pytest.mark.parametrize(
    "arguments",
    [(None, 0), ("HH", None), ("HH", "x"), ("HH", 0, None), ("HH", 0, "Mars"), ("j", 0)],
)
def test_what_cannot_be_formatted_is_undefined(arguments: tuple[object, ...]) -> None:
    assert parse_time(*arguments) is UNDEFINED


def test_formatting_and_reading_are_inverse() -> None:
    pattern, moment = "yyyy-MM-dd HH:mm:ss.SSS", 1497028786123
    assert time_to_epoch(str(parse_time(pattern, moment)), pattern) == moment
    assert time_to_epoch("", pattern) is UNDEFINED


def test_the_clock_is_the_contexts() -> None:
    assert timestamp(Context(now=Instant(1481825251.155))) == 1481825251155
