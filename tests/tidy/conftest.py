"""Pages of docs/reference, read as tables, and the tests that they name."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@cache
def tests_in(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


class ReferencePage:
    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")

    def rows(self, *heading: str) -> list[dict[str, str]]:
        """Of the table whose first columns are headed so, each row by its headings."""
        lines = self.text.splitlines()
        begin = "| " + " | ".join(heading)
        start = next(i for i, line in enumerate(lines) if line.startswith(begin))
        columns, rows = _cells(lines[start]), []
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            rows.append(dict(zip(columns, _cells(line), strict=True)))
        return rows

    def dangling_links(self) -> list[str]:
        """Links to pages that are not there."""
        links = re.findall(r"\]\((\S+?\.md)\)", self.text)
        return [link for link in links if not (ROOT / "docs/reference" / link).is_file()]

    def missing_tests(self, named: str, folder: str = "tests/unit") -> list[str]:
        """Of `file::test`, one or several with commas between, those that are not there."""
        missing = []
        for one in named.split(", "):
            file, _, test = one.partition("::")
            if not test.startswith("test_") or test not in tests_in(ROOT / folder / file):
                missing.append(one)
        return missing

    def missing_paths(self) -> list[str]:
        """Of the paths in running text, with or without a test behind, those that are not there."""
        named = re.findall(r"`((?:src|tests|docs)/[\w./]+?\.\w+)(?:::(\w+))?`", self.text)
        return [
            f"{path}::{test}"
            for path, test in named
            if not (ROOT / path).is_file() or (test and test not in tests_in(ROOT / path))
        ]


@pytest.fixture(scope="session")
def reference_page() -> type[ReferencePage]:
    return ReferencePage
