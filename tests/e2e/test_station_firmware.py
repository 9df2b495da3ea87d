"""A genuine Basics Station is given an update by CUPS: the command line defines it, the server
checks it, the station checks it again and executes it, and by its next version it shows so.

Runs where BITTERN_STATION_BIN names a binary (version 2.0.6, variant ``testsim``). A station stores
every image under one fixed path of the machine, and executes what it finds there at its start.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.app import running
from bittern.config import Configuration, load
from bittern.pki.firmware_signatures import make_signing_key, public_key, signing_key_pem
from bittern.servers import firmware_images
from bittern.testing.genuine_station import VARIABLE, GenuineStation, station_binary, station_conf
from bittern.types import EUI64, GatewayEUI

BINARY = station_binary()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.station,
    pytest.mark.skipif(BINARY is None, reason=f"{VARIABLE} names no Basics Station"),
]

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
STORED = Path("/tmp/update.bin")
WAIT_S = 20.0


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Else every station that starts on this machine would execute it."""
    STORED.unlink(missing_ok=True)
    yield
    STORED.unlink(missing_ok=True)


class Site:
    """An installation in a folder, the home of one station, and an image with its marker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.marker = folder / "executed"
        ports = {f"BITTERN_{listener}__PORT": "0" for listener in ("API", "LNS", "MQTT", "CUPS")}
        self.configuration: Configuration = msgspec.structs.replace(
            load(None, ports), data_dir=folder / "data"
        )
        self.image = folder / "data" / "firmware" / "spring.bin"

    async def bittern(self, *arguments: str | Path, fails: bool = False) -> Any:
        """What a command prints, as a value."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bittern", *map(str, arguments)),
            env=os.environ | {"BITTERN_DATA_DIR": str(self.folder / "data")},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert (process.returncode != 0) is fails, errors.decode()
        return json.loads(output) if output else errors.decode()

    async def firmware(self, *arguments: str | Path, fails: bool = False) -> Any:
        return await self.bittern("gateway", "firmware", *arguments, "--json", fails=fails)

    async def register(self, cups_uri: str, lns_uri: str) -> None:
        uris = ("--cups-uri", cups_uri, "--lns-uri", lns_uri)
        await self.bittern("gateway", "add", str(EUI), "--files", self.home, *uris, "--json")
        (self.home / "version.txt").write_text("1.0")
        await self.firmware("key", "new", "firmware.pem", "--public", self.home / "sig-0.key")

    def write_image(self) -> None:
        """It does what an update does: it leaves its trace, tells its version, and goes."""
        self.image.write_text(
            "#!/bin/sh\n"
            f"printf 1.1 > {self.home}/version.txt\n"
            f"echo done > {self.marker}\n"
            f"rm -f {STORED}\n"
            f": {'padding ' * 40_000}\n"
        )

    async def define(self, key: str = "firmware.pem", *more: str) -> None:
        """And start it."""
        signed = await self.firmware("sign", self.image, "--key", key)
        defined = await self.firmware(
            *("define", "spring.bin", "--signature", signed["signature"]),
            *("--current-package", "1.0", "--package", "1.1", "--name", "spring", *more),
        )
        assert defined["gateways_never_at_cups"] == 1
        await self.firmware("start", str(EUI), "--definition", "spring")

    async def until(self, status: str) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            while True:
                task: dict[str, Any] = await self.firmware("status", str(EUI))
                if task["status"] == status:
                    return task
                await asyncio.sleep(0.2)

    @asynccontextmanager
    async def station(self) -> AsyncIterator[GenuineStation]:
        assert BINARY is not None
        conf = station_conf(EUI, Path("radio"))  # nobody is there, and nobody need be
        async with GenuineStation(BINARY, self.home, conf) as station:
            yield station


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """A server with a registered gateway that has the public key of the operator."""
    made = Site(folder)
    async with running(made.configuration) as addresses:
        cups, lns = (
            uri.replace("127.0.0.1", "localhost") for uri in (addresses.cups, addresses.lns)
        )
        await made.register(cups, lns)
        made.write_image()
        yield made


async def test_a_signed_image_is_executed_and_its_version_ends_the_task(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.define()
        async with at.station() as station:
            await station.until_logged("Running update.bin as background process")
            async with asyncio.timeout(WAIT_S):
                while not at.marker.exists():
                    await asyncio.sleep(0.1)
            assert not STORED.exists()
            assert (await at.until("IN_PROGRESS"))["reason"] == ""
        async with at.station():  # as an update would have it
            await at.until("COMPLETED")


async def test_what_another_has_signed_is_refused_by_the_server(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        (tmp_path / "other.pem").write_bytes(signing_key_pem(make_signing_key()))
        signed = await at.firmware("sign", at.image, "--key", "other.pem")
        arguments = ("define", "spring.bin", "--signature", signed["signature"], "--package", "1.1")
        refused = await at.firmware(*arguments, fails=True)
        assert "none of the keys" in refused
        keys = await at.firmware("key", "list")
        crc = str(keys[0]["key_crc"])
        await at.firmware(*arguments, "--unchecked", "--key-crc", crc, "--name", "spring")
        await at.firmware("start", str(EUI), "--definition", "spring")
        os.utime(at.image, (1_000_000, 1_000_000))  # it is not on its way here
        async with at.station():
            failed = await at.until("FAILED")
        assert "spring.bin is not what was signed by key" in failed["reason"]
        assert not STORED.exists()
        assert not at.marker.exists()


async def test_what_another_has_signed_is_refused_by_the_station_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as at:
        await at.define()
        at.image.write_text(at.image.read_text() + "# changed\n")
        monkeypatch.setattr(firmware_images, "verify", lambda *_: True)
        async with at.station() as station:
            await at.until("IN_PROGRESS")
            await station.until_logged("CUPS provided update.bin")
            await station.until_logged("No key could verify signature. Tried 1 keys")
            await station.until_logged("Aborting update.")
        assert not STORED.exists()
        assert not at.marker.exists()


async def test_a_station_without_the_key_is_not_given_the_image(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.define()
        shutil.move(at.home / "sig-0.key", tmp_path / "taken.key")
        (at.home / "sig-0.key").write_bytes(public_key(make_signing_key()))
        async with at.station():
            failed = await at.until("FAILED")
        assert "the gateway has no key with CRC" in failed["reason"]
        assert not STORED.exists()
