"""The command line as a person types it, over a data directory of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from bittern.cli import app
from bittern.config import Configuration
from bittern.installation import opened_store
from bittern.store.protocol import Store
from bittern.types import Instant

T = TypeVar("T")


class Done:
    """What one command did."""

    def __init__(self, exit_code: int, stdout: str, stderr: str) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


class CommandLine:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *arguments: str | Path, stdin: str | None = None) -> Done:
        """Raises whatever is not told to the person but escapes as a fault."""
        texts = [str(one) for one in arguments]
        result = CliRunner().invoke(app, texts, input=stdin, prog_name="bittern")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def done(self, *arguments: str | Path, stdin: str | None = None) -> Done:
        """A command that must succeed."""
        done = self(*arguments, stdin=stdin)
        assert done.exit_code == 0, done.stderr
        return done

    def stored(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """What the store says, whatever the command line printed."""

        async def asking() -> T:
            async with opened_store(Configuration(data_dir=self.data_dir), Instant(0.0)) as store:
                return await work(store)

        return asyncio.run(asking())


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """`serve` and `demo` take the log of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(autouse=True)
def _process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `serve` forbids its process is for good."""
    monkeypatch.setattr("bittern.cli.serve.harden", lambda configuration: None)


@pytest.fixture
def bittern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    for name in [name for name in os.environ if name.startswith("BITTERN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BITTERN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(tmp_path / "data")
