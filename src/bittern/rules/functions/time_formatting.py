"""Time as text: ``parse_time``, in the letters of Joda-Time's DateTimeFormat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from bittern.rules.functions.time_patterns import DAYS, MONTHS, parts
from bittern.rules.functions.zones import offset_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_format(pattern: str) -> bool:
    """Whether every letter has a meaning."""
    split = parts(pattern)
    return split is not None and all(part.letter in _FIELDS or part.text for part in split)


def format_time(pattern: str, milliseconds: int, zone: tzinfo) -> str | None:
    """None if the pattern is none, or the time is not in years 1 to 9999."""
    if not is_format(pattern):
        return None
    try:
        moment = (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)
    except (OverflowError, ValueError):
        return None
    return "".join(
        _FIELDS[part.letter](moment, part.repeats) if part.letter else part.text
        for part in parts(pattern) or ()
    )


def _number(read: Callable[[datetime], int]) -> Callable[[datetime, int], str]:
    return lambda moment, count: f"{read(moment):0{count}}"


def _name(names: tuple[str, ...], index: int, count: int) -> str:
    return names[index] if count >= 4 else names[index][:3]


def _year(year: int, count: int) -> str:
    return f"{year % 100:02}" if count == 2 else f"{year:0{count}}"


def _month(moment: datetime, count: int) -> str:
    return f"{moment.month:0{count}}" if count < 3 else _name(MONTHS, moment.month - 1, count)


def _fraction(moment: datetime, count: int) -> str:
    return f"{moment.microsecond // 1000:03}".ljust(count, "0")[:count]


def _zone_name(moment: datetime, _: int) -> str:
    """The short name also where the long one is asked for, ``zzzz``. An offset has no name."""
    name = moment.tzname() or ""
    if name == "UTC" or (name[:1] not in "+-" and not name.startswith("UTC")):
        return name
    return offset_text(_offset(moment), ":")


def _zone(moment: datetime, count: int) -> str:
    if count < 3:
        return offset_text(_offset(moment), ":" if count == 2 else "")
    return str(moment.tzinfo) if hasattr(moment.tzinfo, "key") else _zone_name(moment, count)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


_FIELDS: dict[str, Callable[[datetime, int], str]] = {
    "G": lambda moment, count: "AD",
    "C": _number(lambda moment: moment.year // 100),
    "Y": lambda moment, count: _year(moment.year, count),
    "y": lambda moment, count: _year(moment.year, count),
    "x": lambda moment, count: _year(moment.isocalendar().year, count),
    "w": _number(lambda moment: moment.isocalendar().week),
    "e": _number(datetime.isoweekday),
    "E": lambda moment, count: _name(DAYS, moment.weekday(), count),
    "D": _number(lambda moment: moment.timetuple().tm_yday),
    "M": _month,
    "d": _number(lambda moment: moment.day),
    "a": lambda moment, count: "AM" if moment.hour < 12 else "PM",
    "K": _number(lambda moment: moment.hour % 12),
    "h": _number(lambda moment: moment.hour % 12 or 12),
    "H": _number(lambda moment: moment.hour),
    "k": _number(lambda moment: moment.hour or 24),
    "m": _number(lambda moment: moment.minute),
    "s": _number(lambda moment: moment.second),
    "S": _fraction,
    "z": _zone_name,
    "Z": _zone,
}
