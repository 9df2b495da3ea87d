"""The import contracts hold, and would notice if they did not."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/bittern"
PURE = ("types.py", "errors.py", "lorawan", "mac", "gateway", "rules")
IMPURE_MODULES = {
    "asyncio", "logging", "multiprocessing", "os", "pathlib", "queue", "random", "secrets",
    "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
    "threading", "time", "uuid",
}  # fmt: skip
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}

LAYERS = "Layers: top may import down"
PURITY = "Pure packages have no clock"
PORTS = "The network sees ports"
OUTSIDE = "The simulator is seen from outside"
ROOT_OF_ALL = "Only the command line imports the composition root"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the copy of the project in ``folder``."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(SOURCE, tmp_path / "src/bittern", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("types", "bittern.lorawan", LAYERS),
        ("lorawan.intruder", "bittern.mac", LAYERS),
        ("mac.intruder", "bittern.gateway", LAYERS),
        ("gateway.intruder", "bittern.config", LAYERS),
        ("config.intruder", "bittern.pki", LAYERS),
        ("store.intruder", "bittern.outputs", LAYERS),
        ("pki.intruder", "bittern.network", LAYERS),
        ("network.intruder", "bittern.api", LAYERS),
        ("api.intruder", "bittern.servers", LAYERS),
        ("servers.intruder", "bittern.console", LAYERS),
        ("testing.intruder", "bittern.app", LAYERS),
        ("app", "bittern.cli", LAYERS),
        ("unplaced", "bittern.types", LAYERS),
        ("types", "time", PURITY),
        ("lorawan.intruder", "random", PURITY),
        ("mac.intruder", "asyncio", PURITY),
        ("gateway.intruder", "ssl", PURITY),
        ("rules.intruder", "os", PURITY),
        ("network.intruder", "bittern.store.sqlite", PORTS),
        ("network.intruder", "bittern.outputs", PORTS),
        ("simulator.intruder", "bittern.mac", OUTSIDE),
        ("simulator.intruder", "bittern.store", OUTSIDE),
        ("console.intruder", "bittern.app", ROOT_OF_ALL),
    ],
)
def test_a_broken_contract_is_noticed(
    copy: Path, importer: str, imported: str, contract: str
) -> None:
    intruder = copy / "src/bittern" / f"{importer.replace('.', '/')}.py"
    if not intruder.exists() and intruder.with_suffix("").is_dir():
        intruder = intruder.with_suffix("") / "__init__.py"
    with intruder.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    done = lint(copy)
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert done.returncode == 1
    assert any(line.startswith(contract) for line in broken), done.stdout + done.stderr


def pure_files() -> list[Path]:
    files = [SOURCE / name for name in PURE if name.endswith(".py")]
    return files + [path for name in PURE for path in sorted((SOURCE / name).rglob("*.py"))]


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_pure_module_asks_nothing_of_the_world(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "import os.path",
        "from asyncio import Queue",
        "def f():\n    import socket",
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import date\nx = date.today()",
        "x = open('file')",
    ],
)
def test_an_impure_module_is_noticed(text: str) -> None:
    assert len(impurities(text)) == 1


def impurities(text: str) -> list[str]:
    """Imports and calls by which a module would reach a clock, a file, a socket or chance."""
    found = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names):
                found += [name.name for name in names if top(name.name) in IMPURE_MODULES]
            case ast.ImportFrom(module=str(module), level=0) if top(module) in IMPURE_MODULES:
                found.append(module)
            case ast.Call(ast.Attribute(owner, name)) if (last(owner), name) in CLOCKS:
                found.append(f"{last(owner)}.{name}")
            case ast.Call(ast.Name("open")):
                found.append("open")
    return found


def top(module: str) -> str:
    return module.partition(".")[0]


def last(owner: ast.expr) -> str:
    return ast.unparse(owner).rpartition(".")[2]
