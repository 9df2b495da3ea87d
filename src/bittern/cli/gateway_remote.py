"""`bittern gateway run` and `bittern gateway shell`: do something on a gateway, by way of the
running server that it is connected to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, TypeVar

import typer

from bittern.cli import output, parameters
from bittern.cli.owned import gateway_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import BitternError
from bittern.servers.control_messages import (
    LINE_BYTES,
    Answer,
    AskShells,
    End,
    Ended,
    Opened,
    OpenShell,
    Output,
    Refused,
    Request,
    RunOnGateway,
    Sent,
    Shells,
    TypeIn,
    decode_answer,
    encode_line,
)
from bittern.servers.local_socket import reachable
from bittern.types import GatewayEUI

T = TypeVar("T")
ESCAPE = b"\x1d"
"""Ctrl-], as in telnet: ends the shell whatever it is doing."""


class RemoteFailed(BitternError):
    """The server did not do it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def run_(
    eui: parameters.GatewayEuiArgument,
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND [ARGUMENT]...", help="Behind `--`: what it shall run."),
    ],
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Have a connected gateway run a command.

    A path of a program is called with the arguments; anything else goes to `/bin/sh -c`, where they
    are $1, $2 and so on. The gateway does not answer: whether the command was found, and what it
    said, is not known here. For that, use `bittern gateway shell`. It must be allowed for the
    gateway (`gateway set --allow-remote-commands`), and is logged with who it was.
    """
    workspace = Workspace.of(data_dir, config, account)
    request = RunOnGateway(
        gateway=GatewayEUI(eui), command=command[0], arguments=tuple(command[1:])
    )
    run(_one_answer(workspace, request, Sent))
    output.say(f"sent to gateway {eui}; a gateway does not tell what came of it")


def shell(
    *,
    eui: parameters.GatewayEuiArgument,
    status: Annotated[
        bool, typer.Option("--status", help="Tell which shells run on it, and open none.")
    ] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Open a shell on a connected gateway, in this terminal. Ctrl-] ends it.

    Without a terminal, standard input is typed into the shell, and `exit` behind it. It must be
    allowed for the gateway (`gateway set --allow-remote-shell`), and is logged with who it was.
    A gateway has two shells; one that is left alone for half an hour is ended.
    """
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui = GatewayEUI(eui)
    if not status:
        try:
            run(_shell(workspace, gateway_eui))
        except asyncio.CancelledError:
            raise typer.Exit(128 + signal.SIGTERM) from None
        return
    shells = run(_one_answer(workspace, AskShells(gateway=gateway_eui), Shells))
    if as_json:
        output.print_json(shells.sessions)
        return
    output.table(
        ["SHELL", "USER", "PID", "LAST USED"],
        [
            [str(number), one.user, str(one.pid), f"{one.age:.0f} s ago"]
            for number, one in enumerate(shells.sessions)
            if one.started
        ],
        empty="no shell runs on it",
    )


class _Server:
    """The control socket of the running server, with one request under way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def answer(self) -> Answer:
        """Raises `RemoteFailed` where it refuses or has gone."""
        line = await self._reader.readline()
        if not line:
            raise RemoteFailed("the server has ended")
        answer = decode_answer(line)
        if isinstance(answer, Refused):
            raise RemoteFailed(answer.reason)
        return answer

    async def say(self, line: Request | TypeIn | End) -> None:
        self._writer.write(encode_line(line))
        await self._writer.drain()


@contextlib.asynccontextmanager
async def _asking(workspace: Workspace, request: Request) -> AsyncIterator[_Server]:
    await _require_own(workspace, request.gateway)
    path = workspace.layout.control_socket
    try:
        with reachable(path) as name:
            reader, writer = await asyncio.open_unix_connection(name, limit=LINE_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        raise RemoteFailed(f"no server runs on {workspace.layout.data_dir}") from None
    server = _Server(reader, writer)
    try:
        await server.say(request)
        yield server
    except ConnectionError:
        raise RemoteFailed("the server has ended") from None
    finally:
        writer.close()


async def _require_own(workspace: Workspace, gateway_eui: GatewayEUI) -> None:
    """Raises `NotFound` for a gateway of another account. Without a database there is no server,
    which is told by whoever asks it."""
    if workspace.layout.database.exists():
        async with workspace.store() as store:
            await gateway_of(store, workspace.account, gateway_eui)


async def _one_answer(workspace: Workspace, request: Request, kind: type[T]) -> T:
    async with _asking(workspace, request) as server:
        answer = await server.answer()
        if not isinstance(answer, kind):
            raise RemoteFailed(f"the server says {answer!r}")
        return answer


# A shell


async def _shell(workspace: Workspace, gateway_eui: GatewayEUI) -> None:
    keyboard = sys.stdin.fileno()
    is_terminal = os.isatty(keyboard)
    request = OpenShell(gateway=gateway_eui, term=os.environ.get("TERM", "dumb"))
    async with _asking(workspace, request) as server:
        answer = await server.answer()
        if isinstance(answer, Ended):
            raise RemoteFailed(answer.reason)
        if not isinstance(answer, Opened):
            raise RemoteFailed(f"the server says {answer!r}")
        if is_terminal:
            output.say(f"shell {answer.session} of gateway {gateway_eui}; Ctrl-] ends it")
            await server.say(TypeIn(_settled(keyboard)))
        with _raw(keyboard) if is_terminal else contextlib.nullcontext():
            ended = await _until_ended(server, keyboard, is_terminal)
    output.say(ended)


async def _until_ended(server: _Server, keyboard: int, is_terminal: bool) -> str:
    """Why it has ended."""
    typing = asyncio.create_task(_type(server, keyboard, is_terminal), name="typing")
    try:
        while not isinstance(answer := await server.answer(), Ended):
            if isinstance(answer, Output):
                sys.stdout.buffer.write(answer.data)
                sys.stdout.buffer.flush()
        return answer.reason
    finally:
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)


async def _type(server: _Server, keyboard: int, is_terminal: bool) -> None:
    async for data in _typed(keyboard):
        before, escape, _ = data.partition(ESCAPE) if is_terminal else (data, b"", b"")
        if before:
            await server.say(TypeIn(before))
        if escape:
            await server.say(End())
            return
    # What was piped in has all been said, or the terminal is gone.
    await server.say(End() if is_terminal else TypeIn(b"\nexit\n"))


async def _typed(keyboard: int) -> AsyncIterator[bytes]:
    while True:
        await _readable(keyboard)
        data = os.read(keyboard, 1024)
        if not data:
            return
        yield data


async def _readable(keyboard: int) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(keyboard, readable.set)
    except PermissionError:  # a file, of which there is always more to read
        return
    try:
        await readable.wait()
    finally:
        loop.remove_reader(keyboard)


def _settled(keyboard: int) -> bytes:
    """The first line typed. A station opens terminals that neither echo nor know their size."""
    size = os.get_terminal_size(keyboard)
    return f" stty sane rows {size.lines} cols {size.columns}\n".encode()


@contextlib.contextmanager
def _raw(keyboard: int) -> Iterator[None]:
    """Every key goes to the gateway, Ctrl-C too; the terminal is as it was afterwards, also where
    this program is told to end."""
    import termios
    import tty

    before = termios.tcgetattr(keyboard)
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        tty.setraw(keyboard)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
