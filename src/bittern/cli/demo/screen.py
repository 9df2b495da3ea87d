"""How the story is shown: a board that lives in a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import typer
from rich import box
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bittern.cli.demo.story import DeviceState, Happening, Kind, Story

_LOOK: dict[Kind, tuple[str, str]] = {
    "gateway": ("gateway", "magenta"),
    "join": ("join", "bold cyan"),
    "uplink": ("uplink", "green"),
    "queued": ("send", "blue"),
    "downlink": ("downlink", "bold blue"),
    "wrong": ("WRONG", "bold red"),
    "note": ("", ""),
}
WIDE = ("DEVICE", "IS", "DEVADDR", "SENT", "ARRIVED", "DOWN", "LAST SAID", "HEARD AT")
WIDE_FROM = 108
NARROW = ("DEVICE", "IS", "DEVADDR", "ARRIVED", "LAST SAID")
"""For a terminal of 80 columns."""
_NUMBERS = ("SENT", "ARRIVED", "DOWN")
_FRAME = 14
"""Lines of the board that are not the story's."""


class Screen(Protocol):
    def tell(self, happening: Happening) -> None: ...


def line_of(happening: Happening) -> Text:
    """`  7.1 s  uplink    tide gauge   level 2.3 m      FCnt 0 …`"""
    if happening.kind == "note":
        return Text(happening.text, "dim")
    word, style = _LOOK[happening.kind]
    return Text.assemble(
        (f"{happening.at_s:6.1f} s  ", "dim"),
        (f"{word:<9}", style),
        (f"{happening.who:<12} ", "bold"),
        happening.text,
    )


class Lines:
    """One plain line for everything that happens."""

    def tell(self, happening: Happening) -> None:
        typer.echo(line_of(happening).plain.rstrip())


class Board:
    """A table of the devices above the last lines of the story."""

    def __init__(self, story: Story, live: Live) -> None:
        self._story = story
        self._live = live

    def tell(self, happening: Happening) -> None:
        self._live.update(self.drawn(*self._live.console.size), refresh=True)

    def drawn(self, width: int, height: int) -> RenderableType:
        room = max(3, height - _FRAME - len(self._story.devices))
        recent = [line_of(one) for one in list(self._story.lines)[-room:]]
        for line in recent:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(_devices(self._story, width), *recent)


def _devices(story: Story, width: int) -> Table:
    title = f"{story.joins} joins, {story.uplinks} uplinks arrived, {story.downlinks} downlinks"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    shown = WIDE if width >= WIDE_FROM else NARROW
    for column in shown:
        side: JustifyMethod = "right" if column in _NUMBERS else "left"
        table.add_column(column, justify=side, no_wrap=True)
    for device in story.devices.values():
        cells = _cells(device)
        table.add_row(*(cells[column] for column in shown))
    return table


def _cells(device: DeviceState) -> dict[str, Text]:
    joined = device.dev_addr is not None
    return {
        "DEVICE": Text(device.name, "bold"),
        "IS": Text(device.what),
        "DEVADDR": Text(str(device.dev_addr)) if joined else Text("joining", "yellow"),
        "SENT": Text(str(device.sent)),
        "ARRIVED": Text(str(device.arrived), "green" if device.arrived else ""),
        "DOWN": Text(str(device.downlinks or ""), "bold blue"),
        "LAST SAID": Text(device.last_payload),
        "HEARD AT": Text(device.heard),
    }


@contextmanager
def shown(story: Story) -> Iterator[None]:
    """Inside, the story is on the screen."""
    console = Console(highlight=False)
    if not console.is_terminal:
        story.told = Lines().tell
        yield
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        board = Board(story, live)
        story.told = board.tell
        yield
