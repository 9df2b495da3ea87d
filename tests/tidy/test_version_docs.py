"""docs/reference/versions.md is complete, and what it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from bittern.lorawan import versions
from bittern.lorawan.versions import MacVersion

ORDER = list(MacVersion)


@pytest.fixture(scope="module")
def page(reference_page: Any) -> Any:
    return reference_page("versions.md")


def predicates() -> list[str]:
    tree = ast.parse(Path(versions.__file__).read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_every_version_is_read_as_it_is_said_to_be_written(page: Any) -> None:
    rows = page.rows("Version")
    assert [row["Version"] for row in rows] == [version.value for version in ORDER]
    for row in rows:
        for text in row["Also written"].split(", "):
            assert MacVersion.parse(text) == row["Version"], text


def test_every_difference_has_its_row_in_the_order_of_the_code(page: Any) -> None:
    assert [row["Name"] for row in page.rows("Name")] == predicates()


def test_a_difference_holds_where_it_is_said_to_hold(page: Any) -> None:
    for row in page.rows("Name"):
        at = ORDER.index(MacVersion(row["LoRaWAN"].removeprefix("to ")))
        expected = ORDER[: at + 1] if row["LoRaWAN"].startswith("to ") else ORDER[at:]
        holds = getattr(versions, row["Name"])
        assert [version for version in ORDER if holds(version)] == expected, row["Name"]


def test_every_difference_is_told_with_its_section(page: Any) -> None:
    for row in page.rows("Name"):
        assert row["What is so there"].endswith("."), row["Name"]
        assert re.search(r"\d+\.\d+", row["Section"]), row["Name"]


def test_a_section_is_the_one_that_the_code_names(page: Any) -> None:
    """Where the code names one: a number of a chapter, behind a version and a comma."""
    for row in page.rows("Name"):
        named = set(re.findall(r"\d+\.\d+(?:\.\d+)*", getattr(versions, row["Name"]).__doc__))
        told = set(re.findall(r"\d+\.\d+(?:\.\d+)*", row["Section"]))
        chapters = {one for one in named if one not in {"1.0.2", "1.0.3", "1.0.4", "1.1"}}
        assert not chapters or told & chapters, row["Name"]


def test_the_behaviour_behind_every_difference_has_a_test(page: Any) -> None:
    missing = [one for row in page.rows("Name") for one in page.missing_tests(row["Test"])]
    assert missing == []
    assert all("lorawan/" not in row["Test"] for row in page.rows("Name")), "of the name alone"


def test_what_else_the_page_names_is_there(page: Any) -> None:
    assert page.missing_paths() == []
    assert page.dangling_links() == []


def test_a_test_that_is_not_there_is_found(page: Any) -> None:
    assert page.missing_tests("mac/test_uplink.py::test_that_nobody_wrote") != []
    assert page.missing_tests("mac/test_nothing.py::test_at_all") != []
    assert page.missing_tests("mac/test_uplink.py") != []
