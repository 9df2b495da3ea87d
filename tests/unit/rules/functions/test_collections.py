from __future__ import annotations

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.functions.collections import concat, decode, encode, get, transform
from bittern.rules.values import UNDEFINED


@pytest.mark.parametrize("key", [-1, 3, None, "x", True, UNDEFINED, 10**30])
def test_positions_outside_are_undefined(key: object) -> None:
    assert get([1, 2, 3], key) is UNDEFINED
    assert get("abc", key) is UNDEFINED


def test_keys_of_objects_are_strings() -> None:
    assert get({"1": "a"}, 1) is UNDEFINED
    assert get({"1": "a"}, "1") == "a"
    assert get({"a": None}, "a") is None


def test_joining() -> None:
    assert concat("a", 1, True, [2]) == ["a", 1, True, 2]
    assert concat([1], UNDEFINED, None) == [1, None]
    assert concat("a", None) is UNDEFINED
    assert concat({"a": 1}, "b") == '{"a":1}b'


def test_joining_is_bounded() -> None:
    with pytest.raises(RuleLimitExceeded):
        concat("x" * 200_000, "x" * 200_000)
    with pytest.raises(RuleLimitExceeded):
        concat([1] * 100_000, [1] * 100_000)


def test_joining_does_not_change_its_arguments() -> None:
    first = [1]
    assert concat(first, [2]) == [1, 2]
    assert first == [1]


def test_enriching_is_bounded_and_copies() -> None:
    one = {"a": 1}
    assert transform("enrichArray", {"b": 2}, [one]) == [{"a": 1, "b": 2}]
    assert one == {"a": 1}
    with pytest.raises(RuleLimitExceeded, match="transform makes"):
        transform("enrichArray", {"b": "x" * 1000}, [{}] * 200)
    with pytest.raises(RuleLimitExceeded):
        transform("enrichArray", {"b": "x" * 100_000}, [{}] * 100_000)


@pytest.mark.parametrize("value", [{"a": [1]}, "text", "ä€", 5, True])
def test_what_is_encoded_decodes(value: object) -> None:
    assert decode(encode(value, "base64"), "base64") == value


@pytest.mark.parametrize("value", ["a", "====", "a b c", "é", "\ud800", None, 5, []])
def test_what_cannot_be_decoded_is_null(value: object) -> None:
    assert decode(value, "base64") is None


def test_encoding_is_bounded() -> None:
    with pytest.raises(RuleLimitExceeded):
        encode("x" * 250_000, "base64")
