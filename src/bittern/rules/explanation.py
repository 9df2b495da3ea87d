"""An error with its place in the statement, for a terminal or a log."""

from __future__ import annotations

from bittern.errors import RuleError, SqlParseException

WIDTH = 76
"""Characters of the line that are shown; of a longer one, those around the place."""


def explain(error: RuleError) -> str:
    """The place, what is wrong, the line with the place underlined, and a proposal if there is one.

    >>> print(explain(SqlParseException("unknown function tpic", "SELECT tpic() AS t", 7, 4)))
    line 1, column 8: unknown function tpic
      SELECT tpic() AS t
             ^^^^
    """
    if not isinstance(error, SqlParseException):
        return error.reason
    lines = [f"line {error.line}, column {error.column}: {error.reason}", *_underlined(error)]
    if error.hint:
        lines.append(error.hint)
    return "\n".join(lines)


def _underlined(error: SqlParseException) -> tuple[str, str]:
    line = _printable(error.sql.split("\n")[error.line - 1])
    at = error.column - 1
    first = max(0, min(at - WIDTH // 2, len(line) - WIDTH))
    shown = line[first : first + WIDTH]
    marks = min(error.length, max(len(shown) - (at - first), 1))
    return f"  {shown}".rstrip(), f"  {' ' * (at - first)}{'^' * marks}"


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() else " " for one in line)
