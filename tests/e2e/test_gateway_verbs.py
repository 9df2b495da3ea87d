"""What `bittern gateway` changes takes effect at once in a server that runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.simulator.air import Air
from bittern.simulator.gateway import SimulatedGateway
from bittern.testing.program import Program
from bittern.types import EUI64, GatewayEUI

pytestmark = pytest.mark.e2e

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


class Site:
    """`bittern serve`, and a gateway that is connected to it."""

    def __init__(self, folder: Path) -> None:
        self.program = Program(folder)
        self.files = folder / "files"
        self.gateway = SimulatedGateway(
            gateway_eui=EUI, home=self.files, air=Air(), chance=random.Random(1)
        )
        self.bittern = self.program.run
        self.json = self.program.json

    async def certificate_for(self, place: str) -> str:
        listed = await self.json("gateway", "certificate", "list", str(EUI))
        return str(next(one["fingerprint"] for one in listed if one["purpose"] == place))

    async def until_gone(self, within_s: float) -> None:
        """Until its connection has ended; `TimeoutError` where it lasts."""
        async with asyncio.timeout(within_s):
            while self.gateway.configured.is_set():
                await asyncio.sleep(0.01)

    async def until_told(self, words: str) -> str:
        """By `gateway show`: what a server keeps of gateways is written within a second or so."""
        async with asyncio.timeout(30):
            while words not in (told := await self.bittern("gateway", "show", str(EUI))):
                await asyncio.sleep(0.2)
        return told


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    async with site.program.serving():
        await site.bittern("gateway", "add", str(EUI), "--files", site.files)
        async with site.gateway, asyncio.timeout(60):
            await site.gateway.configured.wait()
            yield site


async def test_revoked_certificate_ends_its_connection_within_a_second(site: Site) -> None:
    fingerprint = await site.certificate_for("lns")
    certificate = ("gateway", "certificate")
    await site.bittern(*certificate, "revoke", str(EUI), fingerprint, "--because", "stolen")
    await site.until_gone(within_s=1)
    told = " ".join((await site.until_told("certificate_revoked at the LNS")).split())
    assert f"certificate {fingerprint} was revoked on " in told
    assert ": stolen" in told
    assert f"`bittern gateway certificate renew {EUI}`" in told


async def test_certificate_for_cups_can_be_revoked_without_a_word_to_the_lns(site: Site) -> None:
    fingerprint = await site.certificate_for("cups")
    await site.bittern(
        *("gateway", "certificate", "revoke", str(EUI), fingerprint, "--because", "stolen")
    )
    with pytest.raises(TimeoutError):
        await site.until_gone(within_s=1)


async def test_removed_gateway_is_disconnected_within_a_second(site: Site) -> None:
    await site.bittern("gateway", "remove", str(EUI))
    await site.until_gone(within_s=1)


async def test_show_and_list_tell_of_the_connection(site: Site) -> None:
    told = await site.until_told("connected since")
    assert "the gateway shows it to the LNS" in told
    (listed,) = await site.json("gateway", "list")
    assert listed["state"] == "connected"
