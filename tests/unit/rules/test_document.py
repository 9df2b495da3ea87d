from __future__ import annotations

from decimal import Decimal

import pytest

from bittern.errors import RuleError, RuleLimitExceeded
from bittern.rules.document import (
    encode,
    encode_read,
    parse,
    parse_decimals,
    to_json,
    with_decimals,
)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":[1,-2.5,true,null,"x"]}',
        b"123456789012345678901234567890",
        b"0.1234567890123456789012345",
        b"1E+400",
    ],
)
def test_numbers_come_back_as_they_came(text: bytes) -> None:
    assert to_json(parse(text)) == text


def test_a_double_is_used_where_it_says_the_same() -> None:
    assert type(parse(b"2.5")) is float
    assert type(parse(b"0.10000000000000000000")) is float
    assert parse(b"0.12345678901234567") == Decimal("0.12345678901234567")


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\x00", b'{"a":', b"[" * 100_000, b"NaN"])
def test_what_is_no_json_stays_bytes(content: bytes) -> None:
    assert parse(content) is content


@pytest.mark.parametrize("read", [parse, parse_decimals])
def test_a_number_that_no_decimal_can_hold_makes_the_message_none(read) -> None:
    content = b'{"a":[1e1000000000000000000000]}'
    assert read(content) is content


@pytest.mark.parametrize("text", [b"1e400", b"-1e999999999999999999", b"0.12345678901234567"])
def test_what_was_read_is_written_with_every_number(text: bytes) -> None:
    value = {"NaN": "Infinity", "a": parse(text)}
    assert encode_read(value) == encode(value)
    assert parse(encode_read(value)) == value


def test_the_old_version_reads_decimals() -> None:
    assert parse_decimals(b'{"a":[10.0]}') == {"a": [Decimal("10.0")]}
    assert str(parse_decimals(b"10.0")) == "10.0"


def test_a_parsed_message_is_turned_into_decimals_all_the_way_down() -> None:
    found = with_decimals({"a": [10.0, 1, "x"], "b": {"c": 0.5}})
    assert repr(found) == "{'a': [Decimal('10.0'), 1, 'x'], 'b': {'c': Decimal('0.5')}}"
    assert with_decimals(float("inf")) == float("inf")


@pytest.mark.parametrize("value", ["\ud800", object(), {1j: 2}])
def test_what_json_cannot_say_is_an_error_of_the_rule(value: object) -> None:
    with pytest.raises(RuleError, match="cannot be written as JSON"):
        encode(value)


def test_what_is_no_number_is_null() -> None:
    value = ["NaN", Decimal("-NaN"), {"Infinity": Decimal("Infinity")}, float("nan"), 1]
    assert encode(value) == b'["NaN",null,{"Infinity":null},null,1]'


def test_a_value_that_is_too_large_is_not_written() -> None:
    with pytest.raises(RuleLimitExceeded):
        to_json(["x" * 1000] * 2000)
