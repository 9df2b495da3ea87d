"""What an administrator types, and the control socket that it reaches."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bittern.cli import gateway_remote
from bittern.cli.gateway_remote import RemoteFailed, _one_answer, _Server, _until_ended
from bittern.cli.workspace import Workspace
from bittern.config import Configuration
from bittern.gateway.lns_messages import RemoteShellStatus, ShellSession
from bittern.servers.control import Control
from bittern.servers.control_messages import (
    AskShells,
    Opened,
    OpenShell,
    RunOnGateway,
    Sent,
)
from bittern.servers.lns_remote import Remote
from bittern.store.records import Gateway
from bittern.testing.lns_site import KeptDirectory
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


class Echo:
    """A station whose shells say what is typed into them, and end at ``exit``."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.remote = Remote(("rmtsh",), self._take, lambda _: None)

    def _take(self, message: str | bytes) -> None:
        self.sent.append(message)
        if isinstance(message, bytes):
            self.remote.on_binary(message)
            if b"exit\n" in message:
                self.remote.on_binary(message[:1])
        elif "start" in message:
            started = RemoteShellStatus(rmtsh=(ShellSession(started=True),))
            asyncio.get_running_loop().call_soon(self.remote.on_status, started)


class Site:
    def __init__(self, data_dir: Path) -> None:
        self.workspace = Workspace(Configuration(data_dir=data_dir))
        self.directory = KeptDirectory()
        self.directory.gateways[EUI] = Gateway(
            id="1", gateway_eui=EUI, remote_shell=True, created_at=Instant(0)
        )
        self.station = Echo()
        self.control = Control(
            self.workspace.layout.control_socket,
            directory=self.directory,
            remote_of=lambda eui: self.station.remote,
        )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    async with site.control:
        yield site


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


async def shell_over(site: Site, keyboard: int, *, is_terminal: bool) -> str:
    request = OpenShell(gateway=EUI)
    async with asyncio.timeout(10), gateway_remote._asking(site.workspace, request) as server:
        assert await server.answer() == Opened(0)
        return await _until_ended(server, keyboard, is_terminal)


async def test_refusal_of_the_server_is_told(site: Site) -> None:
    request = RunOnGateway(gateway=EUI, command="touch")
    with pytest.raises(RemoteFailed, match="--allow-remote-commands"):
        await _one_answer(site.workspace, request, Sent)


async def test_without_a_server_there_is_nobody_to_ask(tmp_path: Path) -> None:
    workspace = Workspace(Configuration(data_dir=tmp_path))
    with pytest.raises(RemoteFailed, match="no server runs on"):
        await _one_answer(workspace, AskShells(gateway=EUI), Sent)


async def test_server_that_ends_meanwhile_is_told() -> None:
    reader = asyncio.StreamReader()
    reader.feed_eof()
    with pytest.raises(RemoteFailed, match="the server has ended"):
        await _Server(reader, None).answer()  # type: ignore[arg-type]


async def test_what_is_piped_in_is_typed_and_exit_behind_it(
    site: Site, pipe: tuple[int, int], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    read, write = pipe
    os.write(write, b"hello\n")
    os.close(write)
    ended = await shell_over(site, read, is_terminal=False)
    assert ended == "the shell has ended"
    assert site.station.sent[1:3] == [b"\x00hello\n", b"\x00\nexit\n"]


async def test_a_file_is_typed_as_well(site: Site, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"x" * 3000)
    with script.open("rb") as file:
        ended = await shell_over(site, file.fileno(), is_terminal=False)
    assert ended == "the shell has ended"
    typed = b"".join(one[1:] for one in site.station.sent if isinstance(one, bytes))
    assert typed == b"x" * 3000 + b"\nexit\n"


async def test_the_escape_key_ends_a_shell_whatever_it_does(
    site: Site, pipe: tuple[int, int]
) -> None:
    read, write = pipe
    os.write(write, b"sleep\r\x1dnever typed")
    ended = await shell_over(site, read, is_terminal=True)
    assert ended == "ended by the user"
    assert site.station.sent[1:] == [b"\x00sleep\r", '{"msgtype":"rmtsh","stop":0}']
