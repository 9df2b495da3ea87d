"""A genuine Basics Station that is given four files for CUPS, and never touched again."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bittern.lorawan.regions import plan
from bittern.testing.genuine_station import VARIABLE, GenuineStation, station_binary, station_conf
from bittern.testing.program import Program
from bittern.testing.simulated_radio import SimulatedRadio
from bittern.types import EUI64, GatewayEUI

BINARY = station_binary()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.station,
    pytest.mark.skipif(BINARY is None, reason=f"{VARIABLE} names no Basics Station"),
]

GATEWAYS = [GatewayEUI(EUI64.from_hex(f"0016c001ff00000{digit}")) for digit in "123"]
EAGER = {"CUPS_RESYNC_INTV": "1s", "CUPS_OKSYNC_INTV": "2s", "CUPS_CONN_TIMEOUT": "5s"}
"""A day is long for a test."""


class Site:
    """The program, and the folders of its gateways' stations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = Program(folder, CUPS__REQUESTS_PER_MINUTE="600")

    def home(self, gateway_eui: GatewayEUI) -> Path:
        return self.folder / f"home-{gateway_eui}"

    async def shown(self, gateway_eui: GatewayEUI) -> dict[str, Any]:
        document = await self.program.json("gateway", "show", str(gateway_eui))
        assert isinstance(document, dict)
        return document

    async def add(self, gateway_eui: GatewayEUI, *options: str) -> None:
        files = ("--files", self.home(gateway_eui))
        await self.program.run("gateway", "add", str(gateway_eui), *files, *options)

    @asynccontextmanager
    async def station(self, gateway_eui: GatewayEUI) -> AsyncIterator[GenuineStation]:
        assert BINARY is not None
        async with SimulatedRadio(plan("EU868")) as radio:
            conf = station_conf(gateway_eui, radio.path)
            settings = conf["station_conf"]
            assert isinstance(settings, dict)
            settings.update(EAGER)
            async with GenuineStation(BINARY, self.home(gateway_eui), conf) as station:
                yield station


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_gateway_with_four_files_comes_up(site: Site) -> None:
    """`cups.uri`, `cups.trust`, `cups.crt` and `cups.key` lead to the LNS."""
    eui = GATEWAYS[0]
    await site.add(eui, "--only", "cups")
    home = site.home(eui)
    assert sorted(path.name for path in home.iterdir()) == [
        "cups.crt",
        "cups.key",
        "cups.trust",
        "cups.uri",
    ]
    async with site.program.serving(), site.station(eui) as station:
        await station.until_logged("Concentrator started", 30)
        await site.program.until_logged("gateway_connected")
        segment = b"".join((home / f"tc.{part}").read_bytes() for part in ("trust", "crt", "key"))
        assert segment.startswith(b"\x30")  # DER, as CUPS has sent it
        # It asks again, and the server knows what it has by its CRC.
        await asyncio.sleep(5)
        shown = await site.shown(eui)
        assert shown["cups"]["lns_crc"] == zlib.crc32(segment)
        assert shown["cups"]["withheld"] == []
        assert site.program.log.count("given=lns_credentials") == 1
        assert shown["connection"]["connected"] is True


async def test_an_old_version_is_refused_at_the_lns_whatever_cups_gave(site: Site) -> None:
    site.program.set(LNS__MINIMUM_STATION="2.0.7")
    eui = GATEWAYS[0]
    await site.add(eui)
    async with site.program.serving(), site.station(eui) as station:
        await station.until_logged("is older than 2.0.7", 30)
        await site.program.until_logged("station_too_old")
        shown = await site.shown(eui)
        assert shown["refusal"]["refusal"] == "station_too_old"


async def test_certificates_are_renewed_while_the_gateway_is_connected(site: Site) -> None:
    eui = GATEWAYS[0]
    await site.add(eui)
    home = site.home(eui)
    before = (home / "tc.crt").read_bytes(), (home / "cups.crt").read_bytes()
    async with site.program.serving(), site.station(eui) as station:
        await station.until_logged("Concentrator started", 30)
        await site.program.run("gateway", "certificate", "renew", str(eui), "--by-cups")
        await site.program.until_logged("taken=lns_credentials")
        await site.program.until_logged("taken=cups_credentials")
        await site.program.until_logged("gateway_connected", count=2)
    after = (home / "tc.crt").read_bytes(), (home / "cups.crt").read_bytes()
    assert before[0] != after[0]
    assert before[1] != after[1]


async def test_a_revoked_gateway_is_out_within_a_second(site: Site) -> None:
    eui = GATEWAYS[0]
    await site.add(eui, "--only", "lns")
    async with site.program.serving(), site.station(eui) as station:
        await station.until_logged("Concentrator started", 30)
        [certificate] = (await site.shown(eui))["certificates"]
        await site.program.run(
            "gateway",
            "certificate",
            "revoke",
            str(eui),
            certificate["fingerprint"],
            "--because",
            "lost",
        )
        await site.program.until_logged("gateway_disconnected", timeout_s=1)
        await site.program.until_logged("certificate_revoked")
        await station.until_logged("Server sent close: reason=1008")


async def test_the_authority_gives_way_to_the_next_and_no_gateway_is_lost(site: Site) -> None:
    for eui in GATEWAYS:
        await site.add(eui)
    old = (site.home(GATEWAYS[0]) / "tc.trust").read_bytes()
    async with (
        site.program.serving(),
        site.station(GATEWAYS[0]) as one,
        site.station(GATEWAYS[1]) as two,
        site.station(GATEWAYS[2]) as three,
    ):
        stations = (one, two, three)
        for station in stations:
            await station.until_logged("Concentrator started", 30)
        await site.program.run("ca", "rotate", "--yes")
        await _all_have_moved(site)
        await site.program.run("ca", "rotate", "--yes")
        await asyncio.sleep(4)
        await site.program.run("ca", "rotate", "--yes")
        await asyncio.sleep(4)
        for eui in GATEWAYS:
            shown = await site.shown(eui)
            assert shown["connection"]["connected"] is True, shown
            assert shown["cups"]["withheld"] == []
            assert (site.home(eui) / "tc.trust").read_bytes() != old
        document = await site.program.json("ca", "show")
        assert document["stage"] == "settled"


async def _all_have_moved(site: Site) -> None:
    async with asyncio.timeout(60):
        while True:
            document = await site.program.json("ca", "show")
            if all(gateway["moved"] for gateway in document["gateways"]):
                return
            await asyncio.sleep(1)
