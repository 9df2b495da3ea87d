"""Date patterns: letters that stand for fields, and text between them.

Two dialects share the lexis. ``parse_time`` formats by Joda-Time's letters (DateTimeFormat),
``time_to_epoch`` reads by those of Java 11 (java.time.format.DateTimeFormatter). Texts are English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_PATTERN = 256
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_PART = re.compile(r"(?P<letters>([A-Za-z])\2*)|'(?P<quoted>(?:[^']|'')*)'|(?P<other>.)", re.DOTALL)


class Part(NamedTuple):
    """``letter`` with how often it stands there, or, with an empty letter, ``text``."""

    letter: str
    repeats: int
    text: str


@lru_cache(maxsize=256)
def parts(pattern: str) -> tuple[Part, ...] | None:
    """None if a quote has no end or the pattern is too long. ``''`` is a quote."""
    if len(pattern) > MAX_PATTERN:
        return None
    found: list[Part] = []
    for match in _PART.finditer(pattern):
        if (letters := match["letters"]) is not None:
            found.append(Part(letters[0], len(letters), ""))
        elif (quoted := match["quoted"]) is not None:
            found.append(Part("", 0, quoted.replace("''", "'") or "'"))
        elif match["other"] == "'":
            return None
        else:
            found.append(Part("", 0, match["other"]))
    return tuple(found)
