"""docs/aws.md, run as it stands there: one shell, aws-cli, and a gateway and a device beside it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from bittern.simulator.device import DownlinkReceived, Joined
from bittern.testing.genuine_station import station_binary
from bittern.testing.program import Program

sys.path.insert(0, str(Path(__file__).parent))
from meter_site import TOPIC, field_of, meter, subscriber

AWS_CLI = os.environ.get("BITTERN_AWSCLI_BIN") or shutil.which("aws")
ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "the block has ended"
PATIENCE_S = 240.0

pytestmark = pytest.mark.e2e


def blocks(name: str) -> list[str]:
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


class Shell:
    """A person's terminal in ``folder``: what is set stays set, and a failure ends it."""

    def __init__(self, program: Program) -> None:
        folder = program.folder
        tools = folder / "bin"
        tools.mkdir()
        for name, command in (
            ("bittern", f'exec "{sys.executable}" -m bittern "$@"'),
            ("aws", f'exec "{AWS_CLI}" "$@"'),
        ):
            (tools / name).write_text(f"#!/bin/sh\n{command}\n")
            (tools / name).chmod(0o755)
        own = {name: text for name, text in program.environment.items() if name[:4] != "AWS_"}
        self._environment = own | {
            "PATH": f"{tools}:{own['PATH']}",
            "HOME": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Shell:
        self._process = await asyncio.create_subprocess_exec(
            *("bash", "-e", "-o", "pipefail"),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def run(self, block: str) -> str:
        """What it prints; AssertionError with that if one of its commands fails."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{block}\necho '{END}'\n".encode())
        printed = ""
        async with asyncio.timeout(PATIENCE_S):
            while END not in printed:
                line = await self._process.stdout.readline()
                assert line, f"{block}\n{printed}"
                printed += line.decode()
        return printed.partition(END)[0]


@pytest.mark.skipif(AWS_CLI is None, reason="no aws-cli: name one by BITTERN_AWSCLI_BIN")
async def test_the_page_brings_up_a_network(tmp_path: Path) -> None:
    """With the genuine station where one is named, else with a simulated one."""
    key, gateway, state, rule, device, tried, answer, done = blocks("docs/aws.md")
    program, meter_1 = Program(tmp_path), meter()
    kind = "simulated" if station_binary() is None else "genuine"
    async with program.serving(), subscriber(program) as heard, Shell(program) as shell:
        assert '"Account": "000000000000"' in await shell.run(key)
        await shell.run(gateway)
        assert sorted(path.name for path in (tmp_path / "station").iterdir()) == [
            "cups.crt",
            "cups.key",
            "cups.trust",
            "cups.uri",
        ]
        async with field_of(kind, tmp_path / "station") as (air, hearing):
            told = ""
            async with asyncio.timeout(120):
                while '"ConnectionStatus": "Connected"' not in told:
                    told = await shell.run(state)
            assert '"LoRaWANNetworkServerCertificateId"' in told
            await shell.run(rule)
            await shell.run(device)
            assert '"Result"' in await shell.run(tried)
            assert (await heard.on(TOPIC))["data"] == "SGVsbG8="

            meter_1.join_request()
            assert isinstance(await air.exchange(meter_1, [hearing]), Joined)
            meter_1.uplink(b"42.0 kWh", fport=5)
            await air.exchange(meter_1, [hearing])
            assert await heard.on(TOPIC) == {"data": "NDIuMCBrV2g=", "eui": "70b3d57ed0000001"}

            assert '"MessageId"' in await shell.run(answer)
            meter_1.uplink(b"anything?", fport=5)
            received = await air.exchange(meter_1, [hearing])
            assert isinstance(received, DownlinkReceived)
            assert (received.payload, received.fport) == (b"open the valve", 9)
            meter_1.uplink(b"done", fport=5)  # with the ACK
            await air.exchange(meter_1, [hearing])
            told = await shell.run(done)
            assert '"MessageId"' not in told
            assert '"LastUplinkReceivedAt"' in told


def test_the_readme_shows_commands_of_the_page() -> None:
    page = "".join(blocks("docs/aws.md"))
    shown = blocks("README.md")
    assert shown
    assert [block for block in shown if block not in page] == []
