"""A genuine station's radio, and a simulated device within its reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bittern.lorawan.regions import plan
from bittern.simulator.air import Air
from bittern.simulator.radio import Emission
from bittern.simulator.regions import Modulation
from bittern.simulator.station import RadioTransmission
from bittern.testing.genuine_station import GenuineStation, station_binary, station_conf
from bittern.testing.simulated_radio import SimulatedRadio, Transmitted
from bittern.types import DevEUI, GatewayEUI


@dataclass(slots=True)
class StationAir:
    """The air between simulated devices and the genuine station's radio."""

    radio: SimulatedRadio
    dev_eui: DevEUI
    """Whose the downlinks are."""
    air: Air = field(init=False)
    ended_us: int = 0
    """When the last uplink ended, by the concentrator's clock."""
    sent: list[Transmitted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.air = Air(clock_us=lambda: self.radio.clock_us)

    def hear(self, emission: Emission, ended_us: int, rssi_dbm: int, snr_db: float) -> None:
        self.ended_us = ended_us
        self.radio.hear(
            emission.phy_payload,
            frequency_hz=emission.frequency_hz,
            data_rate=emission.data_rate,
            ended_us=ended_us,
            snr_db=snr_db,
        )

    async def carry_downlinks(self) -> None:
        """Until cancelled: what the station transmits reaches the device at its time."""
        while True:
            sent = await self.radio.transmitted(timeout_s=3600)
            self.sent.append(sent)
            self.air.transmit(
                RadioTransmission(
                    downlink_id=0,
                    dev_eui=self.dev_eui,
                    phy_payload=sent.phy_payload,
                    window="",
                    at_us=sent.start_us,
                    frequency_hz=sent.frequency_hz,
                    data_rate=0,
                    modulation=Modulation(sent.spreading_factor, sent.bandwidth_khz),
                    rctx=0,
                )
            )


@asynccontextmanager
async def on_air(
    home: Path, region_name: str, gateway_eui: GatewayEUI, dev_eui: DevEUI
) -> AsyncIterator[StationAir]:
    """A genuine station with the files in ``home``, listening, and one device."""
    binary = station_binary()
    assert binary is not None
    async with SimulatedRadio(plan(region_name)) as radio:
        conf = station_conf(gateway_eui, radio.path)
        async with GenuineStation(binary, home, conf):
            await radio.until_connected(timeout_s=30)
            around = StationAir(radio, dev_eui)
            downlinks = asyncio.create_task(around.carry_downlinks())
            try:
                yield around
            finally:
                downlinks.cancel()
                await asyncio.wait([downlinks])
