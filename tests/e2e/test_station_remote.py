"""Commands and shells on a genuine Basics Station, from the command line to its processes.

Runs where BITTERN_STATION_BIN names a binary (version 2.0.6, variant ``testsim``).
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bittern.lorawan.regions import plan
from bittern.testing.genuine_station import VARIABLE, GenuineStation, station_binary, station_conf
from bittern.testing.simulated_radio import SimulatedRadio
from bittern.types import EUI64, GatewayEUI

BINARY = station_binary()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.station,
    pytest.mark.skipif(BINARY is None, reason=f"{VARIABLE} names no Basics Station"),
]

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
PROGRAM = (sys.executable, "-m", "bittern")
ALLOWED = ("--allow-remote-shell", "--allow-remote-commands")
WAIT_S = 20.0


class Site:
    """`bittern serve`, and a station that is connected to it."""

    def __init__(self, folder: Path) -> None:
        own = {name: text for name, text in os.environ.items() if not name.startswith("BITTERN_")}
        ports = {f"BITTERN_{name}__PORT": "0" for name in ("LNS", "CUPS", "MQTT", "API")}
        self.environment = own | ports | {"BITTERN_DATA_DIR": str(folder / "data"), "TERM": "dumb"}
        self.home = folder / "home"
        self.log = ""
        self.station: GenuineStation

    async def start(self, *arguments: str, stdin: int | None = None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(*PROGRAM, *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE if stdin is None else stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def bittern(self, *arguments: str, typed: str = "") -> tuple[int | None, str, str]:
        """Its exit code, what it prints, and what it says besides."""
        process = await self.start(*arguments)
        async with asyncio.timeout(WAIT_S):
            told, said = await process.communicate(typed.encode())
        return process.returncode, told.decode(), said.decode()

    async def until(self, found: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                while not found():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(self.log[-4000:]) from None

    async def read(self, errors: asyncio.StreamReader) -> None:
        while line := await errors.readline():
            self.log += line.decode()


@asynccontextmanager
async def running(folder: Path, *options: str) -> AsyncIterator[Site]:
    assert BINARY is not None
    site = Site(folder)
    server = await site.start("serve", "--json")
    assert server.stdout is not None
    assert server.stderr is not None
    reading = asyncio.create_task(site.read(server.stderr))
    try:
        ready = json.loads(await server.stdout.readline())
        uris = ("--uri", ready["lns"], "--cups-uri", ready["cups"])
        files = ("--files", str(site.home), "--only", "lns")
        code, _, said = await site.bittern("gateway", "add", str(EUI), *files, *uris, *options)
        assert code == 0, said
        async with SimulatedRadio(plan("EU868")) as radio:
            conf = station_conf(EUI, radio.path)
            async with GenuineStation(BINARY, site.home, conf) as site.station:
                await site.station.until_logged("Concentrator started")
                yield site
    finally:
        server.terminate()
        await server.wait()
        await reading
    assert "Traceback" not in site.log


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path, *ALLOWED) as site:
        yield site


def running_shells(log: str) -> int:
    return len(re.findall(r"Rmtsh#\d started", log)) - len(re.findall(r"Rmtsh#\d stopped", log))


async def test_a_command_is_run_and_who_had_it_run_is_logged(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    command = ("--", "echo $1 $2 > $3", "it", "ran", str(marker))
    code, _, said = await site.bittern("gateway", "run", str(EUI), *command)
    assert (code, "does not tell" in said) == (0, True)
    await site.until(marker.exists)
    await site.until(lambda: marker.read_text() == "it ran\n")
    await site.until(lambda: f"uid={os.getuid()}" in site.log)
    [line] = [line for line in site.log.splitlines() if "remote=command" in line]
    assert f"gateway={EUI}" in line
    assert str(marker) in line


async def test_a_program_is_called_with_its_arguments(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "a name; with $signs"
    code, _, _ = await site.bittern("gateway", "run", str(EUI), "--", "/usr/bin/touch", str(marker))
    assert code == 0
    await site.until(marker.exists)


async def test_without_leave_nothing_is_done(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        marker = tmp_path / "marker"
        code, _, said = await site.bittern("gateway", "run", str(EUI), "--", f"touch {marker}")
        assert code == 1
        assert "--allow-remote-commands" in said
        code, _, said = await site.bittern("gateway", "shell", str(EUI))
        assert code == 1
        assert "--allow-remote-shell" in said
        assert site.log.count("remote=refused") == 2
        await asyncio.sleep(1)
        assert not marker.exists()
        assert running_shells(site.station.log) == 0


async def test_what_is_piped_in_is_run_in_a_shell_that_ends_behind_it(
    site: Site, tmp_path: Path
) -> None:
    typed = f"cd {tmp_path}\necho $((6 * 7)) $TERM\n"
    code, told, said = await site.bittern("gateway", "shell", str(EUI), typed=typed)
    assert (code, "42 dumb" in told) == (0, True), said
    assert "the shell has ended" in said
    await site.until(lambda: "stopped" in site.station.log)
    assert "remote=shell-ended" in site.log


async def test_long_input_arrives_whole(site: Site, tmp_path: Path) -> None:
    """A station has room for 4096 bytes, and ends a shell whose input does not fit."""
    copy = tmp_path / "copy"
    text = "".join(f"line {number} of a long text\n" for number in range(2000))
    typed = f"cat > {copy} <<'END'\n{text}END\n"
    code, _, said = await site.bittern("gateway", "shell", str(EUI), typed=typed)
    assert code == 0, said
    assert copy.read_text() == text


async def test_in_a_terminal_a_shell_echoes_and_ends_by_the_escape_key(site: Site) -> None:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "gateway", "shell", str(EUI)),
        env=site.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    shown = b""

    def seen(text: bytes) -> Callable[[], bool]:
        def look() -> bool:
            nonlocal shown
            with suppress(BlockingIOError):
                shown += os.read(ours, 65536)
            return text in shown

        return look

    try:
        await site.until(seen(b"ends it"))
        await asyncio.sleep(0.5)  # until its terminal is raw
        os.write(ours, b"echo $((6 * 7))\r")
        await site.until(seen(b"42\r\n"))
        assert b"echo $((6 * 7))" in shown  # echoed by the gateway: here it is off
        os.write(ours, b"sleep 1000\r")
        await site.until(seen(b"sleep 1000"))
        os.write(ours, b"\x03")  # to the gateway: it ends the sleep, not us
        os.write(ours, b"echo $((7 * 7))\r")
        await site.until(seen(b"49\r\n"))
        os.write(ours, b"\x1d")
        await site.until(seen(b"ended by the user"))
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
        await site.until(lambda: running_shells(site.station.log) == 0)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
        os.close(theirs)


async def test_a_gateway_has_two_shells_and_they_end_with_who_opened_them(site: Site) -> None:
    first = await site.start("gateway", "shell", str(EUI))
    await site.until(lambda: running_shells(site.station.log) == 1)
    second = await site.start("gateway", "shell", str(EUI))
    await site.until(lambda: running_shells(site.station.log) == 2)
    code, _, said = await site.bittern("gateway", "shell", str(EUI))
    assert (code, "both shells of the gateway are in use" in said) == (1, True)
    code, told, _ = await site.bittern("gateway", "shell", str(EUI), "--status", "--json")
    assert [one["started"] for one in json.loads(told)] == [True, True]
    first.kill()
    await first.communicate()
    await site.until(lambda: running_shells(site.station.log) == 1)
    second.terminate()
    await second.communicate()
    await site.until(lambda: running_shells(site.station.log) == 0)


async def test_a_shell_ends_when_it_is_no_longer_allowed(site: Site) -> None:
    shell = await site.start("gateway", "shell", str(EUI))
    await site.until(lambda: running_shells(site.station.log) == 1)
    await site.bittern("gateway", "set", str(EUI), "--forbid-remote-shell")
    async with asyncio.timeout(WAIT_S):
        _, said = await shell.communicate()
    assert b"no longer allowed" in said
    await site.until(lambda: running_shells(site.station.log) == 0)
