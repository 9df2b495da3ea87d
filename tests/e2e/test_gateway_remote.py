"""Commands and shells from the command line to a simulated gateway, through a server that runs."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.simulator.air import Air
from bittern.simulator.gateway import SimulatedGateway
from bittern.types import EUI64, GatewayEUI

pytestmark = pytest.mark.e2e

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
PROGRAM = (sys.executable, "-m", "bittern")


class Site:
    """`bittern serve`, and a gateway that is connected to it."""

    def __init__(self, folder: Path) -> None:
        own = {name: text for name, text in os.environ.items() if not name.startswith("BITTERN_")}
        ports = {f"BITTERN_{name}__PORT": "0" for name in ("LNS", "CUPS", "MQTT", "API")}
        self.environment = own | ports | {"BITTERN_DATA_DIR": str(folder / "data")}
        self.files = folder / "files"
        self.gateway = SimulatedGateway(
            gateway_eui=EUI, home=self.files, air=Air(), chance=random.Random(1)
        )

    async def bittern(self, *arguments: str | Path, typed: str = "") -> tuple[int | None, str, str]:
        """Its exit code, what it prints, and what it says besides."""
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, *map(str, arguments)),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            told, said = await process.communicate(typed.encode())
        return process.returncode, told.decode(), said.decode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    server = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "serve", "--json"), env=site.environment, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        ready = json.loads(await server.stdout.readline())
        uris = ("--uri", ready["lns"], "--cups-uri", ready["cups"])
        code, _, said = await site.bittern("gateway", "add", str(EUI), "--files", site.files, *uris)
        assert code == 0, said
        async with site.gateway, asyncio.timeout(60):
            await site.gateway.configured.wait()
            yield site
    finally:
        server.terminate()
        await server.communicate()


async def test_leave_is_needed_counts_at_once_and_is_taken_back_at_once(site: Site) -> None:
    command = ("gateway", "run", str(EUI), "--", "reboot", "-f", "--now")
    code, _, said = await site.bittern(*command)
    assert code == 1
    assert f"`bittern gateway set {EUI} --allow-remote-commands`" in " ".join(said.split())
    await site.bittern("gateway", "set", str(EUI), "--allow-remote-commands")
    assert (await site.bittern(*command))[0] == 0
    await site.bittern("gateway", "set", str(EUI), "--forbid-remote-commands")
    assert (await site.bittern(*command))[0] == 1
    assert site.gateway.station.remote.commands == [("reboot", ["-f", "--now"])]


async def test_a_shell_echoes_and_ends(site: Site) -> None:
    await site.bittern("gateway", "set", str(EUI), "--allow-remote-shell")
    code, told, said = await site.bittern("gateway", "shell", str(EUI), typed="hello\n")
    assert (code, told) == (0, "hello\n\nexit\n")
    assert "the shell has ended" in said
    code, told, _ = await site.bittern("gateway", "shell", str(EUI), "--status", "--json")
    assert [one["started"] for one in json.loads(told)] == [False, False]


async def test_a_gateway_that_is_away_is_told(site: Site) -> None:
    away = "0016c001ff000002"
    uris = ("--uri", "wss://localhost:8887", "--cups-uri", "https://localhost:8443")
    files = ("--files", site.files.with_name("away"))
    await site.bittern("gateway", "add", away, "--allow-remote-shell", *files, *uris)
    code, _, said = await site.bittern("gateway", "shell", away)
    assert (code, f"gateway {away} is not connected" in said) == (1, True)
