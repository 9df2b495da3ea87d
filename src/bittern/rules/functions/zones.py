"""Time zones by the names that Joda-Time and Java take."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", re.ASCII)
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", re.ASCII)

_ABBREVIATIONS = {
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "MST": "America/Denver",
    "MDT": "America/Denver", "CST": "America/Chicago", "CDT": "America/Chicago",
    "EST": "America/New_York", "EDT": "America/New_York", "AKST": "America/Anchorage",
    "AKDT": "America/Anchorage", "HST": "Pacific/Honolulu", "WET": "Europe/Lisbon",
    "WEST": "Europe/Lisbon", "BST": "Europe/London", "CET": "Europe/Paris",
    "CEST": "Europe/Paris", "EET": "Europe/Athens", "EEST": "Europe/Athens",
    "MSK": "Europe/Moscow", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney",
}  # fmt: skip


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo | None:
    """None if there is no such zone on this machine."""
    if name in ("Z", "UTC", "GMT", "UT"):
        return UTC
    if (offset := _OFFSET.fullmatch(name)) is not None:
        return _fixed(*offset.groups())
    if _REGION.fullmatch(name) is None:
        return None
    try:
        return ZoneInfo(_ABBREVIATIONS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _fixed(sign: str, hours: str, minutes: str | None, seconds: str | None) -> tzinfo | None:
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    if int(minutes or 0) > 59 or int(seconds or 0) > 59 or offset > timedelta(hours=18):
        return None
    return timezone(-offset if sign == "-" else offset)


def offset_text(offset: timedelta, colon: str) -> str:
    """``+0130``, or ``+01:30``."""
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"
