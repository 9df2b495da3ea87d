"""A genuine Basics Station as a process, with its home folder, its radio and its log."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Self

from bittern.gateway.eui_text import format_id6
from bittern.types import GatewayEUI

VARIABLE = "BITTERN_STATION_BIN"
"""Environment variable that names the binary: the ``testsim`` variant, version 2.0.6."""
WAIT_S = 20.0
END_S = 5.0


def station_binary() -> Path | None:
    """The binary that the environment names, if any."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def station_conf(
    gateway_eui: GatewayEUI, radio: Path, *, has_pps: bool = False
) -> dict[str, object]:
    """``station.conf``: facts of the board, and who it is. Channels are the server's to tell.

    ``has_pps``: the board counts GPS seconds, and so the station asks which one it is.
    """
    front = {"type": "SX1257", "rssi_offset": -166.0}
    return {
        "SX1301_conf": {
            "lorawan_public": True,
            "clksrc": 1,
            "device": str(radio),
            "pps": has_pps,
            "radio_0": front | {"tx_enable": True, "antenna_gain": 0},
            "radio_1": front | {"tx_enable": False},
        },
        "station_conf": {"routerid": format_id6(gateway_eui), "log_level": "DEBUG"},
    }


class GenuineStation:
    """An async context manager: the station runs meanwhile. ``home`` holds its ``tc.*`` files."""

    def __init__(self, binary: Path, home: Path, conf: dict[str, object]) -> None:
        """``conf`` is its ``station.conf``."""
        self._binary = binary
        self._home = home
        self._conf = conf
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._grown = asyncio.Event()
        self.log = ""

    async def __aenter__(self) -> Self:
        (self._home / "station.conf").write_text(json.dumps(self._conf))
        self._process = await asyncio.create_subprocess_exec(
            *(self._binary, "--home", self._home, "--temp", self._home, "--log-file", "-"),
            cwd=self._home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        self._reading = asyncio.create_task(self._read(self._process.stdout))
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading

    async def until_logged(self, text: str, timeout_s: float = WAIT_S) -> None:
        """The station has written ``text`` to its log. Raises TimeoutError with the log's end."""
        try:
            async with asyncio.timeout(timeout_s):
                while text not in self.log:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise TimeoutError(f"{text!r} is not in the log:\n{self.log[-4000:]}") from None

    async def _read(self, output: asyncio.StreamReader) -> None:
        while piece := await output.read(65536):
            self.log += piece.decode(errors="replace")
            self._grown.set()
