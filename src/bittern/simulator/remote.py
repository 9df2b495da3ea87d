"""What a station does for its administrator. Here commands are kept and run nowhere, and the two
shells say what is typed into them, until it is ``exit``.

As a genuine one it starts no second shell in a session, answers every ``rmtsh`` with its status,
says the end of a shell by an empty frame, and keeps its shells when it loses the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

SESSIONS = 2


@dataclass(slots=True)
class RemoteAccess:
    """Of one station."""

    commands: list[tuple[str, list[str]]] = field(default_factory=list)
    users: list[str | None] = field(default_factory=lambda: [None] * SESSIONS)
    """Who has a shell in each session; None: nobody."""

    def run(self, message: dict[str, Any]) -> None:
        """``runcmd``, which is not answered."""
        self.commands.append((message["command"], message.get("arguments", [])))

    def control(self, message: dict[str, Any]) -> list[str | bytes]:
        """``rmtsh``: what the station sends then."""
        said: list[str | bytes] = []
        stopped, started = message.get("stop"), message.get("start")
        if stopped is not None and self.users[stopped] is not None:
            said.append(self._end(stopped))
        if started is not None and self.users[started] is None:
            self.users[started] = message.get("user", "")
        return [*said, self._status()]

    def type_in(self, frame: bytes) -> list[str | bytes]:
        """A binary frame of the server."""
        session, text = frame[0], frame[1:]
        if self.users[session] is None:
            return []
        return [frame, self._end(session)] if b"exit\n" in text else [frame]

    def _end(self, session: int) -> bytes:
        self.users[session] = None
        return bytes((session,))

    def _status(self) -> str:
        shells = [
            {"user": user or "", "started": user is not None, "age": 0, "pid": 1000 + session}
            for session, user in enumerate(self.users)
        ]
        return msgspec.json.encode({"msgtype": "rmtsh", "rmtsh": shells}).decode()
