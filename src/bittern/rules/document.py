"""Messages as values, and values as JSON.

Numbers come back as they came: an integer of any size as itself; a fraction as a double where the
double says the same, else as the Decimal that was written. Decimals are JSON numbers, not strings.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import isfinite

import msgspec

from bittern.errors import RuleError
from bittern.rules.limits import Weight

_SHORT = 15
"""Characters: with so few digits a double is always exact enough to come back the same."""


def to_json(value: object) -> bytes:
    """Compact JSON. Raises `RuleError` for what has none: lone surrogates, bytes, cycles."""
    Weight().add(value)
    return encode(value)


def encode(value: object) -> bytes:
    """`to_json` of a value that is known to be of bearable size."""
    written = encode_read(value)
    if b"NaN" in written or b"Infinity" in written:
        # In a string, or a Decimal that is no number.
        return encode_read(_with_null(value))
    return written


def encode_read(value: object) -> bytes:
    """`encode` of what was read from JSON: every Decimal in it is a number."""
    try:
        return _ENCODER.encode(value)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RuleError(f"the result cannot be written as JSON: {error}") from None


def parse(content: bytes) -> object:
    """The JSON document, or `content` itself if it is none: then only ``*`` has a value. One with
    a number whose exponent has 19 digits is none either: nothing here can hold it."""
    return _parsed(_DECODER, content)


def parse_decimals(content: bytes) -> object:
    """As version 2015-10-08 reads: every number with a fraction or an exponent is a Decimal."""
    return _parsed(_DECIMAL_DECODER, content)


def with_decimals(value: object) -> object:
    """The same for a message that was parsed before."""
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else value
    if isinstance(value, list):
        return [with_decimals(one) for one in value]
    if isinstance(value, dict):
        return {key: with_decimals(one) for key, one in value.items()}
    return value


def _with_null(value: object) -> object:
    """Null for a Decimal that is no number, as for such a double."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, list):
        return [_with_null(one) for one in value]
    if isinstance(value, dict):
        return {key: _with_null(one) for key, one in value.items()}
    return value


def _parsed(decoder: msgspec.json.Decoder[object], content: bytes) -> object:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation):
        return content


def _read_number(digits: str) -> float | Decimal:
    value = float(digits)
    if len(digits) <= _SHORT and isfinite(value):
        return value
    exact = Decimal(digits)
    return value if isfinite(value) and Decimal(repr(value)) == exact else exact


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=_read_number)
_DECIMAL_DECODER = msgspec.json.Decoder(float_hook=Decimal)
