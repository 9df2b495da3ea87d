"""Each module is covered by tests of its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/bittern"
UNIT = ROOT / "tests/unit"

WITHOUT_A_TEST_OF_ITS_NAME: set[str] = set()
"""Modules tested elsewhere, each with the reason."""


def modules() -> list[Path]:
    return sorted(
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    )


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_module_has_a_test_of_its_name(module: Path) -> None:
    expected = UNIT / module.with_name(f"test_{module.name}")
    assert expected.is_file() or str(module) in WITHOUT_A_TEST_OF_ITS_NAME


@pytest.mark.parametrize(
    "test", sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py")), ids=str
)
def test_a_unit_test_has_its_module(test: Path) -> None:
    folder = ROOT if test.parts[0] == "bench" else SOURCE
    module = folder / test.with_name(test.name.removeprefix("test_"))
    assert module.is_file() or module.with_suffix("").is_dir()


def test_no_exception_is_out_of_date() -> None:
    assert {str(module) for module in modules()} >= WITHOUT_A_TEST_OF_ITS_NAME


def test_every_package_says_what_it_is() -> None:
    for package in (path for path in SOURCE.rglob("*") if any(path.glob("*.py"))):
        initial = package / "__init__.py"
        assert initial.is_file(), f"{package.relative_to(ROOT)} has no __init__.py"
        assert initial.read_text(encoding="utf-8").startswith('"""'), initial


def test_test_folders_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
