"""Commands and shells of a simulated station, as a genuine one was seen to have them."""

from __future__ import annotations

import json

from bittern.simulator.remote import RemoteAccess


def started(message: str | bytes) -> list[bool]:
    assert isinstance(message, str)
    return [shell["started"] for shell in json.loads(message)["rmtsh"]]


def test_commands_are_kept_and_not_answered() -> None:
    remote = RemoteAccess()
    remote.run({"command": "touch", "arguments": ["x"]})
    remote.run({"command": "reboot"})
    assert remote.commands == [("touch", ["x"]), ("reboot", [])]


def test_shell_says_what_is_typed_until_it_exits() -> None:
    remote = RemoteAccess()
    [status] = remote.control({"start": 1, "user": "ann", "term": "dumb"})
    assert started(status) == [False, True]
    assert remote.type_in(b"\x01ls\n") == [b"\x01ls\n"]
    assert remote.type_in(b"\x01exit\n") == [b"\x01exit\n", b"\x01"]
    assert remote.type_in(b"\x01ls\n") == []


def test_second_shell_in_a_session_does_not_start() -> None:
    remote = RemoteAccess()
    remote.control({"start": 0, "user": "ann"})
    remote.control({"start": 0, "user": "bob"})
    assert remote.users == ["ann", None]


def test_stop_before_start_in_one_message_ends_the_older() -> None:
    remote = RemoteAccess()
    remote.control({"start": 0, "user": "ann"})
    end, status = remote.control({"start": 0, "stop": 0, "user": "bob"})
    assert end == b"\x00"
    assert started(status) == [True, False]
    assert remote.users == ["bob", None]


def test_neither_is_a_question() -> None:
    assert started(RemoteAccess().control({})[0]) == [False, False]
