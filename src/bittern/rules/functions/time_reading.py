"""Text as time: ``time_to_epoch``, in the letters of Java 11's DateTimeFormatter.

The pattern becomes an expression for RE2, which keeps optional parts, ``[…]``, from exploding.
As Java's "smart" resolver does, a day beyond the end of its month is its last day, and 24:00 is the
next day's midnight. A text that says no date has no time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import re2

from bittern.rules.functions.time_patterns import DAYS, MONTHS, Part, parts
from bittern.rules.functions.zones import zone

MAX_TEXT = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_ZONE_ID = r"(?:Z|(?:UTC|GMT|UT)?[+-]\d{1,2}(?::?\d{2}(?::?\d{2})?)?|[A-Za-z][A-Za-z0-9_/+-]*)"
_OFFSETS = {
    "X": (r"Z|[+-]\d{2}(?:\d{2})?", r"Z|[+-]\d{4}", r"Z|[+-]\d{2}:\d{2}"),
    "x": (r"[+-]\d{2}(?:\d{2})?", r"[+-]\d{4}", r"[+-]\d{2}:\d{2}"),
    "Z": (r"[+-]\d{4}",) * 3 + (r"GMT(?:[+-]\d{2}:\d{2})?", r"Z|[+-]\d{2}:\d{2}(?::\d{2})?"),
    "O": (r"GMT(?:[+-]\d{1,2}(?::\d{2})?)?",) + (r"GMT(?:[+-]\d{2}:\d{2})?",) * 3,
    "V": ("", _ZONE_ID),
    "z": (_ZONE_ID,) * 4,
}
_TWO_DIGITS = "dHhKkms"
_Fields = dict[str, str]


def is_format(pattern: str) -> bool:
    """Whether every letter has a meaning, and stands there once."""
    return _reader(pattern) is not None


def read_time(text: str, pattern: str) -> int | None:
    """Milliseconds since 1970 in UTC, unless the text names a zone; None if it does not fit."""
    reader = _reader(pattern)
    if reader is None or len(text) > MAX_TEXT:
        return None
    try:
        found = reader.fullmatch(text)
        if found is None:
            return None
        return _milliseconds({name: one for name, one in found.groupdict().items() if one})
    except (UnicodeEncodeError, ValueError, OverflowError, KeyError):
        return None


@lru_cache(maxsize=256)
def _reader(pattern: str) -> re2._Regexp[str] | None:
    split = parts(pattern)
    if split is None:
        return None
    seen: set[str] = set()
    pieces = [_piece(part, seen) for part in split]
    if None in pieces:
        return None
    try:
        return re2.compile("".join(piece for piece in pieces if piece is not None))
    except (re2.error, UnicodeEncodeError):
        return None


def _piece(part: Part, seen: set[str]) -> str | None:
    """The expression for one part; None if the letter has no meaning here or comes twice."""
    if not part.letter:
        return {"[": "(?:", "]": ")?"}.get(part.text) or re.escape(part.text)
    body = _field(part.letter, part.repeats)
    if body is None or part.letter in seen:
        return None
    seen.add(part.letter)
    return f"(?P<{part.letter}>{body})"


def _field(letter: str, count: int) -> str | None:
    if letter in "yu":
        return r"\d{2}" if count == 2 else r"\d{1,4}" if count == 1 else rf"\d{{{count}}}"
    if letter in "ML":
        return _number(count) if count < 3 else _names(MONTHS, count)
    if letter in _TWO_DIGITS:
        return _number(count)
    if letter in _OFFSETS:
        forms = _OFFSETS[letter]
        return forms[count - 1] or None if count <= len(forms) else None
    return {
        "D": r"\d{1,3}" if count == 1 else rf"\d{{{count}}}",
        "E": _names(DAYS, count),
        "G": "AD|CE" if count < 4 else "Anno Domini",
        "S": rf"\d{{{count}}}" if count <= 9 else None,
        "n": r"\d{1,9}",
        "a": "AM|PM",
    }.get(letter)


def _number(count: int) -> str | None:
    return {1: r"\d{1,2}", 2: r"\d{2}"}.get(count)


def _names(names: tuple[str, ...], count: int) -> str:
    return "|".join(name if count == 4 else name[:3] for name in names)


def _milliseconds(fields: _Fields) -> int:
    """Raises `KeyError` without a date, `ValueError` or `OverflowError` for what is none."""
    day, time = _date(fields), _time_of_day(fields)
    return (day.replace(tzinfo=_zone(fields)) + time - _EPOCH) // _MILLISECOND


def _date(fields: _Fields) -> datetime:
    digits = fields.get("y") or fields["u"]
    year = int(digits) + (2000 if len(digits) == 2 else 0)
    if "D" in fields:
        found = datetime(year, 1, 1) + timedelta(days=int(fields["D"]) - 1)
        if found.year != year:
            raise ValueError("no such day in the year")
        return found
    month = _month(fields.get("M") or fields["L"])
    day = int(fields["d"])
    if day > 31:
        raise ValueError("no month has that day")
    return datetime(year, month, min(day, monthrange(year, month)[1]))


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    return [name[:3] for name in MONTHS].index(text[:3]) + 1


def _time_of_day(fields: _Fields) -> timedelta:
    hour = _hour(fields)
    minute, second = int(fields.get("m", 0)), int(fields.get("s", 0))
    nanosecond = int(fields.get("S", "0").ljust(9, "0")) + int(fields.get("n", 0))
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or nanosecond)):
        raise ValueError("no such time of day")
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=nanosecond // 1000)


def _hour(fields: _Fields) -> int:
    if "H" in fields:
        return int(fields["H"])
    if "k" in fields:
        return int(fields["k"]) % 24
    if "h" not in fields and "K" not in fields:
        return 0
    hour = int(fields["K"]) if "K" in fields else int(fields["h"]) % 12
    if int(fields.get("h", 1)) not in range(1, 13) or hour > 11:
        raise ValueError("no such hour of half a day")
    return hour + (12 if fields["a"] == "PM" else 0)


def _zone(fields: _Fields) -> tzinfo:
    name = next((fields[letter] for letter in _OFFSETS if letter in fields), "UTC")
    found = zone(name)
    if found is None:
        raise ValueError("no such zone")
    return found
