"""The two remote shells of a station, over one data connection, without input or output.

    closed    --start-->            starting
    starting  --status: started-->  open
    starting  --status: not-->      closed
    open      --the shell ends-->   closed
    starting, open --stop-->        stopping
    stopping  --status-->           closed

A station keeps its shells when it loses the connection, and answers ``start`` with nothing where
one runs: whoever starts a shell here stops what was left of an older one in the same message, and a
shell that talks though nobody opened it is stopped. Every ``rmtsh`` is answered with one status, in
order. Binary frames carry the terminal: byte 0 is the session; that byte alone is the shell's end.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

import msgspec

from bittern.errors import GatewayProtocolError
from bittern.gateway.lns_messages import RemoteShell, RemoteShellStatus, ShellSession

SESSIONS = 2
FEATURE = "rmtsh"
"""What the station names among its features where it has shells."""
INPUT_BYTES = 1024
"""Of terminal input in one frame. A station has room for four of them, and ends a shell whose
input does not fit."""
EARLY_BYTES = 64 * 1024
"""Of output kept until the station has said that the shell runs."""


class ShellOpened(msgspec.Struct, frozen=True):
    session: int


class ShellOutput(msgspec.Struct, frozen=True):
    session: int
    data: bytes


class ShellClosed(msgspec.Struct, frozen=True):
    """It ended at the station, or never began."""

    session: int
    reason: str


class ShellStray(msgspec.Struct, frozen=True):
    """A shell talks that nobody opened over this connection: send ``stop``."""

    session: int
    stop: RemoteShell


class ShellsReported(msgspec.Struct, frozen=True):
    """The answer to `RemoteShells.ask`."""

    sessions: tuple[ShellSession, ...]


ShellEvent = ShellOpened | ShellOutput | ShellClosed | ShellStray | ShellsReported


class _State(Enum):
    CLOSED = auto()
    STARTING = auto()
    OPEN = auto()
    STOPPING = auto()


class RemoteShells:
    """What the server knows of a station's shells since it connected."""

    def __init__(self) -> None:
        self._early = [b""] * SESSIONS
        self._states = [_State.CLOSED] * SESSIONS
        self._asked: deque[int | None] = deque()

    def start(self, user: str, term: str) -> tuple[int, RemoteShell] | None:
        """A free session, and the message that starts it; None: both are in use."""
        for session, state in enumerate(self._states):
            if state is _State.CLOSED:
                self._states[session] = _State.STARTING
                self._early[session] = b""
                return session, self._asking(
                    session, RemoteShell(user=user, term=term, start=session, stop=session)
                )
        return None

    def stop(self, session: int) -> RemoteShell | None:
        """The message that ends a shell; None: it has ended."""
        if self._states[session] not in (_State.STARTING, _State.OPEN):
            return None
        return self._stopping(session)

    def ask(self) -> RemoteShell:
        """The message that asks how all shells are."""
        return self._asking(None, RemoteShell())

    def type_in(self, session: int, data: bytes) -> list[bytes]:
        """Binary frames that carry terminal input; none where the shell is not open."""
        if self._states[session] is not _State.OPEN:
            return []
        return [
            bytes((session,)) + data[start : start + INPUT_BYTES]
            for start in range(0, len(data), INPUT_BYTES)
        ]

    def on_status(self, status: RemoteShellStatus) -> list[ShellEvent]:
        """The answer to the oldest message that has none yet. One too many says nothing."""
        if not self._asked:
            return []
        session = self._asked.popleft()
        if session is None:
            return [ShellsReported(status.rmtsh)]
        started = session < len(status.rmtsh) and status.rmtsh[session].started
        match self._states[session]:
            case _State.STARTING if started:
                self._states[session] = _State.OPEN
                early = self._early[session]
                output: list[ShellEvent] = [ShellOutput(session, early)] if early else []
                return [ShellOpened(session), *output]
            case _State.STARTING:
                self._states[session] = _State.CLOSED
                return [ShellClosed(session, "the gateway could not start a shell")]
            case _State.STOPPING if session not in self._asked:
                self._states[session] = _State.CLOSED
        return []

    def on_binary(self, frame: bytes) -> list[ShellEvent]:
        """A binary frame of the station. Raises GatewayProtocolError where it is of no session."""
        if not frame or frame[0] >= SESSIONS:
            raise GatewayProtocolError("a binary message of no remote shell")
        session, data = frame[0], frame[1:]
        match self._states[session]:
            case _State.OPEN if not data:
                self._states[session] = _State.CLOSED
                return [ShellClosed(session, "the shell has ended")]
            case _State.OPEN:
                return [ShellOutput(session, data)]
            case _State.STARTING:
                # An empty frame ends a shell that was left; what it said is nobody's.
                early = self._early[session] + data if data else b""
                self._early[session] = early[:EARLY_BYTES]
            case _State.CLOSED if data:
                return [ShellStray(session, self._stopping(session))]
        return []

    def _stopping(self, session: int) -> RemoteShell:
        self._states[session] = _State.STOPPING
        return self._asking(session, RemoteShell(stop=session))

    def _asking(self, session: int | None, message: RemoteShell) -> RemoteShell:
        self._asked.append(session)
        return message
