"""Functions of regular expressions.

A pattern may come from the message, so it must not be able to take the server's time: RE2 matches
in time linear in the text, whatever the pattern. AWS runs Java's engine. What Java knows beyond
RE2, looking around and referring back, is refused: in a literal when the statement is compiled, in
a pattern that is computed as Undefined, as any pattern that is not valid.

Source: AWS IoT Core developer guide, "Functions", regexp_matches, regexp_replace, regexp_substr.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2

from bittern.rules.functions.registry import Function, function, of_texts
from bittern.rules.limits import bounded
from bittern.rules.values import UNDEFINED

MAX_PATTERN = 10_000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 4 << 20

_REFERENCE = re.compile(r"\\(.)|\$(\d)|(\\|\$)", re.DOTALL)


def pattern_problem(pattern: str) -> str:
    """Why it is no pattern; empty if it is one."""
    try:
        _compile(pattern)
    except UnicodeEncodeError:
        return "not Unicode text"
    except (re2.error, _TooLong) as error:
        reason = error.args[0]
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return ""


class _TooLong(Exception):
    """RE2 would take it; no rule needs it."""


def _compile(pattern: str) -> re2._Regexp[str]:
    if len(pattern) > MAX_PATTERN:
        raise _TooLong(f"longer than {MAX_PATTERN} characters")
    return _compiled(pattern)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re2._Regexp[str]:
    return re2.compile(pattern, _OPTIONS)


def _with_pattern(apply: Callable[..., object]) -> Callable[..., object]:
    def call(value: str, pattern: str, *rest: str) -> object:
        try:
            return apply(value, _compile(pattern), *rest)
        except (re2.error, UnicodeEncodeError, _TooLong):
            return UNDEFINED

    return call


def _matches(value: str, pattern: re2._Regexp[str]) -> object:
    return pattern.search(value) is not None


def _substr(value: str, pattern: re2._Regexp[str]) -> object:
    """The first match; Undefined if there is none."""
    found = pattern.search(value)
    return UNDEFINED if found is None else found.group()


def _replace(value: str, pattern: re2._Regexp[str], replacement: str) -> object:
    """Every match. ``$1`` stands for a group, ``\\$`` for a dollar, as in Java."""
    parts = _template(replacement, pattern.groups)
    if parts is None:
        return UNDEFINED
    pieces: list[str] = []
    end = size = 0
    for found in pattern.finditer(value):
        filled = [one if isinstance(one, str) else found.group(one) or "" for one in parts]
        pieces += (value[end : found.start()], *filled)
        size += found.start() - end + sum(map(len, filled))
        bounded(size)
        end = found.end()
    bounded(size + len(value) - end)
    return "".join((*pieces, value[end:]))


def _template(replacement: str, groups: int) -> list[str | int] | None:
    """Texts and numbers of groups; None where a group does not exist or a sign stands alone."""
    parts: list[str | int] = []
    end = 0
    for found in _REFERENCE.finditer(replacement):
        parts.append(replacement[end : found.start()])
        end = found.end()
        if found[3] is not None or (found[2] is not None and int(found[2]) > groups):
            return None
        parts.append(found[1] if found[1] is not None else int(found[2]))
    return [*parts, replacement[end:]]


FUNCTIONS: tuple[Function, ...] = (
    function("regexp_matches", "string pattern", of_texts(_with_pattern(_matches))),
    function("regexp_replace", "string pattern new", of_texts(_with_pattern(_replace))),
    function("regexp_substr", "string pattern", of_texts(_with_pattern(_substr))),
)
