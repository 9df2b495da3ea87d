"""Points in time as AWS writes them: ISO 8601, seconds since 1970, and RFC 822 in headers.

Values are aware datetimes in UTC. What does not fit raises ``ValueError``, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_iso8601(value: Any) -> datetime:
    """Digits behind the microseconds are dropped; a time without a zone is UTC."""
    if type(value) is not str:
        raise ValueError("not text")
    return _in_utc(datetime.fromisoformat(value))


def from_epoch(value: Any) -> datetime:
    """From a JSON number."""
    if type(value) not in (int, float):
        raise ValueError("not a number")
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        raise ValueError("no such year") from None


def from_rfc822(value: Any) -> datetime:
    """As in the header ``Date``."""
    if type(value) is not str:
        raise ValueError("not text")
    try:
        return _in_utc(parsedate_to_datetime(value))
    except (TypeError, IndexError):
        raise ValueError("not a date") from None


def to_iso8601(value: datetime) -> str:
    return _in_utc(value).replace(tzinfo=None).isoformat() + "Z"


def to_epoch(value: datetime) -> int | float:
    """A whole number where the time is whole."""
    seconds = (_in_utc(value) - _EPOCH) / timedelta(seconds=1)
    return int(seconds) if seconds.is_integer() else seconds


def to_rfc822(value: datetime) -> str:
    return format_datetime(_in_utc(value), usegmt=True)


READERS: dict[str, Callable[[Any], datetime]] = {
    "iso8601": from_iso8601,
    "unixTimestamp": from_epoch,
    "rfc822": from_rfc822,
}
"""By the model's trait ``timestampFormat``."""

WRITERS: dict[str, Callable[[datetime], str | int | float]] = {
    "iso8601": to_iso8601,
    "unixTimestamp": to_epoch,
    "rfc822": to_rfc822,
}


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such year") from None
