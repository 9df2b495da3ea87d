"""JSON as DynamoDB writes it: ``{"M": {"temperature": {"N": "21.5"}}}``.

Amazon DynamoDB API Reference, AttributeValue. Numbers keep the digits that they were written with.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

AttributeValue = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def document(payload: bytes) -> Any:
    """Raises ValueError for what is no JSON."""
    return _DECODER.decode(payload)


def attribute_value(value: Any) -> AttributeValue:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list():
            return {"L": [attribute_value(one) for one in value]}
        case dict():
            return {"M": item(value)}
        case _:
            raise AssertionError(f"not of JSON: {type(value)}")


def item(attributes: dict[str, Any]) -> dict[str, AttributeValue]:
    """One column for each attribute."""
    return {name: attribute_value(value) for name, value in attributes.items()}
