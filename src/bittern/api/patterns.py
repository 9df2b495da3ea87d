"""The model's patterns are Java's: here as Python has them.

They match the whole value. ``\\d``, ``\\s`` and ``\\w`` are ASCII, and there are classes by
Unicode category (``\\p{L}``) and by POSIX name (``\\p{Graph}``).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

_POSIX = {"Graph": r"\x21-\x7e", "Upper": "A-Z", "Digit": "0-9", "Cntrl": r"\x00-\x1f\x7f"}
_CLASS = re.compile(r"\\p\{(\w+)\}")


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """For ``fullmatch``. None if the pattern is none in Java either: the model has such a one, and
    what cannot be checked anywhere is not checked here."""
    try:
        return re.compile(_CLASS.sub(_python_class, pattern), re.ASCII)
    except re.error:
        return None


def _python_class(found: re.Match[str]) -> str:
    name = found[1]
    ranges = _POSIX.get(name) or _category(name)
    before = found.string[: found.start()]
    inside = before.rfind("[") > before.rfind("]")
    return ranges if inside else f"[{ranges}]"


@cache
def _category(letter: str) -> str:
    """Ranges of all characters of a category, for a character class. It takes a fifth of a second
    to look at every character: servers compile what they serve before they serve it."""
    return _ranges().get(letter, "")


@cache
def _ranges() -> dict[str, str]:
    categories = [unicodedata.category(chr(code))[0] for code in range(sys.maxunicode + 1)]
    found: dict[str, list[str]] = {}
    start = 0
    for code in range(1, len(categories) + 1):
        if code == len(categories) or categories[code] != categories[start]:
            ranges = found.setdefault(categories[start], [])
            ranges.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = code
    return {letter: "".join(ranges) for letter, ranges in found.items()}
