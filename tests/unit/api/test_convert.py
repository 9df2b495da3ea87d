from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ShapeResolver

from bittern.api.convert import Unfit, document, json_converter, text_converter

SHAPES = ShapeResolver(
    {
        "Whole": {"type": "integer"},
        "Long": {"type": "long"},
        "Number": {"type": "double"},
        "Flag": {"type": "boolean"},
        "Text": {"type": "string"},
        "Bytes": {"type": "blob"},
        "Day": {"type": "timestamp", "timestampFormat": "iso8601"},
        "Texts": {"type": "list", "member": {"shape": "Text"}},
        "Wholes": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Whole"}},
        "Tree": {
            "type": "structure",
            "members": {
                "Name": {"shape": "Text"},
                "Count": {"shape": "Whole", "locationName": "n"},
                "Texts": {"shape": "Texts"},
                "Wholes": {"shape": "Wholes"},
                "Child": {"shape": "Tree"},
            },
        },
    }
)


def converted(shape: str, value: Any) -> Any:
    return json_converter(SHAPES.get_shape_by_name(shape), {})(value)


def unfit(shape: str, value: Any) -> list[str]:
    with pytest.raises(Unfit) as refusal:
        converted(shape, value)
    return refusal.value.path[::-1]


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        ("Whole", 5, 5),
        ("Whole", 5.0, 5),
        ("Whole", -(2**31), -(2**31)),
        ("Long", 2**63 - 1, 2**63 - 1),
        ("Number", 5, 5.0),
        ("Flag", True, True),
        ("Bytes", "AQI=", b"\x01\x02"),
        ("Texts", ["a", ""], ["a", ""]),
        ("Wholes", {"a": 1, "b": None}, {"a": 1}),
    ],
)
def test_a_value_of_the_type_is_taken(shape: str, value: Any, expected: Any) -> None:
    found = converted(shape, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("Whole", 5.5), ("Whole", "5"), ("Whole", True), ("Whole", 2**31), ("Whole", 1e300),
        ("Long", 2**63), ("Number", "1"), ("Number", False), ("Number", 10**400),
        ("Flag", 1), ("Flag", "true"), ("Text", 5), ("Text", []), ("Bytes", "?"), ("Bytes", "AQI"),
        ("Bytes", "é"), ("Bytes", 1), ("Day", 5), ("Day", "tomorrow"), ("Texts", {}),
        ("Texts", "ab"), ("Wholes", []), ("Tree", "x"), ("Tree", []),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_not(shape: str, value: Any) -> None:
    assert unfit(shape, value) == []


def test_unknown_members_and_null_are_as_if_absent() -> None:
    assert converted("Tree", {"Name": None, "n": 1, "Count": 9, "Other": {}}) == {"Count": 1}


def test_a_shape_may_hold_itself() -> None:
    value = {"Name": "a", "Child": {"Name": "b", "Child": {"n": 3}}}
    assert converted("Tree", value)["Child"]["Child"] == {"Count": 3}


def test_the_way_to_what_does_not_fit_is_told() -> None:
    assert unfit("Tree", {"Child": {"n": "x"}}) == ["Child", "Count"]
    assert unfit("Tree", {"Texts": ["a", None]}) == ["Texts", "2", "member"]
    assert unfit("Tree", {"Wholes": {"k": "x"}}) == ["Wholes", "value", "member"]


@pytest.mark.parametrize(
    ("shape", "text", "expected"),
    [
        ("Whole", "-5", -5),
        ("Number", "1.5e3", 1500.0),
        ("Flag", "false", False),
        ("Text", "5", "5"),
    ],
)
def test_text_outside_of_json_is_taken(shape: str, text: str, expected: Any) -> None:
    assert text_converter(SHAPES.get_shape_by_name(shape), "iso8601")(text) == expected


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("Whole", "1_0"), ("Whole", " 1"), ("Whole", ""), ("Whole", "٣"), ("Whole", "9" * 30),
        ("Number", "nan"), ("Number", "inf"), ("Number", "1e999"), ("Flag", "True"), ("Flag", "1"),
        ("Day", "5"), ("Bytes", "?"),
    ],
)  # fmt: skip
def test_text_that_only_python_would_take_is_not(shape: str, text: str) -> None:
    with pytest.raises(Unfit):
        text_converter(SHAPES.get_shape_by_name(shape), "iso8601")(text)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"NaN", b'{"a":1e999}', b'"\\ud800"', b"{}x"])
def test_what_is_not_json_is_told(body: bytes) -> None:
    with pytest.raises(Unfit):
        document(body)


def test_no_body_is_an_empty_document() -> None:
    assert document(b"") == {}
