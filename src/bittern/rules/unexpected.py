"""What to say of a word that the grammar does not expect."""

from __future__ import annotations

import re

from lark import UnexpectedInput, UnexpectedToken

from bittern.errors import SqlParseException

RESERVED = frozenset(["select", "as", "from", "where", "and", "or", "when", "then", "else"])
"""Where an expression begins these are no fields; ``get(*, 'from')`` and ``a.from`` reach one."""

MISSING = "{} stands where an expression is expected"

_COMMENT = re.compile(r"(?:/\*|--)\s*\Z")
_LAST_WORD = re.compile(r"(\w+)\s*\Z")
_WORD = re.compile(r"@?\w+|[<>=!]+|\|\||&&|\S", re.DOTALL)
_LETTERS = re.compile(r"\w+")
_AFTER_THESE = RESERVED | {"value", "not", "case"}
_MANY = 6

_SPELLED = {
    "SELECT": "SELECT", "_SET": "SET", "_FROM": "FROM", "_WHERE": "WHERE", "_AS": "AS",
    "_WHEN": "WHEN", "_THEN": "THEN", "_ELSE": "ELSE", "_END": "END", "RPAR": ")",
    "RBRACE": "}", "RSQB": "]", "COMMA": ",", "COLON": ":", "EQUAL": "=", "STRING": "a string",
    "VARIABLE": "@name",
}  # fmt: skip

_HABITS = {
    "like": "use startswith, endswith, indexof or regexp_matches",
    "in": "compare by = and OR",
    "between": "compare by >= and <=",
    "is": "use isNull or isUndefined",
    "==": "equality is one =",
    "===": "equality is one =",
    "||": "write OR, or + to join strings",
    "&&": "write AND",
    "!": "write NOT",
    "`": "names stand without quotes; get(*, 'my-key') reaches others",
    ";": "a statement has no semicolon",
    **dict.fromkeys(
        ("group", "order", "having", "limit", "join", "union"), "a rule sees one message at a time"
    ),
}
"""From other dialects of SQL, and other languages."""


def refusal(sql: str, error: UnexpectedInput) -> SqlParseException:
    at = _place(sql, error)
    if (comment := _COMMENT.search(sql[:at]) or _COMMENT.match(sql[: at + 2], at)) is not None:
        reason = "comments are not part of this language"
        return SqlParseException(reason, sql, comment.start(), 2)
    before = _LAST_WORD.search(sql[:at])
    if before and before[1].lower() in RESERVED and _is_operand_missing(sql, before.start(1)):
        reason = MISSING.format(before[1].upper())
        return SqlParseException(reason, sql, before.start(1), len(before[1]))
    habit = "" if before is None else _HABITS.get(before[1].lower(), "")
    word = _WORD.match(sql, at)
    if word is None:
        hint = habit or _expected(error)
        return SqlParseException("the statement ends too early", sql, at, hint=hint)
    if word[0] in "'\"" and sql.count(word[0], at) == 1:
        return SqlParseException("the string has no end", sql, at, len(sql) - at)
    letters = _LETTERS.match(sql, at)
    length = len(word[0] if letters is None else letters[0])
    hint = _HABITS.get(word[0].lower()) or habit or _expected(error)
    reason = f"{sql[at : at + length]} is not expected here"
    return SqlParseException(reason, sql, at, length, hint)


def _place(sql: str, error: UnexpectedInput) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(sql.rstrip())
    at: int = getattr(error, "pos_in_stream", None) or 0
    # The first = of == is an operator; the second is what surprises.
    return at - 1 if sql[at - 1 : at + 1] == "==" else at


def _is_operand_missing(sql: str, at: int) -> bool:
    """Whether the reserved word at `at` was taken for a field: what precedes it wants one."""
    before = sql[:at].rstrip()
    word = _LAST_WORD.search(before)
    if word is not None:
        return word[1].lower() in _AFTER_THESE
    return before[-1:] in tuple(",(=<>+-*/%[:{")


def _expected(error: UnexpectedInput) -> str:
    """What could stand there, where that is a list short enough to help."""
    allowed = getattr(error, "accepts", None) or getattr(error, "allowed", None) or set()
    names = sorted({_SPELLED[name] for name in allowed if name in _SPELLED})
    if "NAME" in allowed:
        return "expected a name" if len(allowed) == 1 else "expected an expression"
    return f"expected {' or '.join(names)}" if 0 < len(names) <= _MANY else ""
