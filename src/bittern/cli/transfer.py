"""How far a long copy is: a bar in a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bittern.cli.output import console
from bittern.upkeep.backup import Progress


@contextmanager
def shown() -> Iterator[Progress]:
    """A bar for each file, on standard error."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    screen = console(error=True)
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def progress(name: str, at: int, of: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=of or None)
        bars.update(tasks[name], completed=at, total=of or None)

    with bars:
        yield progress
