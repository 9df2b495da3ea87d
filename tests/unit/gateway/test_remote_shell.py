"""Remote shells as a station keeps them: two, and one answer to every message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import GatewayProtocolError
from bittern.gateway.lns_messages import RemoteShell, RemoteShellStatus, ShellSession
from bittern.gateway.remote_shell import (
    EARLY_BYTES,
    INPUT_BYTES,
    RemoteShells,
    ShellClosed,
    ShellOpened,
    ShellOutput,
    ShellsReported,
    ShellStray,
)


def status(*running: int) -> RemoteShellStatus:
    return RemoteShellStatus(
        rmtsh=tuple(ShellSession(user="ann", started=session in running) for session in (0, 1))
    )


def opened(*sessions: int) -> RemoteShells:
    shells = RemoteShells()
    for session in sessions:
        assert shells.start("ann", "xterm") is not None
        assert shells.on_status(status(session)) == [ShellOpened(session)]
    return shells


def test_start_ends_what_was_left_of_an_older_shell() -> None:
    assert RemoteShells().start("ann", "xterm") == (
        0,
        RemoteShell(user="ann", term="xterm", start=0, stop=0),
    )


def test_each_shell_has_a_session_and_the_third_none() -> None:
    assert opened(0, 1).start("ann", "xterm") is None


def test_session_is_taken_from_the_moment_it_is_asked_for() -> None:
    shells = RemoteShells()
    assert shells.start("ann", "xterm") is not None
    second = shells.start("bob", "xterm")
    assert second is not None
    assert second[0] == 1


def test_station_that_cannot_start_a_shell_is_told() -> None:
    shells = RemoteShells()
    shells.start("ann", "xterm")
    assert shells.on_status(status()) == [ShellClosed(0, "the gateway could not start a shell")]
    assert shells.start("ann", "xterm") is not None


def test_answer_belongs_to_the_oldest_message_without_one() -> None:
    shells = opened(0)
    shells.start("bob", "xterm")
    shells.ask()
    assert shells.on_status(status(0, 1)) == [ShellOpened(1)]
    assert shells.on_status(status(0, 1)) == [ShellsReported(status(0, 1).rmtsh)]
    assert shells.on_status(status(0, 1)) == []


def test_terminal_bytes_carry_their_session() -> None:
    shells = opened(0, 1)
    assert shells.on_binary(b"\x01$ ") == [ShellOutput(1, b"$ ")]
    assert shells.type_in(1, b"ls\n") == [b"\x01ls\n"]


def test_long_input_is_cut_into_what_a_station_has_room_for() -> None:
    frames = opened(0).type_in(0, b"x" * (INPUT_BYTES + 1))
    assert [len(frame) for frame in frames] == [INPUT_BYTES + 1, 2]


def test_shell_that_ends_at_the_station_is_closed_and_free() -> None:
    shells = opened(0)
    assert shells.on_binary(b"\x00") == [ShellClosed(0, "the shell has ended")]
    assert shells.type_in(0, b"ls") == []
    assert shells.stop(0) is None
    assert shells.start("ann", "xterm") is not None


def test_stopped_shell_says_nothing_more_and_is_free_when_the_station_has_answered() -> None:
    shells = opened(0, 1)
    assert shells.stop(0) == RemoteShell(stop=0)
    assert shells.on_binary(b"\x00late") == []
    assert shells.on_binary(b"\x00") == []
    assert shells.start("ann", "xterm") is None
    assert shells.on_status(status(1)) == []
    started = shells.start("ann", "xterm")
    assert started is not None
    assert started[0] == 0


def test_shell_that_is_stopped_while_it_starts_never_opens() -> None:
    shells = RemoteShells()
    shells.start("ann", "xterm")
    assert shells.stop(0) == RemoteShell(stop=0)
    assert shells.on_status(status(0)) == []
    started = shells.start("bob", "xterm")
    assert started is not None
    assert started[0] == 1  # 0 has not ended yet
    assert shells.on_status(status()) == []


def test_what_an_older_shell_said_is_not_the_new_ones() -> None:
    shells = RemoteShells()
    shells.start("ann", "xterm")
    assert shells.on_binary(b"\x00secrets of the older one") == []
    assert shells.on_binary(b"\x00") == []
    assert shells.on_binary(b"\x00$ ") == []
    assert shells.on_status(status(0)) == [ShellOpened(0), ShellOutput(0, b"$ ")]


def test_output_before_the_answer_is_kept_within_bounds() -> None:
    shells = RemoteShells()
    shells.start("ann", "xterm")
    for _ in range(3):
        shells.on_binary(b"\x00" + bytes(EARLY_BYTES - 1))
    assert shells.on_status(status(0))[1] == ShellOutput(0, bytes(EARLY_BYTES))


def test_shell_that_nobody_opened_is_stopped_once() -> None:
    shells = RemoteShells()
    assert shells.on_binary(b"\x01boo") == [ShellStray(1, RemoteShell(stop=1))]
    assert shells.on_binary(b"\x01boo") == []
    assert shells.on_status(status()) == []
    assert shells.on_binary(b"\x01") == []


@pytest.mark.parametrize("frame", [b"", b"\x02", b"\xffboo"])
def test_frame_of_no_session_is_against_the_protocol(frame: bytes) -> None:
    with pytest.raises(GatewayProtocolError):
        opened(0, 1).on_binary(frame)


STEPS = st.one_of(
    st.just(("start",)),
    st.tuples(st.just("stop"), st.integers(0, 1)),
    st.tuples(st.just("status"), st.sets(st.integers(0, 1))),
    st.tuples(st.just("binary"), st.integers(0, 1), st.binary(max_size=3)),
)


@given(st.lists(STEPS, max_size=40))
def test_output_comes_between_opening_and_end_whatever_a_station_does(
    steps: list[tuple[object, ...]],
) -> None:
    shells = RemoteShells()
    is_open = [False, False]
    for step in steps:
        match step:
            case ("start",):
                if (started := shells.start("ann", "xterm")) is not None:
                    assert not is_open[started[0]]
            case ("stop", int(session)):
                if shells.stop(session) is not None:
                    is_open[session] = False
            case ("status", set(running)):
                follow(is_open, shells.on_status(status(*running)))
            case ("binary", int(session), bytes(data)):
                follow(is_open, shells.on_binary(bytes((session,)) + data))
        for session in (0, 1):
            assert bool(shells.type_in(session, b"x")) == is_open[session]


def follow(is_open: list[bool], events: list[object]) -> None:
    for event in events:
        match event:
            case ShellOpened(session):
                assert not is_open[session]
                is_open[session] = True
            case ShellOutput(session):
                assert is_open[session]
            case ShellClosed(session):
                is_open[session] = False
