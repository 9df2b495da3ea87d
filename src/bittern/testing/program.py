"""The program as an operator uses it: a folder, an environment, commands, and a server process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

LISTENERS = ("LNS", "CUPS", "MQTT", "API")
START_S = 30.0
END_S = 30.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Program:
    """`bittern` in ``folder``, with its data below it and free ports of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """``settings`` are environment variables without their prefix: ``LNS__URI="wss://…"``."""
        own = {name: text for name, text in os.environ.items() if not name.startswith("BITTERN_")}
        ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
        chosen = {f"{name}__PORT": str(port) for name, port in ports.items()}
        chosen |= {"DATA_DIR": str(folder / "data")} | settings
        self.folder = folder
        self.ports = ports
        self.environment = own | {f"BITTERN_{name}": text for name, text in chosen.items()}
        self.log = ""
        """What the server has written to standard error."""
        self._grown = asyncio.Event()

    def set(self, **settings: str) -> None:
        """For whatever is started from now on."""
        self.environment |= {f"BITTERN_{name}": text for name, text in settings.items()}

    async def run(self, *arguments: str | Path) -> str:
        """What a command prints; AssertionError with all that it says unless it succeeds."""
        process = await self._start(*arguments)
        output, errors = await process.communicate()
        assert process.returncode == 0, output.decode() + errors.decode()
        return output.decode()

    async def json(self, *arguments: str | Path) -> Any:
        """What it prints with ``--json``, as a value."""
        return json.loads(await self.run(*arguments, "--json"))

    @asynccontextmanager
    async def serving(self, *verb: str) -> AsyncIterator[dict[str, Any]]:
        """The server, from its ready line, which is given, until it has ended in order. `verb`:
        another one than `serve`."""
        process = await self._start(*(verb or ("serve",)), "--json")
        assert process.stdout is not None
        assert process.stderr is not None
        reading = asyncio.create_task(self._read(process.stderr))
        try:
            ready = await asyncio.wait_for(process.stdout.readline(), START_S)
            assert ready, self.log
            yield json.loads(ready)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), END_S)
            await reading
            print(self.log)  # pytest shows it beside a failure
        assert code == 0
        assert "Traceback" not in self.log

    async def until_logged(self, text: str, timeout_s: float = 30.0, count: int = 1) -> None:
        """The server has written ``text``, ``count`` times. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.log.count(text) < count:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise TimeoutError(f"{text!r} is not in the server's log") from None

    async def _start(self, *arguments: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bittern", *map(str, arguments)),
            env=self.environment,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _read(self, errors: asyncio.StreamReader) -> None:
        while line := await errors.readline():
            self.log += line.decode()
            self._grown.set()
