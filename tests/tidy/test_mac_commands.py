"""docs/reference/mac-commands.md is complete, and what it names is there."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

from bittern.lorawan.commands import DOWNLINK_COMMANDS, UPLINK_COMMANDS
from bittern.mac.commands.notices import CommandProblem

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/mac-commands.md"
COMMANDS = ROOT / "src/bittern/mac/commands"
TESTS = ROOT / "tests/unit/mac/commands"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table behind the heading that begins so."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading}"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


@lru_cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_command_has_its_row_in_the_order_of_cids() -> None:
    told = [(cid, name, sender) for cid, name, sender, *_ in rows("CID")]
    there = [
        (f"0x{command.CID:02X}", command.spec_name(), sender)
        for sender, commands in (("device", UPLINK_COMMANDS), ("network", DOWNLINK_COMMANDS))
        for command in commands
    ]
    assert sorted(told) == sorted(there)
    assert [cid for cid, *_ in told] == sorted(cid for cid, *_ in told)


@pytest.mark.parametrize("row", rows("CID"), ids=lambda row: row[1])
def test_file_and_test_of_a_command_are_there(row: list[str]) -> None:
    _, name, _, _, file, test = row
    source = (COMMANDS / file).read_text(encoding="utf-8")
    assert name in source
    module, _, function = test.partition("::")
    assert function in functions(TESTS / module)


def test_every_file_of_a_command_is_named() -> None:
    machinery = {"__init__", "dispatch", "notices", "requests", "schedule", "surroundings"}
    files = {path.name for path in COMMANDS.glob("*.py") if path.stem not in machinery}
    assert {file for *_, file, _ in rows("CID")} == files


def test_every_problem_is_explained() -> None:
    assert [problem for problem, _ in rows("Problem")] == [str(one) for one in CommandProblem]


@pytest.mark.parametrize("row", rows("Type"), ids=lambda row: row[0])
def test_the_test_of_a_rejoin_type_is_there(row: list[str]) -> None:
    module, _, function = row[-1].partition("::")
    assert function in functions(ROOT / module)
