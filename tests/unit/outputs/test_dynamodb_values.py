from __future__ import annotations

import pytest

from bittern.outputs.dynamodb_values import attribute_value, document, item


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", {"NULL": True}),
        (b"true", {"BOOL": True}),
        (b"7", {"N": "7"}),
        (b"12345678901234567890", {"N": "12345678901234567890"}),
        (b"0.10", {"N": "0.10"}),
        (b"1e3", {"N": "1E+3"}),
        (b'"x"', {"S": "x"}),
        (b"[1, \"x\"]", {"L": [{"N": "1"}, {"S": "x"}]}),
        (b'{"a": {"b": 1}}', {"M": {"a": {"M": {"b": {"N": "1"}}}}}),
    ],
)  # fmt: skip
def test_json_keeps_its_types_and_digits(text: bytes, value: object) -> None:
    assert attribute_value(document(text)) == value


def test_attributes_are_columns() -> None:
    assert item({"a": 1, "b": "x"}) == {"a": {"N": "1"}, "b": {"S": "x"}}


@pytest.mark.parametrize("payload", [b"{", b"\xff", b""])
def test_what_is_no_json_is_told(payload: bytes) -> None:
    with pytest.raises(ValueError):
        document(payload)
