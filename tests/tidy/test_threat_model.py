"""docs/threat-model.md has every attacker and attack of note, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")

ATTACKERS = [
    "The radio",
    "Whoever steals a gateway",
    "The network between",
    "A tenant",
    "An operator",
    "A stolen disk, or a backup",
]


def rows() -> list[list[str]]:
    """Of the tables that have a column of tests."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == 4 and row[3] != "Test" and "---" not in row[0]]


def test_every_attacker_has_a_table() -> None:
    assert [title for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)][1:-1] == ATTACKERS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_an_attack_is_stopped_by_something_that_a_test_shows(row: list[str]) -> None:
    attack, answer, _, named = row
    assert attack
    assert answer
    path, _, name = named.partition("::")
    assert (ROOT / path).is_file(), named
    if name:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), named


@pytest.mark.parametrize(
    "word", ["replay", "counter was reset", "flipping", "ack spoofing", "beacons"]
)
def test_the_attacks_of_the_literature_are_in_it(word: str) -> None:
    assert word in PAGE.lower()


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / target).is_file(), target
