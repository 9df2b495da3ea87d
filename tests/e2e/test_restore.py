"""A backup of a running server, frames recorded after it, a restore, and the recording played.

Devices at the other end complain of every downlink counter that they have seen before.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.complaint import Complaint
from bittern.simulator.device import Abp, DownlinkReceived, Joined, Otaa, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.radio import Emission
from bittern.simulator.regions import device_region
from bittern.testing.program import Program
from bittern.types import EUI64, AppKey, DevAddr, DevEUI, GatewayEUI, JoinEUI

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
REGION = "IN865"
"""Without a duty cycle: nobody has to wait."""
APP_KEY, NWK_S_KEY, APP_S_KEY = "0123" * 8, "11" * 16, "22" * 16


def joining(number: int, version: MacVersion) -> SimulatedDevice:
    return SimulatedDevice(
        dev_eui=DevEUI(EUI64.from_int(0x70B3D57ED0000010 + number)),
        activation=Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes.fromhex(APP_KEY))),
        version=version,
        region=device_region(REGION),
        chance=random.Random(number),
    )


def personalized() -> SimulatedDevice:
    keys = SessionKeys.of_1_0(bytes.fromhex(NWK_S_KEY), bytes.fromhex(APP_S_KEY))
    return SimulatedDevice(
        dev_eui=DevEUI(EUI64.from_hex("70b3d57ed0000001")),
        activation=Abp(dev_addr=DevAddr.from_hex("01000001"), keys=keys),
        version=MacVersion.LORAWAN_1_0_3,
        region=device_region(REGION),
        chance=random.Random(0),
    )


class Site:
    """One gateway, three devices, and the recording of somebody who listens."""

    def __init__(self, folder: Path) -> None:
        self.program = Program(
            folder,
            NETWORK__DEDUPLICATION_WINDOW_MS="50",
            NETWORK__REGION=REGION,
            LOG__FORMAT="json",
        )
        self.counted = joining(1, MacVersion.LORAWAN_1_0_4)
        self.drawn = joining(2, MacVersion.LORAWAN_1_0_3)
        self.personal = personalized()
        self.air = Air()
        self.taped: list[Emission] = []
        self.taping = True
        self.gateway: SimulatedGateway

    async def register(self) -> None:
        run = self.program.run
        await run("gateway", "add", str(GATEWAY), "--files", self.program.folder / "gateway")
        for device in (self.counted, self.drawn):
            await run(
                *("device", "add", str(device.dev_eui), "--version", str(device.version)),
                *("--join-eui", str(JOIN_EUI), "--app-key", APP_KEY),
            )
        await run(
            *("device", "add", str(self.personal.dev_eui), "--dev-addr", "01000001"),
            *("--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY),
        )

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[None]:
        async with (
            self.program.serving(),
            SimulatedGateway(
                gateway_eui=GATEWAY,
                home=self.program.folder / "gateway",
                air=self.air,
                chance=random.Random(1),
                pause=lambda s: asyncio.sleep(min(s, 0.2)),
            ) as self.gateway,
        ):
            await asyncio.wait_for(self.gateway.configured.wait(), 30)
            yield

    async def ask(self, device: SimulatedDevice) -> DownlinkReceived | None:
        """A confirmed uplink, and its acknowledgement."""
        device.uplink(b"recorded", fport=1, confirmed=True)
        self.tape(device)
        answer = await self.air.exchange(device, [Hearing(self.gateway)])
        assert answer is None or isinstance(answer, DownlinkReceived)
        return answer

    async def join(self, device: SimulatedDevice) -> None:
        device.join_request()
        self.tape(device)
        assert isinstance(await self.air.exchange(device, [Hearing(self.gateway)]), Joined)

    def tape(self, device: SimulatedDevice) -> None:
        assert device.sent is not None
        if self.taping:
            self.taped.append(device.sent)

    async def play(self) -> None:
        """Everything that was recorded, from the first to the last."""
        for emission in self.taped:
            self.gateway.hear(emission, self.air.clock_us(), -60, 9.5)
            await asyncio.sleep(0.3)

    def owed_so_far(self) -> int:
        """How many messages were ever owed to a destination: one for each frame let in."""
        database = sqlite3.connect(self.program.folder / "data/bittern.db", timeout=10)
        try:
            count: int = database.execute("SELECT last_sequence FROM outbox_head").fetchone()[0]
            return count
        finally:
            database.close()


async def begun(site: Site) -> None:
    """Until the backup, and what happens after it."""
    await site.register()
    async with site.on_air():
        await site.join(site.counted)
        for device in (site.counted, site.personal):
            assert await site.ask(device)
        site.taped.clear()
        await site.program.run("backup", site.program.folder / "x.backup")
        for _ in range(2):
            for device in (site.counted, site.personal):
                assert await site.ask(device)
        await site.join(site.drawn)  # for the first time
        assert await site.ask(site.drawn)
        await site.join(site.counted)  # once more
        assert await site.ask(site.counted)


async def restored(site: Site, *options: str) -> None:
    """As if the disk were lost, but not the key."""
    folder = site.program.folder
    (folder / "data").rename(folder / "lost")
    done = await site.program.run(
        *("restore", folder / "x.backup", "--key-file", folder / "lost/data.key", "--json"),
        *options,
    )
    assert '"data_dir"' in done
    site.program.log = ""
    site.taping = False


async def test_nothing_that_was_recorded_since_the_backup_is_accepted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await begun(site)
    proof = await site.program.run("restore", tmp_path / "x.backup", "--verify")
    assert proof == ""
    await restored(site)
    let_in = site.owed_so_far()
    assert let_in == 2
    async with site.on_air():
        await site.play()
        log = site.program.log
        assert "session_held" in log
        assert "dev_nonce_replayed" in log
        assert site.owed_so_far() == let_in

        # The device that joined joins again, once it is beyond what may have been recorded.
        for _ in range(15):  # it has sent one already
            site.counted.join_request()
            site.air.send(site.counted, [Hearing(site.gateway)])
            await asyncio.sleep(0.2)
        await site.join(site.counted)
        assert await site.ask(site.counted)

        # Of the one that draws its DevNonce a recorded request was answered: of no use to anybody.
        await site.join(site.drawn)
        assert await site.ask(site.drawn)
        assert site.owed_so_far() == let_in + 2
        await site.play()
        assert site.owed_so_far() == let_in + 2
        assert await site.ask(site.counted)
        assert await site.ask(site.drawn)
    # A recorded join-request of the one was answered, to nobody.
    assert {one.complaint for one in site.air.complaints} <= {Complaint.OUTSIDE_WINDOWS}


async def test_downlinks_of_sessions_that_are_kept_go_on_beyond_what_was_used(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    await begun(site)
    await restored(site, "--keep-sessions", "--quarantine-hours", "0")
    async with site.on_air():
        answer = await site.ask(site.personal)
        assert answer is not None
        assert answer.fcnt >= 8192
        assert await site.ask(site.personal)
    assert site.air.complaints == []


async def test_a_personalized_device_is_believed_after_its_quarantine(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await begun(site)
    await restored(site, "--quarantine-hours", "0.002")
    async with site.on_air():
        await site.play()
        assert await site.ask(site.personal) is None  # heard, and no more
        await asyncio.sleep(8)
        answer = await site.ask(site.personal)
        assert answer is not None
        assert answer.fcnt >= 8192
        await site.play()
        assert await site.ask(site.personal)
    assert {one.complaint for one in site.air.complaints} <= {Complaint.OUTSIDE_WINDOWS}
