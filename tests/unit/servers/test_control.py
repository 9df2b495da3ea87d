"""The control socket, before gateways that only exist on paper."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bittern.errors import StoreUnavailable
from bittern.gateway.lns_messages import RemoteShellStatus, ShellSession
from bittern.servers import control
from bittern.servers.control import Control, who_of
from bittern.servers.control_messages import (
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
from bittern.servers.lns_remote import Remote
from bittern.store.records import Gateway
from bittern.testing.lns_site import KeptDirectory
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
RUN = RunOnGateway(gateway=EUI, command="touch", arguments=("x",))
SHELL = OpenShell(gateway=EUI, term="xterm")


class Administrator:
    """Whoever has opened the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, line: Request | TypeIn | End | bytes) -> None:
        self.writer.write(line if isinstance(line, bytes) else encode_line(line))

    async def hear(self) -> Answer:
        async with asyncio.timeout(5):
            return decode_answer(await self.reader.readline())

    async def is_hung_up(self) -> bool:
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


class Site:
    """A control socket, and one gateway on paper."""

    def __init__(self, folder: Path) -> None:
        self.directory = KeptDirectory()
        self.allow(shell=True, commands=True)
        self.sent: list[str | bytes] = []
        self.remote: Remote | None = Remote(("rmtsh",), self.sent.append, lambda _: None)
        self.path = folder / "run" / "control.sock"
        self.control = Control(
            self.path, directory=self.directory, remote_of=lambda eui: self.remote
        )

    def allow(self, *, shell: bool = False, commands: bool = False) -> None:
        self.directory.gateways[EUI] = Gateway(
            id="1",
            gateway_eui=EUI,
            remote_shell=shell,
            remote_commands=commands,
            created_at=Instant(0),
        )

    @asynccontextmanager
    async def administrator(self) -> AsyncIterator[Administrator]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        try:
            yield Administrator(reader, writer)
        finally:
            writer.close()

    async def answer(self, line: Request | bytes) -> Answer:
        async with self.administrator() as administrator:
            administrator.say(line)
            answer = await administrator.hear()
            assert await administrator.is_hung_up()
            return answer

    async def asked(self, count: int) -> None:
        """Until so many messages have gone to the station."""
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                await asyncio.sleep(0)

    def station_says(self, *running: int) -> None:
        assert self.remote is not None
        shells = tuple(ShellSession(started=session in running) for session in (0, 1))
        self.remote.on_status(RemoteShellStatus(rmtsh=shells))

    async def opened(self, administrator: Administrator) -> Remote:
        administrator.say(SHELL)
        await self.asked(1)
        self.station_says(0)
        assert await administrator.hear() == Opened(0)
        assert self.remote is not None
        return self.remote


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    async with site.control:
        yield site


async def test_only_the_owner_may_open_the_socket_and_it_goes_with_the_server(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    async with site.control:
        assert stat.S_IMODE(site.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(site.path.parent.stat().st_mode) == 0o700
    assert not site.path.exists()


async def test_a_command_is_sent_and_logged_with_who_it_was(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bittern.servers.control"):
        assert await site.answer(RUN) == Sent()
    assert len(site.sent) == 1
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"remote=command gateway={EUI} user=")
    assert f" uid={os.getuid()} pid={os.getpid()} command='touch' arguments=('x',)" in line


@pytest.mark.parametrize(
    ("request_", "cure"),
    [
        (RUN, "--allow-remote-commands"),
        (SHELL, "--allow-remote-shell"),
        (AskShells(gateway=EUI), "--allow-remote-shell"),
    ],
)
async def test_without_leave_it_is_refused_whoever_asks(
    site: Site, request_: Request, cure: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.allow(shell=cure != "--allow-remote-shell", commands=cure != "--allow-remote-commands")
    answer = await site.answer(request_)
    assert isinstance(answer, Refused)
    assert cure in answer.reason
    assert site.sent == []
    assert f"remote=refused user={who_of_us().name} uid={os.getuid()}" in caplog.text


async def test_what_is_registered_at_that_moment_counts(site: Site) -> None:
    assert await site.answer(RUN) == Sent()
    site.allow()
    assert isinstance(await site.answer(RUN), Refused)
    del site.directory.gateways[EUI]
    assert await site.answer(RUN) == Refused(f"gateway {EUI} is not registered")
    site.directory.failure = StoreUnavailable("disk full")
    assert await site.answer(RUN) == Refused("store unavailable: disk full")


async def test_gateway_that_is_away_is_told(site: Site) -> None:
    site.remote = None
    assert await site.answer(RUN) == Refused(f"gateway {EUI} is not connected")


async def test_station_without_shells_still_runs_commands(site: Site) -> None:
    site.remote = Remote((), site.sent.append, lambda _: None)
    assert await site.answer(RUN) == Sent()
    answer = await site.answer(SHELL)
    assert isinstance(answer, Refused)
    assert "without remote shells" in answer.reason


async def test_command_that_no_station_takes_is_refused(site: Site) -> None:
    request = RunOnGateway(gateway=EUI, command="x", arguments=("y",) * 65)
    assert await site.answer(request) == Refused("a station takes 64 arguments, not 65")


@pytest.mark.parametrize("line", [b"\n", b"hello\n", b"{}\n", b"[" * 5000 + b"\n", b"x" * 70_000])
async def test_nonsense_is_refused(site: Site, line: bytes) -> None:
    async with site.administrator() as administrator:
        administrator.say(line)
        answer = await administrator.hear()
    assert isinstance(answer, Refused)
    assert answer.reason.startswith("not a request: ")


async def test_who_asks_nothing_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REQUEST_S", 0.01)
    async with site.administrator() as administrator:
        assert await administrator.hear() == Refused("no request in time")


async def test_another_user_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "who_of", lambda _: control.Who("mallory", 4711, 1))
    monkeypatch.setattr(os, "getuid", lambda: 12)
    assert await site.answer(RUN) == Refused("only the server's own user may ask")
    assert site.sent == []


async def test_not_everybody_is_served_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "CONNECTIONS", 1)
    async with site.administrator() as first:
        first.say(SHELL)
        await site.asked(1)
        assert await site.answer(RUN) == Refused("1 others are being served")


# Shells


async def test_a_shell_from_its_beginning_to_its_end(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bittern.servers.control"):
        async with site.administrator() as administrator:
            remote = await site.opened(administrator)
            remote.on_binary(b"\x00$ ")
            assert await administrator.hear() == Output(b"$ ")
            administrator.say(TypeIn(b"ls\n"))
            await site.asked(2)
            assert site.sent[-1] == b"\x00ls\n"
            remote.on_binary(b"\x00")
            assert await administrator.hear() == Ended("the shell has ended")
            assert await administrator.is_hung_up()
    begun, ended = [record.getMessage() for record in caplog.records]
    assert begun.startswith(f"remote=shell gateway={EUI} session=0 user=")
    assert ended.startswith(f"remote=shell-ended gateway={EUI} session=0 user=")
    assert ended.endswith("bytes=2")


@pytest.mark.parametrize("last_words", [encode_line(End()), None])
async def test_a_shell_ends_with_who_opened_it(site: Site, last_words: bytes | None) -> None:
    async with site.administrator() as administrator:
        await site.opened(administrator)
        if last_words is None:
            administrator.writer.close()
        else:
            administrator.say(last_words)
            assert await administrator.hear() == Ended("ended by the user")
        await site.asked(2)
    assert site.sent[-1] == '{"msgtype":"rmtsh","stop":0}'


async def test_nonsense_ends_a_shell(site: Site) -> None:
    async with site.administrator() as administrator:
        await site.opened(administrator)
        administrator.say(b"what?\n")
        answer = await administrator.hear()
    assert isinstance(answer, Ended)
    assert answer.reason.startswith("not input for a shell")


async def test_a_shell_that_never_opens_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site.administrator() as administrator:
        administrator.say(SHELL)
        monkeypatch.setattr(control, "REQUEST_S", 0.1)
        assert await administrator.hear() == Ended("the gateway does not answer")
    assert site.sent[-1] == '{"msgtype":"rmtsh","stop":0}'


async def test_a_shell_that_is_left_alone_is_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "IDLE_S", 0.01)
    async with site.administrator() as administrator:
        await site.opened(administrator)
        assert await administrator.hear() == Ended("nothing was typed for 0.01 s")


async def test_a_terminal_that_does_not_read_is_given_up(site: Site) -> None:
    async with site.administrator() as administrator:
        remote = await site.opened(administrator)
        for _ in range(200):
            remote.on_binary(b"\x00" + bytes(64 * 1024))
        await site.asked(2)
        heard: Answer = Output(b"")
        while isinstance(heard, Output):
            heard = await administrator.hear()
        assert heard == Ended("the terminal is too far behind")


async def test_a_third_shell_is_refused(site: Site) -> None:
    async with site.administrator() as first, site.administrator() as second:
        for number, administrator in enumerate((first, second), 1):
            administrator.say(SHELL)
            await site.asked(number)
        assert await site.answer(SHELL) == Refused("both shells of the gateway are in use")


async def test_the_end_of_the_server_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with site.control:
        connection = site.administrator()
        administrator = await connection.__aenter__()
        await site.opened(administrator)
    assert await administrator.hear() == Ended("the server is shutting down")
    assert site.sent[-1] == '{"msgtype":"rmtsh","stop":0}'
    await connection.__aexit__(None, None, None)


async def test_how_the_shells_are(site: Site) -> None:
    async with site.administrator() as administrator:
        administrator.say(AskShells(gateway=EUI))
        await site.asked(1)
        site.station_says(1)
        sessions = (ShellSession(started=False), ShellSession(started=True))
        assert await administrator.hear() == Shells(sessions)


async def test_a_gateway_that_goes_meanwhile_is_told(site: Site) -> None:
    async with site.administrator() as administrator:
        administrator.say(AskShells(gateway=EUI))
        await site.asked(1)
        assert site.remote is not None
        site.remote.gone("cut")
        assert await administrator.hear() == Refused("the gateway does not answer")


def who_of_us() -> control.Who:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return who_of(ours)


def test_the_other_end_is_known_by_the_kernel() -> None:
    who = who_of_us()
    assert (who.uid, who.pid) == (os.getuid(), os.getpid())
