"""A network without sockets: the paths, a store in memory, gateways that note what they are given,
and simulated devices at the other end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.radio import Reception, Transmission, TransmissionReport
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.personalization import personalize
from bittern.network.core import Network, NetworkSettings
from bittern.network.deduplication import Gathered
from bittern.network.events import NetworkEvent
from bittern.network.join_server import JoinServer
from bittern.simulator.device import Abp, Otaa, Received, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.records import (
    AbpActivation,
    Delivery,
    Device,
    DeviceProfile,
    OtaaActivation,
    QueuedDownlink,
)
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import (
    EUI64,
    AppKey,
    DevAddr,
    DevEUI,
    GatewayEUI,
    Instant,
    JoinEUI,
    NetID,
    NwkKey,
)

JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
APP_KEY = AppKey(b"root application")
NWK_KEY = NwkKey(b"root network key")
ADDRESS = DevAddr.from_hex("01ab23cd")
NEAR = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
PRESETS_HZ = tuple(range(867_100_000, 868_000_000, 200_000))
FAR = GatewayEUI(EUI64.from_hex("0016c001ff000002"))


def _profile(version: MacVersion, **different: Any) -> DeviceProfile:
    """A device that knows the network's channels, so that it has to be told nothing."""
    return msgspec.structs.replace(
        examples.DEVICE_PROFILE,
        mac_version=version,
        factory_preset_frequencies_hz=PRESETS_HZ,
        **different,
    )


class NotingGateways:
    """A `GatewayLink` that keeps what it is handed; `offline` gateways take nothing."""

    def __init__(self) -> None:
        self.transmissions: list[tuple[GatewayEUI, Transmission]] = []
        self.offline: set[GatewayEUI] = set()
        self.round_trips_s: dict[GatewayEUI, float] = {}

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        if gateway_eui in self.offline:
            return False
        self.transmissions.append((gateway_eui, transmission))
        return True

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return gateway_eui not in self.offline

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        return self.round_trips_s.get(gateway_eui)


class NotingOutbox:
    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.is_full = False

    def offer(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)


@dataclass
class Stage:
    """Everything a test of the network moves."""

    store: MemoryStore
    gateways: NotingGateways = field(default_factory=NotingGateways)
    outbox: NotingOutbox = field(default_factory=NotingOutbox)
    events: list[NetworkEvent] = field(default_factory=list)
    time: Instant = examples.NOW
    xtime: int = 1000
    join_servers: JoinServer | None = None
    reporting: bool = False
    """Gateways report what they were handed, at once."""
    _followed: int = 0
    _reported: int = 0

    def __post_init__(self) -> None:
        self.network = Network(
            NetworkSettings(net_id=NetID(bytes(3))),
            store=self.store,
            gateways=self.gateways,
            outbox=self.outbox,
            now=lambda: self.time,
            randomness=random.Random(7),
            join_servers=self.join_servers,
        )
        self.network.journal._watchers.append(self.events.append)

    async def otaa(self, version: MacVersion = MacVersion.LORAWAN_1_0_3) -> SimulatedDevice:
        """A registered device that has not joined."""
        nwk_key = NWK_KEY if version is MacVersion.LORAWAN_1_1 else None
        activation = OtaaActivation(join_eui=JOIN_EUI, app_key=APP_KEY, nwk_key=nwk_key)
        await self._register(_profile(version), activation=activation)
        return self._simulated(version, Otaa(join_eui=JOIN_EUI, app_key=APP_KEY, nwk_key=nwk_key))

    async def abp(
        self, version: MacVersion = MacVersion.LORAWAN_1_0_3, **different: Any
    ) -> SimulatedDevice:
        """A registered device with a session; `different` is its profile."""
        keys = SessionKeys.of_1_0(b"network sess key", b"application sess")
        if version is MacVersion.LORAWAN_1_1:
            keys = examples.session_keys()
        profile = _profile(version, **different)
        session = personalize(
            examples.DEV_EUI,
            ADDRESS,
            keys,
            profile=profile,
            plan=plan("EU868"),
            now=self.time,
            first_revision=0,
        )
        activation = AbpActivation(dev_addr=ADDRESS, keys=keys)
        await self._register(profile, session=session, activation=activation)
        return self._simulated(version, Abp(dev_addr=ADDRESS, keys=keys))

    async def _register(
        self, profile: DeviceProfile, *, session: Any = None, **different: Any
    ) -> Device:
        await self.store.add_destination(examples.DESTINATION)
        await self.store.add_device_profile(profile)
        await self.store.add_service_profile(examples.SERVICE_PROFILE)
        device = examples.device(**different)
        await self.store.add_device(device, session)
        return device

    def _simulated(self, version: MacVersion, activation: Otaa | Abp) -> SimulatedDevice:
        return SimulatedDevice(
            dev_eui=examples.DEV_EUI,
            activation=activation,
            version=version,
            region=device_region("EU868"),
            chance=random.Random(3),
        )

    async def hear(
        self,
        device: SimulatedDevice,
        phy_payload: bytes,
        *gateways: GatewayEUI,
        at_once: bool = False,
        **heard: Any,
    ) -> None:
        """The device's frame, heard by these gateways, the best first, ten seconds after the last
        one unless `at_once`."""
        assert device.sent is not None
        await self.pass_time(0 if at_once else 10)
        receptions = []
        for number, gateway_eui in enumerate(gateways or (NEAR,)):
            self.xtime += 1
            fields: dict[str, Any] = {
                "gateway_eui": gateway_eui,
                "frequency_hz": device.sent.frequency_hz,
                "data_rate": device.sent.data_rate,
                "rssi_dbm": -60 - number,
                "snr_db": 9.0 - number,
                "received_at": self.time,
                "xtime": self.xtime,
                "rctx": 0,
            }
            receptions.append(Reception(**(fields | heard)))
        await self.network.uplinks.handle(Gathered(phy_payload, tuple(receptions)))

    def answer(self, device: SimulatedDevice) -> Received:
        """The device takes the last transmission, in the window it was meant for."""
        _, transmission = self.gateways.transmissions[-1]
        rx1, rx2 = device.windows()
        for offered, window in ((transmission.rx1, rx1), (transmission.rx2, rx2)):
            if offered is not None:
                assert offered == (window.data_rate, window.frequency_hz)
                assert transmission.rx_delay_s == rx1.delay_s
                return device.receive(transmission.phy_payload, window=window)
        raise AssertionError("no window was offered")

    async def report(self, position: int = -1) -> None:
        """The gateway says that it has sent the transmission, in the first window it had."""
        gateway_eui, transmission = self.gateways.transmissions[position]
        window = transmission.rx1 or transmission.rx2
        assert window is not None
        await self.network.downlinks.transmitted(
            TransmissionReport(
                downlink_id=transmission.downlink_id,
                gateway_eui=gateway_eui,
                dev_eui=transmission.dev_eui,
                frequency_hz=window.frequency_hz,
                data_rate=window.data_rate,
                xtime=0,
                at=self.time,
            )
        )

    async def queue(self, number: int = 0, **different: Any) -> QueuedDownlink:
        """A message for the device, noticed by the network as it would be while running."""
        message = examples.downlink(number, **different)
        await self.store.enqueue(message)
        await self.pass_time(0)
        return message

    async def pass_time(self, seconds: float) -> None:
        """Everything happens that is due by then, each thing at its time."""
        until = Instant(self.time + seconds)
        while True:
            changes = await self.store.changes(self._followed)
            if changes:
                self._followed = changes[-1].sequence
                self.network.follow(changes)
            await self._report_all()
            due = self.network.agenda.next_timer()
            if due is None or due > until:
                break
            self.time = max(self.time, due)
            await self.network.agenda.fire()
        self.time = until

    async def _report_all(self) -> None:
        while self.reporting and self._reported < len(self.gateways.transmissions):
            self._reported += 1
            await self.report(self._reported - 1)

    async def restart(self) -> None:
        """The process ends and another begins: what was only in memory is lost."""
        self.__post_init__()
        await self.network.unsolicited.start()
        await self.pass_time(0)

    def happened(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def dev_eui(self) -> DevEUI:
        return examples.DEV_EUI


@pytest.fixture
async def stage() -> Stage:
    store = MemoryStore()
    await store.open()
    made = Stage(store)
    for gateway_eui in (NEAR, FAR):
        await store.add_gateway(
            msgspec.structs.replace(
                examples.GATEWAY, id=str(gateway_eui), gateway_eui=gateway_eui, sub_bands=()
            )
        )
    return made
