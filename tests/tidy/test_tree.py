"""What may not stand in the project's files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "bench", "docs", ".ci")
SUFFIXES = {"", ".md", ".py", ".toml", ".lock", ".sql", ".json", ".js", ".html", ".css", ".lark"}
LOCKS = ("requirements.lock", "requirements-dev.lock")

# One letter of each stands in brackets: these tests read themselves too.
ADDRESSES = re.compile(
    r"py[p]i\.org|python[h]osted|npm[j]s\.|crates[.]io|proxy\.[g]olang|debia[n]\.org"
    r"|--(extra-)?[i]ndex-url|--find[-]links"
)
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HAC[K])\b")
MACHINES = re.compile(r"(?<![\w.])/(wor[k]|roo[t]|far[m]|home/\w+)/")


def files() -> list[Path]:
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return sorted(
        path for path in found if path.suffix in SUFFIXES and "__pycache__" not in path.parts
    )


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_registry() -> None:
    assert lines_with(ADDRESSES) == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert lines_with(MACHINES) == []


def test_nothing_is_left_for_later_in_a_comment() -> None:
    assert lines_with(UNFINISHED) == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert ADDRESSES.search("--{}-url https://mirror.example/simple".format("index"))
    assert UNFINISHED.search("# {}DO: later".format("TO"))
    assert MACHINES.search("open('/{}/x')".format("root"))


def test_keys_are_revealed_in_two_places_only() -> None:
    source = ROOT / "src/bittern"
    revealing = {
        path.relative_to(source)
        for path in source.rglob("*.py")
        if ".reveal(" in path.read_text(encoding="utf-8")
    }
    allowed = {path for path in revealing if path.parts[0] == "store"}
    assert revealing - allowed <= {Path("lorawan/crypto.py")}
    assert Path("lorawan/crypto.py") in revealing


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_carries_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    requirements = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(requirements) > 10
    assert all(re.match(r"[\w.\[\]-]+==\S+ .*\\$", line) for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_every_dependency(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    if name == "requirements-dev.lock":
        wanted += project["optional-dependencies"]["dev"]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(encoding="utf-8"), re.M))
    assert {re.split(r"[^\w.-]", name)[0] for name in wanted} <= locked


def test_both_lock_files_agree() -> None:
    versions = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.M))
        for name in LOCKS
    ]
    assert versions[0].items() <= versions[1].items()


def test_the_makefile_is_short_and_has_its_verbs() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 50
    for verb in ("demo", "serve", "check", "test", "bench", "clean"):
        assert re.search(rf"^{verb}:", text, re.M), verb


def test_the_readme_is_short() -> None:
    assert 20 < len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_architecture_has_a_word_on_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for folder in sorted(path.name for path in (ROOT / "src/bittern").iterdir() if path.is_dir()):
        assert folder == "__pycache__" or f"{folder}/" in text, folder
