"""Errors of payload codecs, with the line that they are about."""

from __future__ import annotations

from bittern.errors import CodecError

WIDTH = 100
"""Of a line that is shown; scripts may be one long line."""


def shown(error: CodecError, script: str, name: str) -> str:
    """What is wrong, where, and the place itself with a caret below."""
    lines = script.splitlines()
    if error.place is None or not 1 <= error.place[0] <= len(lines):
        return f"{name}: {error}"
    line, column = error.place
    text, at = _around(lines[line - 1].replace("\t", " "), column - 1)
    return f"{name}:{line}:{column}: {error.reason}\n    {text}\n    {' ' * at}^"


def _around(text: str, at: int) -> tuple[str, int]:
    """The part of a long line that the place is in."""
    start = max(0, at - WIDTH // 2) if len(text) > WIDTH else 0
    return text[start : start + WIDTH], at - start
