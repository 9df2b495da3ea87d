"""Reads a file of SQL statements, each below a name and a sentence that says what it is for.

-- owed_count --
-- How many messages wait.
SELECT count(*) FROM outbox
"""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable

_NAME = re.compile(r"^-- ([a-z][a-z0-9_]*) --$", re.MULTILINE)


def parse_statements(text: str) -> dict[str, str]:
    """Statements by name. Raises `ValueError` where a name comes twice or a sentence is missing."""
    _, *parts = _NAME.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in statements:
            raise ValueError(f"statement {name} stands there twice")
        lines = body.strip().splitlines()
        statement = "\n".join(line for line in lines if not line.startswith("--")).strip()
        if not statement or not lines[0].startswith("-- "):
            raise ValueError(f"statement {name} has no sentence or no SQL")
        statements[name] = statement
    return statements


def load_statements(file: Traversable) -> dict[str, str]:
    return parse_statements(file.read_text(encoding="utf-8"))
