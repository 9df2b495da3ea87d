"""What is carried between an administrator and the station of one connection."""

from __future__ import annotations

import json

import pytest

from bittern.errors import GatewayProtocolError
from bittern.gateway.lns_messages import RemoteShellStatus, ShellSession
from bittern.servers.lns_remote import ARGUMENTS, MESSAGE_BYTES, Remote


class Terminal:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def opened(self, session: int) -> None:
        self.heard.append(session)

    def output(self, data: bytes) -> None:
        self.heard.append(data)

    def ended(self, reason: str) -> None:
        self.heard.append(reason)


class Station:
    """The other end of a data connection."""

    def __init__(self, *features: str) -> None:
        self.sent: list[str | bytes] = []
        self.refused: list[str] = []
        self.remote = Remote(features or ("rmtsh",), self.sent.append, self.refused.append)

    def says(self, *running: int) -> None:
        shells = tuple(ShellSession(started=session in running) for session in (0, 1))
        self.remote.on_status(RemoteShellStatus(rmtsh=shells))

    def told(self) -> dict[str, object]:
        """The last text."""
        text = self.sent[-1]
        assert isinstance(text, str)
        message = json.loads(text)
        assert isinstance(message, dict)
        return message

    def opened(self) -> Terminal:
        terminal = Terminal()
        session = self.remote.open_shell("ann", "xterm", terminal)
        assert session is not None
        self.says(session)
        return terminal


def test_command_goes_to_the_station_as_it_is() -> None:
    station = Station()
    station.remote.run("echo $1", ("a b", "ä"))
    assert station.told() == {
        "msgtype": "runcmd",
        "command": "echo $1",
        "arguments": ["a b", "ä"],
    }


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("x", ("y",) * (ARGUMENTS + 1)),
        ("x" * MESSAGE_BYTES, ()),
        ("touch a\0b", ()),
        ("touch", ("a\0b",)),
    ],
)
def test_command_that_a_station_would_not_take_is_not_sent(
    command: str, arguments: tuple[str, ...]
) -> None:
    station = Station()
    with pytest.raises(ValueError, match=r"command|arguments"):
        station.remote.run(command, arguments)
    assert station.sent == []


def test_terminal_hears_all_of_its_shell() -> None:
    station = Station()
    terminal = station.opened()
    station.remote.on_binary(b"\x00$ ")
    station.remote.type_in(0, b"exit\n")
    assert station.sent[-1] == b"\x00exit\n"
    station.remote.on_binary(b"\x00")
    assert terminal.heard == [0, b"$ ", "the shell has ended"]


def test_shell_is_started_in_the_name_of_who_opens_it() -> None:
    station = Station()
    station.remote.open_shell("ann", "xterm", Terminal())
    told = station.told()
    assert (told["user"], told["term"], told["start"]) == ("ann", "xterm", 0)


def test_closed_shell_is_stopped_at_the_station_and_silent() -> None:
    station = Station()
    terminal = station.opened()
    station.remote.close_shell(0, terminal)
    assert station.told() == {"msgtype": "rmtsh", "stop": 0}
    station.remote.on_binary(b"\x00late")
    assert terminal.heard == [0]


def test_nobody_closes_the_shell_that_somebody_else_has_opened_since() -> None:
    station = Station()
    older = station.opened()
    station.remote.on_binary(b"\x00")
    newer = station.opened()
    before = len(station.sent)
    station.remote.close_shell(0, older)
    assert len(station.sent) == before
    station.remote.on_binary(b"\x00$ ")
    assert newer.heard == [0, b"$ "]


def test_shells_that_are_no_longer_allowed_end() -> None:
    station = Station()
    terminal = station.opened()
    station.remote.end_shells("not allowed")
    assert terminal.heard == [0, "not allowed"]
    assert station.told() == {"msgtype": "rmtsh", "stop": 0}


def test_end_of_the_connection_ends_everything() -> None:
    station = Station()
    terminal, answers = station.opened(), []
    station.remote.ask(answers.append)
    station.remote.gone("cut")
    assert (terminal.heard, answers) == ([0, "cut"], [None])


def test_answer_goes_to_who_asked() -> None:
    station = Station()
    answers: list[object] = []
    station.remote.ask(answers.append)
    station.says(1)
    assert answers == [(ShellSession(started=False), ShellSession(started=True))]
    station.says(1)
    assert len(answers) == 1


def test_shell_that_nobody_opened_is_refused_and_stopped() -> None:
    station = Station()
    station.remote.on_binary(b"\x01boo")
    assert station.refused == ["output of remote shell 1, which nobody has opened"]
    assert station.told() == {"msgtype": "rmtsh", "stop": 1}


def test_binary_frame_of_no_shell_is_against_the_protocol() -> None:
    with pytest.raises(GatewayProtocolError):
        Station().remote.on_binary(b"\x09")


def test_shells_are_a_feature_of_the_station() -> None:
    assert not Station("gps").remote.has_shells
