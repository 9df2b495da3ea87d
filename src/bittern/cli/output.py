"""How the command line speaks: data on standard output, everything else on standard error.

In a terminal a table; elsewhere the same without colours and frames; with `--json` JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bittern.types import Instant

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def print_json(value: object) -> None:
    """One document, indented; what is for a person to read is for `jq` too."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def console(*, error: bool = False) -> Console:
    """Where nobody sees it as a terminal, lines are not wrapped: programs read them."""
    from rich.console import Console

    made = Console(stderr=error, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=error, highlight=False, width=10_000, color_system=None)
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """`empty` is said, on standard error, where there is no row."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        say(empty)
        return
    shown = console()
    drawn = Table(
        *columns,
        box=box.SIMPLE_HEAD if shown.is_terminal else None,
        pad_edge=False,
        header_style="bold",
    )
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    _print_trimmed(shown, drawn)


def properties(*groups: Mapping[str, str]) -> None:
    """A property on each line, in groups."""
    from rich.table import Table
    from rich.text import Text

    width = max(len(name) for group in groups for name in group)
    for number, group in enumerate(groups):
        drawn = Table.grid(padding=(0, 2))
        drawn.add_column(min_width=width)
        for name, value in group.items():
            drawn.add_row(Text(name, style="dim"), Text(value))
        if number:
            typer.echo()
        _print_trimmed(console(), drawn)


def _print_trimmed(shown: Console, what: RenderableType) -> None:
    """Without the blanks that fill a table's lines up to its width."""
    if shown.is_terminal:
        shown.print(what)
        return
    with shown.capture() as captured:
        shown.print(what)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def say(text: str) -> None:
    """To the person, not to the pipe."""
    typer.echo(text, err=True)


def complain(text: str) -> None:
    """Why something was refused or failed, each line of it."""
    for line in text.splitlines() or [""]:
        typer.secho(f"bittern: {line}", err=True, fg="red" if sys.stderr.isatty() else None)


def local_time(instant: Instant) -> str:
    """For a person, in the time of this machine."""
    return datetime.fromtimestamp(instant).astimezone().isoformat(" ", "seconds")


def utc(instant: Instant) -> str:
    """For a program: RFC 3339 in UTC."""
    text = datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
