"""What an administrator does on a gateway, over its data connection: run a command, open a shell.

Whether he may is decided before, in ``control.py``; here it is carried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from bittern.gateway.lns_messages import (
    Message,
    RemoteShellStatus,
    RunCommand,
    ShellSession,
    encode,
)
from bittern.gateway.remote_shell import (
    FEATURE,
    RemoteShells,
    ShellClosed,
    ShellEvent,
    ShellOpened,
    ShellOutput,
    ShellsReported,
    ShellStray,
)

ARGUMENTS = 64
"""A station takes so many of a command."""
MESSAGE_BYTES = 40 * 1024
"""A station closes on a longer message."""


class Terminal(Protocol):
    """The administrator's end of a shell. Called on the event loop: it must not block."""

    def opened(self, session: int) -> None: ...
    def output(self, data: bytes) -> None: ...
    def ended(self, reason: str) -> None: ...


class Remote:
    """For one data connection that is open."""

    def __init__(
        self,
        features: Sequence[str],
        send: Callable[[str | bytes], None],
        refuse: Callable[[str], None],
    ) -> None:
        """``send`` takes texts and binary frames, ``refuse`` tells what the station should not
        have sent."""
        self.has_shells = FEATURE in features
        self._send = send
        self._refuse = refuse
        self._shells = RemoteShells()
        self._terminals: dict[int, Terminal] = {}
        self._asking: list[Callable[[tuple[ShellSession, ...] | None], None]] = []

    def run(self, command: str, arguments: Sequence[str]) -> None:
        """The station does not answer. Raises ValueError where it would not take the message."""
        if len(arguments) > ARGUMENTS:
            raise ValueError(f"a station takes {ARGUMENTS} arguments, not {len(arguments)}")
        if any("\0" in text for text in (command, *arguments)):
            raise ValueError("a command is text without zero bytes")
        text = encode(RunCommand(command=command, arguments=tuple(arguments)))
        if len(text.encode()) >= MESSAGE_BYTES:
            raise ValueError(f"a station takes less than {MESSAGE_BYTES} bytes of a command")
        self._send(text)

    def open_shell(self, user: str, term: str, terminal: Terminal) -> int | None:
        """The session that begins; None: both are in use. The terminal hears when it is open."""
        started = self._shells.start(user, term)
        if started is None:
            return None
        session, message = started
        self._terminals[session] = terminal
        self._say(message)
        return session

    def type_in(self, session: int, data: bytes) -> None:
        for frame in self._shells.type_in(session, data):
            self._send(frame)

    def close_shell(self, session: int, terminal: Terminal) -> None:
        """End it, unless it is somebody else's by now."""
        if self._terminals.get(session) is terminal:
            del self._terminals[session]
            if (message := self._shells.stop(session)) is not None:
                self._say(message)

    def ask(self, answered: Callable[[tuple[ShellSession, ...] | None], None]) -> None:
        """How the station's shells are, its own of older connections too; None: it is gone."""
        self._asking.append(answered)
        self._say(self._shells.ask())

    def end_shells(self, reason: str) -> None:
        """They are no longer allowed."""
        for session, terminal in list(self._terminals.items()):
            self.close_shell(session, terminal)
            terminal.ended(reason)

    def gone(self, reason: str) -> None:
        """The data connection has ended."""
        terminals, self._terminals = self._terminals, {}
        for terminal in terminals.values():
            terminal.ended(reason)
        asking, self._asking = self._asking, []
        for answered in asking:
            answered(None)

    # From the station

    def on_status(self, status: RemoteShellStatus) -> None:
        self._follow(self._shells.on_status(status))

    def on_binary(self, frame: bytes) -> None:
        """Raises GatewayProtocolError where it is of no shell."""
        self._follow(self._shells.on_binary(frame))

    def _follow(self, events: Sequence[ShellEvent]) -> None:
        for event in events:
            match event:
                case ShellOpened(session):
                    if terminal := self._terminals.get(session):
                        terminal.opened(session)
                case ShellOutput(session, data):
                    if terminal := self._terminals.get(session):
                        terminal.output(data)
                case ShellClosed(session, reason):
                    if terminal := self._terminals.pop(session, None):
                        terminal.ended(reason)
                case ShellStray(session, stop):
                    self._refuse(f"output of remote shell {session}, which nobody has opened")
                    self._say(stop)
                case ShellsReported(sessions):
                    self._asking.pop(0)(sessions)
                case _:
                    assert_never(event)

    def _say(self, message: Message) -> None:
        self._send(encode(message))
