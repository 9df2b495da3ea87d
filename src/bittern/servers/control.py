"""The control socket of a running server: see ``control_messages.py`` for what is said over it.

Who may open the file may ask; on which gateway something may be done is decided here, by what is
registered, and every use is logged with who it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, NamedTuple, Self

import msgspec

from bittern.errors import StoreError
from bittern.gateway.lns_messages import ShellSession
from bittern.servers.admission import GatewayDirectory
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
    decode_input,
    decode_request,
    encode_line,
)
from bittern.servers.lns_remote import Remote
from bittern.servers.local_socket import listen
from bittern.store.audit_records import AuditRecord, Outcome
from bittern.store.records import Gateway
from bittern.types import GatewayEUI, Instant

logger = logging.getLogger("bittern.servers.control")

REQUEST_S = 10.0
"""For the first line, and for the station's answer."""
IDLE_S = 1800.0
"""A shell into which nothing is typed for so long is ended."""
INPUT_BYTES_PER_S = 20_000
"""A station has room for 4096 bytes of input, and ends a shell whose input does not fit."""
UNREAD_BYTES = 1024 * 1024
"""A terminal that is further behind is given up."""
OUTPUT_BYTES = 32 * 1024
"""In one line."""
CONNECTIONS = 32
"""At a time."""


class Who(NamedTuple):
    """The other end of the socket, by the kernel."""

    name: str
    uid: int
    pid: int

    def __str__(self) -> str:
        return f"user={self.name} uid={self.uid} pid={self.pid}"


async def _unrecorded(record: AuditRecord) -> None:
    """Nobody keeps a log."""


def _at_no_time() -> Instant:
    return Instant(0.0)


class Control:
    """Listens inside its context. ``remote_of`` finds what may be done on a connected gateway."""

    def __init__(
        self,
        path: Path,
        *,
        directory: GatewayDirectory,
        remote_of: Callable[[GatewayEUI], Remote | None],
        record: Callable[[AuditRecord], Awaitable[None]] = _unrecorded,
        now: Callable[[], Instant] = _at_no_time,
    ) -> None:
        """`record` keeps the audit log: nothing is done that it does not take."""
        self._path = path
        self._record = record
        self._now = now
        self._directory = directory
        self._remote_of = remote_of
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        listener = listen(self._path)
        self._server = await asyncio.start_unix_server(
            self._connected, sock=listener, limit=LINE_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        line = _Line(reader, writer)
        try:
            line.say(await self._served(line))
        except asyncio.CancelledError:
            line.say(Ended("the server is shutting down"))
        except Exception:
            logger.exception("control=%s not served", line.who)
        finally:
            writer.close()

    async def _served(self, line: _Line) -> Answer:
        """The last thing to be said."""
        try:
            who, request = line.who, await self._request(line)
            try:
                gateway, remote = await self._allowed(request)
            except _Refusing as refusing:
                await self._keep(who, request, None, "denied", str(refusing))
                raise
            await self._keep(who, request, gateway, "done")
            match request:
                case RunOnGateway():
                    return _run(request, gateway, remote, who)
                case OpenShell():
                    return await _shell(request, gateway, remote, line)
                case AskShells():
                    return await _asked(remote)
        except _Refusing as refusing:
            logger.warning("remote=refused %s reason=%r", line.who, str(refusing))
            return Refused(str(refusing))

    async def _keep(
        self, who: Who, request: Request, gateway: Gateway | None, outcome: Outcome, why: str = ""
    ) -> None:
        """In the audit log, before it is done. What is asked about shells changes nothing."""
        if isinstance(request, AskShells):
            return
        detail: dict[str, object] = {"uid": who.uid, "pid": who.pid}
        if isinstance(request, RunOnGateway):
            # An argument may be a password.
            detail |= {"command": request.command, "arguments": len(request.arguments)}
        record = AuditRecord(
            at=self._now(),
            account="" if gateway is None else gateway.account,
            actor=f"cli:{who.name}",
            action="gateway:command" if isinstance(request, RunOnGateway) else "gateway:shell",
            resource=str(request.gateway),
            outcome=outcome,
            detail=msgspec.json.encode(detail | ({"reason": why} if why else {})).decode(),
        )
        try:
            await self._record(record)
        except StoreError as error:
            raise _Refusing(str(error)) from None

    async def _request(self, line: _Line) -> Request:
        try:
            async with asyncio.timeout(REQUEST_S):
                request = decode_request(await line.read())
        except TimeoutError:
            raise _Refusing("no request in time") from None
        except (ValueError, RecursionError) as error:
            raise _Refusing(f"not a request: {error}") from None
        # The file's permissions say so already.
        if line.who.uid not in (0, os.getuid()):
            raise _Refusing("only the server's own user may ask")
        if len(self._tasks) > CONNECTIONS:
            raise _Refusing(f"{CONNECTIONS} others are being served")
        return request

    async def _allowed(self, request: Request) -> tuple[Gateway, Remote]:
        eui = request.gateway
        try:
            gateway = await self._directory.gateway(eui)
        except StoreError as error:
            raise _Refusing(str(error)) from None
        if gateway is None:
            raise _Refusing(f"gateway {eui} is not registered")
        if reason := _forbidden(request, gateway):
            raise _Refusing(reason)
        remote = self._remote_of(eui)
        if remote is None:
            raise _Refusing(f"gateway {eui} is not connected")
        if not isinstance(request, RunOnGateway) and not remote.has_shells:
            raise _Refusing(f"the station of gateway {eui} was built without remote shells")
        return gateway, remote


class _Refusing(Exception):
    """Ends a request."""


class _Line:
    """Whoever has opened the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.who = who_of(writer.get_extra_info("socket"))

    async def read(self) -> bytes:
        """A line; empty at the end. Raises ValueError where it is too long."""
        return await self._reader.readline()

    def say(self, answer: Answer) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode_line(answer))

    @property
    def unread(self) -> int:
        """Bytes that the other end has not taken yet."""
        return self._writer.transport.get_write_buffer_size()


class _Terminal:
    """A shell, between its gateway and whoever has opened it."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self.began = asyncio.Event()
        self.is_over = asyncio.Event()
        self.reason = "ended by the user"
        self.bytes_out = 0

    def opened(self, session: int) -> None:
        self._line.say(Opened(session))
        self.began.set()

    def output(self, data: bytes) -> None:
        self.bytes_out += len(data)
        if self._line.unread > UNREAD_BYTES:
            self.ended("the terminal is too far behind")
        elif not self.is_over.is_set():
            for start in range(0, len(data), OUTPUT_BYTES):
                self._line.say(Output(data[start : start + OUTPUT_BYTES]))

    def ended(self, reason: str) -> None:
        if not self.is_over.is_set():
            self.reason = reason
            self.is_over.set()
        self.began.set()


def _forbidden(request: Request, gateway: Gateway) -> str | None:
    """Why it is not done on this gateway, with the cure."""
    kind: Literal["commands", "shell"]
    kind = "commands" if isinstance(request, RunOnGateway) else "shell"
    if gateway.remote_commands if kind == "commands" else gateway.remote_shell:
        return None
    eui = gateway.gateway_eui
    return (
        f"remote {kind} not allowed for gateway {eui}:"
        f" `bittern gateway set {eui} --allow-remote-{kind}` allows it"
    )


def _run(request: RunOnGateway, gateway: Gateway, remote: Remote, who: Who) -> Answer:
    try:
        remote.run(request.command, request.arguments)
    except ValueError as error:
        raise _Refusing(str(error)) from None
    logger.info(
        "remote=command gateway=%s %s command=%r arguments=%.1000r",
        *(gateway.gateway_eui, who, request.command, request.arguments),
    )
    return Sent()


async def _asked(remote: Remote) -> Answer:
    answer: asyncio.Future[tuple[ShellSession, ...] | None]
    answer = asyncio.get_running_loop().create_future()

    def answered(sessions: tuple[ShellSession, ...] | None) -> None:
        if not answer.done():
            answer.set_result(sessions)

    remote.ask(answered)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REQUEST_S):
            if (sessions := await answer) is not None:
                return Shells(sessions)
    raise _Refusing("the gateway does not answer")


async def _shell(request: OpenShell, gateway: Gateway, remote: Remote, line: _Line) -> Answer:
    terminal = _Terminal(line)
    session = remote.open_shell(line.who.name, request.term, terminal)
    if session is None:
        raise _Refusing("both shells of the gateway are in use")
    told = f"gateway={gateway.gateway_eui} session={session} {line.who}"
    logger.info("remote=shell %s", told)
    try:
        await _until_over(terminal, session, remote, line)
    finally:
        remote.close_shell(session, terminal)
        logger.info("remote=shell-ended %s bytes=%d", told, terminal.bytes_out)
    return Ended(terminal.reason)


async def _until_over(terminal: _Terminal, session: int, remote: Remote, line: _Line) -> None:
    typing = asyncio.create_task(_typed_in(terminal, session, remote, line), name="remote: typing")
    over = asyncio.create_task(terminal.is_over.wait(), name="remote: end of a shell")
    try:
        await asyncio.wait((typing, over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (typing, over):
            task.cancel()
        await asyncio.gather(typing, over, return_exceptions=True)
    if typing.done() and not typing.cancelled() and (error := typing.exception()) is not None:
        raise error


async def _typed_in(terminal: _Terminal, session: int, remote: Remote, line: _Line) -> None:
    """Until the user ends it, hangs up, or says something else."""
    try:
        async with asyncio.timeout(REQUEST_S):
            await terminal.began.wait()
        while True:
            async with asyncio.timeout(IDLE_S):
                text = await line.read()
            said = decode_input(text) if text else End()
            if isinstance(said, End):
                return
            for start in range(0, len(said.data), 1024):
                part = said.data[start : start + 1024]
                remote.type_in(session, part)
                await asyncio.sleep(len(part) / INPUT_BYTES_PER_S)
    except TimeoutError:
        idle = f"nothing was typed for {IDLE_S:g} s"
        terminal.ended(idle if terminal.began.is_set() else "the gateway does not answer")
    except (ValueError, RecursionError) as error:
        terminal.ended(f"not input for a shell: {error}")


def who_of(connection: socket.socket) -> Who:
    """Who has opened a unix socket, as the kernel knows it."""
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Who(name, uid, pid)
