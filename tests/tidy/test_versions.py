"""Only lorawan/versions.py knows what differs between the versions of LoRaWAN."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bittern.lorawan import versions
from bittern.lorawan.versions import MacVersion

SOURCE = Path(__file__).parents[2] / "src/bittern"
INDEPENDENT = {"simulator", "testing"}
"""Devices are written from the specification a second time; tests name versions."""
MEMBERS = {member.name for member in MacVersion}


def modules() -> list[Path]:
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if path != Path(versions.__file__) and path.relative_to(SOURCE).parts[0] not in INDEPENDENT
    ]


def comparisons(tree: ast.AST) -> list[int]:
    """Lines on which something is compared with, or matched against, a version by name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.MatchValue)
        and any(isinstance(one, ast.Attribute) and one.attr in MEMBERS for one in ast.walk(node))
    ]


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_else_compares_versions(module: Path) -> None:
    assert comparisons(ast.parse(module.read_text(encoding="utf-8"))) == []


def test_a_comparison_is_found() -> None:
    code = "if version is MacVersion.LORAWAN_1_1: ...\nx = v in (MacVersion.LORAWAN_1_0_4, w)"
    assert comparisons(ast.parse(code)) == [1, 2]


def test_every_difference_has_a_name_that_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in modules())
    predicates = [
        node.name
        for node in ast.parse(Path(versions.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert [name for name in predicates if name not in text] == []
