"""`bittern tail`: what the server sees, as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.event_text import EVENTS, line_of
from bittern.cli.group import verb
from bittern.cli.workspace import Workspace
from bittern.network.events import NetworkEvent
from bittern.servers.feed import Lost, Watching, decode_line
from bittern.servers.local_socket import reachable
from bittern.types import EUI64

app = verb()


class Wanted(msgspec.Struct, frozen=True):
    """What to show. Empty: everything."""

    dev_euis: frozenset[EUI64]
    events: frozenset[str]

    def includes(self, event: NetworkEvent) -> bool:
        name = str(event.__struct_config__.tag)
        if self.events and name not in self.events:
            return False
        return not self.dev_euis or getattr(event, "dev_eui", None) in self.dev_euis


def _event(text: str) -> str:
    if text not in EVENTS:
        raise ValueError(f"{text!r} is no event; there are {', '.join(EVENTS)}")
    return text


@app.command()
def tail(
    *,
    dev_eui: Annotated[
        list[EUI64] | None,
        typer.Option(
            "--dev-eui",
            metavar="DEVEUI",
            parser=parameters.parsed(EUI64.from_hex),
            help="Only what is of this device. May be repeated.",
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="EVENT",
            parser=parameters.parsed(_event),
            help=f"Only events of this kind. May be repeated. There are: {', '.join(EVENTS)}.",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many lines.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line each.")] = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show uplinks, joins, downlinks and refusals live, until Ctrl-C or the server's end."""
    workspace = Workspace.of(data_dir, config)
    wanted = Wanted(frozenset(dev_eui or ()), frozenset(event or ()))
    with contextlib.suppress(KeyboardInterrupt):
        if not asyncio.run(_follow(workspace.layout.feed_socket, wanted, count, as_json)):
            raise typer.Exit(1)


async def _follow(socket: Path, wanted: Wanted, count: int | None, as_json: bool) -> bool:
    """False: there is no server."""
    try:
        with reachable(socket) as name:
            reader, writer = await asyncio.open_unix_connection(name)
    except (FileNotFoundError, ConnectionRefusedError):
        output.complain(f"no server runs on {socket.parent.parent}")
        return False
    try:
        await _print_lines(reader, wanted, count, as_json)
    finally:
        writer.close()
    return True


async def _print_lines(
    reader: asyncio.StreamReader, wanted: Wanted, count: int | None, as_json: bool
) -> None:
    console = output.console()
    shown = 0
    while line := await reader.readline():
        decoded = decode_line(line)
        if isinstance(decoded, Watching):
            output.say(f"watching bittern {decoded.version}")
        if isinstance(decoded, Lost):
            output.say(f"{decoded.count} events lost: too slow to show them all")
        if isinstance(decoded, Watching | Lost) or not wanted.includes(decoded):
            continue
        if as_json:
            sys.stdout.write(line.decode())
            sys.stdout.flush()
        else:
            console.print(line_of(decoded, with_date=not console.is_terminal), soft_wrap=True)
        shown += 1
        if shown == count:
            return
    output.say("the server has ended")
