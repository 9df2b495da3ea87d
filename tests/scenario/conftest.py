"""A field of simulated gateways and devices around the application core, in time of its own.

Everything is real but the sockets, the disk and the clock: devices and stations of the simulator,
the server's end of the LNS protocol, messages that take their time on the way. What is on air is
written down, so that a test can be read as the log of somebody who listens.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest

from bittern.gateway.lns import (
    DownlinkTransmitted,
    LnsConnection,
    PingDue,
    UplinkReceived,
    VersionReceived,
)
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.frame import DataDown, DataUp, parse
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.radio import Transmission
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.personalization import personalize
from bittern.network.core import Network, NetworkSettings
from bittern.network.deduplication import Deduplicator
from bittern.network.events import GatewayConnected, NetworkEvent
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Abp, DownlinkReceived, Otaa, Received, SimulatedDevice
from bittern.simulator.radio import Emission
from bittern.simulator.regions import device_region
from bittern.simulator.station import RadioTransmission, Station
from bittern.store.records import AbpActivation, DeviceProfile, OtaaActivation, QueuedDownlink
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
)

BEGIN = Instant(1_700_000_000.0)
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
APP_KEY = AppKey(b"root application")
KEYS = SessionKeys.of_1_0(b"network sess key", b"application sess")
PRESETS_HZ = tuple(range(867_100_000, 868_000_000, 200_000))

RECONNECT_S = 5.0
"""After whatever was on air: RX2 opens two seconds after the uplink, and the longest frame takes
2.8 seconds at SF12."""

Step = Callable[[], Awaitable[None]]


@dataclass
class FieldGateway:
    """A station, its connection, and the way between them."""

    name: str
    field: Field
    station: Station
    latency_s: float
    """One way."""
    lns: LnsConnection | None = None
    drops: int = 0
    """So many downlinks are lost in the station without a word."""
    connections: int = 0
    """Each of them starts its radio anew."""

    @property
    def eui(self) -> GatewayEUI:
        return self.station.gateway_eui

    def hear(self, emission: Emission, ended_us: int, rssi_dbm: int, snr_db: float) -> None:
        text = self.station.hear(emission, ended_us, self.field.time, rssi_dbm, snr_db)
        if text is not None:
            self.to_server(text)

    def connect(self) -> None:
        self.connections += 1
        region = plan(self.field.region)
        self.lns = LnsConnection(
            self.eui, router_config(region, GatewaySettings()), self.field.time
        )
        self.to_server(self.station.version())

    def disconnect(self) -> None:
        self.lns = None

    def to_server(self, text: str) -> None:
        lns = self.lns

        async def arrive() -> None:
            if lns is not None and lns is self.lns:
                await self.field.receive(self, lns, text)
                self.flush()

        self.field.at(self.latency_s, arrive)

    def flush(self) -> None:
        """What the server has written is on its way."""
        for text in self.lns.text_to_send() if self.lns else ():
            self.to_station(text)

    def to_station(self, text: str) -> None:
        lns = self.lns

        async def arrive() -> None:
            if lns is not self.lns:
                return  # it was on its way when the connection broke
            if '"dnmsg"' in text and self.drops:
                self.drops -= 1
                return
            planned = self.station.receive(text, self.field.clock_us())
            if planned is not None:
                self.field.plan_transmission(self, planned)
            elif (question := self.station.timesync(self.field.clock_us())) is not None:
                self.to_server(question)

        self.field.at(self.latency_s, arrive)

    def fire_timer(self) -> None:
        lns = self.lns
        if lns is None:
            return
        for event in lns.fire_timer(self.field.time):
            if isinstance(event, PingDue):

                async def pong() -> None:
                    lns.pong(self.field.time)

                self.field.at(2 * self.latency_s, pong)


@dataclass
class Field:
    """Use it as a script: what happens, how time passes, and then what was on air."""

    region: str = "EU868"
    time: Instant = BEGIN
    store: MemoryStore = field(default_factory=MemoryStore)
    gateways: dict[str, FieldGateway] = field(default_factory=dict)
    devices: dict[str, SimulatedDevice] = field(default_factory=dict)
    heard_by: dict[str, dict[str, float]] = field(default_factory=dict)
    """SNR by gateway, for each device."""
    deaf: set[str] = field(default_factory=set)
    """Devices that hear nothing at the moment."""
    log: list[str] = field(default_factory=list)
    transmissions: list[tuple[str, int, RadioTransmission]] = field(default_factory=list)
    """What stations sent, with the gateway's name and the number of its connection."""
    events: list[NetworkEvent] = field(default_factory=list)
    _heap: list[tuple[float, int, Step]] = field(default_factory=list)
    _order: Any = field(default_factory=count)
    _heard: list[Received] = field(default_factory=list)
    _followed: int = 0
    _zero: float = BEGIN

    def __post_init__(self) -> None:
        self.air = Air(clock_us=self.clock_us, on_received=lambda _, got: self._heard.append(got))
        self.air.gps_offset_us = gps_time_us(BEGIN) - self._clock_us(BEGIN)
        self._start_network()

    def _start_network(self) -> None:
        self.deduplicator = Deduplicator(window_s=0.2)
        self.network = Network(
            NetworkSettings(net_id=NetID(bytes(3))),
            store=self.store,
            gateways=self,
            outbox=self,
            now=lambda: self.time,
            randomness=random.Random(7),
        )
        self.network.journal._watchers.append(self.events.append)

    # Who is there

    async def prepare(self) -> None:
        await self.store.add_destination(examples.DESTINATION)
        await self.store.add_service_profile(
            msgspec.structs.replace(
                examples.SERVICE_PROFILE, adr_algorithm="", dev_status_req_freq=0
            )
        )

    async def add_gateway(
        self, name: str, *, latency_s: float = 0.02, gps: bool = False
    ) -> FieldGateway:
        eui = GatewayEUI(EUI64.from_int(0x0016C001FF000000 + len(self.gateways)))
        await self.store.add_gateway(
            msgspec.structs.replace(
                examples.GATEWAY,
                id=str(eui),
                gateway_eui=eui,
                region=self.region,
                sub_bands=self._sub_bands(),
                join_eui_filters=(),
            )
        )
        # The field's clock begins at a full second of GPS time.
        station = Station(eui, random.Random(len(self.gateways)), pps=gps, pulse_us=0)
        gateway = self.gateways[name] = FieldGateway(name, self, station, latency_s)
        gateway.connect()
        await self.passes(3 + 6 * latency_s)  # until the first pong
        self.begin()
        return gateway

    async def add_device(
        self, name: str, *, device_class: str = "A", joins: bool = False, **profile: Any
    ) -> SimulatedDevice:
        """Heard by every gateway with 8 dB unless `heard_by` says otherwise."""
        number = len(self.devices)
        version = profile.pop("mac_version", MacVersion.LORAWAN_1_0_3)
        fields: dict[str, Any] = {
            "id": f"profile of {name}",
            "region": self.region,
            "mac_version": version,
            "supports_class_b": device_class == "B",
            "supports_class_c": device_class == "C",
            "factory_preset_frequencies_hz": PRESETS_HZ if self.region == "EU868" else (),
        }
        known = msgspec.structs.replace(examples.DEVICE_PROFILE, **(fields | profile))
        await self.store.add_device_profile(known)
        activation = await self._register(number, known, joins)
        device = self.devices[name] = SimulatedDevice(
            dev_eui=examples.dev_eui(number),
            activation=activation,
            version=version,
            region=device_region(self.region),
            chance=random.Random(number),
            device_class="C" if device_class == "C" else "A",
            sub_bands=self._sub_bands(),
        )
        self.air.add(device)
        return device

    def _sub_bands(self) -> tuple[int, ...]:
        return (2,) if device_region(self.region).kind == "fixed" else ()

    async def _register(self, number: int, profile: DeviceProfile, joins: bool) -> Otaa | Abp:
        dev_eui, dev_addr = examples.dev_eui(number), DevAddr.from_int(0x01AB0000 + number)
        if joins:
            otaa = OtaaActivation(join_eui=JOIN_EUI, app_key=APP_KEY)
            device = examples.device(number, device_profile_id=profile.id, activation=otaa)
            await self.store.add_device(device)
            return Otaa(join_eui=JOIN_EUI, app_key=APP_KEY)
        session = personalize(
            dev_eui,
            dev_addr,
            KEYS,
            profile=profile,
            plan=plan(self.region),
            now=self.time,
            first_revision=0,
        )
        abp = AbpActivation(dev_addr=dev_addr, keys=KEYS)
        device = examples.device(number, device_profile_id=profile.id, activation=abp)
        await self.store.add_device(device, session)
        return Abp(dev_addr=dev_addr, keys=KEYS)

    # What happens

    async def up(self, name: str, payload: bytes = b"on", *, confirmed: bool = False) -> None:
        """A data frame, which ends now."""
        device = self.devices[name]
        self._emit(name, device.uplink(payload, 1, confirmed))
        await self.passes(0)

    async def join(self, name: str) -> None:
        self._emit(name, self.devices[name].join_request())
        await self.passes(0)

    async def queue(self, name: str, payload: bytes = b"open", **different: Any) -> QueuedDownlink:
        number = next(self._order)
        message = examples.downlink(
            number, dev_eui=self.devices[name].dev_eui, payload=payload, **different
        )
        await self.store.enqueue(message)
        await self.passes(0)
        return message

    async def restart(self) -> None:
        """The server ends without a word and starts again; gateways come back when they notice."""
        for gateway in self.gateways.values():
            gateway.disconnect()
        self._start_network()
        await self.network.unsolicited.start()
        for gateway in self.gateways.values():

            async def back(
                gateway: FieldGateway = gateway, network: Network = self.network
            ) -> None:
                if network is self.network:  # else it has ended too
                    gateway.connect()

            self.at(RECONNECT_S, back)
        await self.passes(0)

    async def passes(self, seconds: float) -> None:
        """Everything happens that is due by then, each thing at its time."""
        until = Instant(self.time + seconds)
        while True:
            await self._follow()
            due = self._next_timer()
            if due is None or due > until:
                break
            self.time = max(self.time, Instant(due))
            await self._do_what_is_due()
        self.time = until

    def on_air(self) -> str:
        """Seconds, who, what: one line for each frame since the last call, as in a test's text."""
        written, self.log = "\n".join(self.log), []
        return f"\n{written}\n"

    def begin(self) -> None:
        """What was until now is forgotten, and seconds count from here."""
        self.log, self._zero = [], self.time

    # How it happens

    def clock_us(self) -> int:
        return self._clock_us(self.time)

    @staticmethod
    def _clock_us(time: float) -> int:
        return round((time - BEGIN) * 1_000_000) + 5_000_000

    def at(self, delay_s: float, step: Step) -> None:
        heapq.heappush(self._heap, (self.time + delay_s, next(self._order), step))

    def _next_timer(self) -> float | None:
        timers = [
            self._heap[0][0] if self._heap else None,
            self.network.agenda.next_timer(),
            self.deduplicator.next_timer(),
            *(one.lns.next_timer() for one in self.gateways.values() if one.lns),
        ]
        return min((timer for timer in timers if timer is not None), default=None)

    async def _do_what_is_due(self) -> None:
        for gathered in self.deduplicator.due(self.time):
            await self.network.uplinks.handle(gathered)
        await self.network.agenda.fire()
        for gateway in self.gateways.values():
            gateway.fire_timer()
            gateway.flush()
        while self._heap and self._heap[0][0] <= self.time:
            await heapq.heappop(self._heap)[2]()

    async def _follow(self) -> None:
        changes = await self.store.changes(self._followed)
        if changes:
            self._followed = changes[-1].sequence
            self.network.follow(changes)
            await self.network.agenda.fire()
            for gateway in self.gateways.values():
                gateway.flush()

    async def receive(self, gateway: FieldGateway, lns: LnsConnection, text: str) -> None:
        for event in lns.receive(text, self.time):
            match event:
                case UplinkReceived():
                    self.deduplicator.add(event.phy_payload, event.reception, self.time)
                case DownlinkTransmitted():
                    await self.network.downlinks.transmitted(event.report)
                case VersionReceived():
                    self.network.record(
                        GatewayConnected(
                            at=self.time, gateway_eui=gateway.eui, station=event.station
                        )
                    )

    def _emit(self, name: str, phy_payload: bytes) -> None:
        frame = parse(phy_payload)
        what = "join-request"
        if isinstance(frame, DataUp):
            words = [
                f"FCnt {frame.fcnt16}",
                "confirmed" if frame.confirmed else "",
                "ack" if frame.ack else "",
            ]
            what = " ".join(word for word in words if word)
        self._note(name, f"up   {what}")
        levels = self.heard_by.get(name, dict.fromkeys(self.gateways, 8.0))
        device = self.devices[name]
        self.air.send(device, [Hearing(self.gateways[at], -80, snr) for at, snr in levels.items()])

    def plan_transmission(self, gateway: FieldGateway, planned: RadioTransmission) -> None:
        async def transmit() -> None:
            self.transmissions.append((gateway.name, gateway.connections, planned))
            name = next(n for n, d in self.devices.items() if d.dev_eui == planned.dev_eui)
            self._note(gateway.name, f"{planned.window:4} {self._received(name, planned)}")
            report = self.station_report(gateway, planned)
            if report is not None:
                gateway.to_server(report)

        self.at((planned.at_us - self.clock_us()) / 1e6, transmit)

    @staticmethod
    def station_report(gateway: FieldGateway, planned: RadioTransmission) -> str | None:
        return gateway.station.transmitted(planned)

    def _received(self, name: str, planned: RadioTransmission) -> str:
        """What the device makes of it."""
        if name in self.deaf:
            frame = parse(planned.phy_payload)
            fcnt = f"FCnt {frame.fcnt16} " if isinstance(frame, DataDown) else ""
            return f"{name} {fcnt}not heard"
        self._heard.clear()
        complaints = len(self.air.complaints)
        self.air.transmit(planned)
        if len(self.air.complaints) > complaints:
            return f"{name} complains: {self.air.complaints[-1]}"
        [got] = self._heard
        if not isinstance(got, DownlinkReceived):
            return f"{name} joined"
        words = [
            f"FCnt {got.fcnt}",
            "confirmed" if got.confirmed else "",
            "ack" if got.ack else "",
            *(command.cid.name.title().replace("_", "") for command in got.commands),
            got.payload.decode() if got.payload else "",
        ]
        return f"{name} " + " ".join(word for word in words if word)

    def _note(self, who: str, what: str) -> None:
        self.log.append(f"{self.time - self._zero:7.3f} {who:6} {what}")

    # A GatewayLink and an Outbox

    def _at(self, eui: GatewayEUI) -> FieldGateway | None:
        for gateway in self.gateways.values():
            if gateway.eui == eui and gateway.lns is not None and gateway.lns.is_open:
                return gateway
        return None

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        gateway = self._at(gateway_eui)
        if gateway is None or gateway.lns is None:
            return False
        gateway.lns.send(transmission, self.time)
        gateway.flush()
        return True

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return self._at(gateway_eui) is not None

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        gateway = self._at(gateway_eui)
        return gateway.lns.round_trip_s if gateway and gateway.lns else None

    is_full = False

    def offer(self, delivery: object) -> None:
        pass

    def happened(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def dev_eui(self, name: str) -> DevEUI:
        return self.devices[name].dev_eui


async def _prepared(region: str) -> Field:
    made = Field(region)
    await made.prepare()
    return made


@pytest.fixture
async def field_eu868() -> Field:
    return await _prepared("EU868")


@pytest.fixture
async def field_us915() -> Field:
    return await _prepared("US915")


@pytest.fixture(scope="session")
def a_field() -> Callable[[str], Awaitable[Field]]:
    """For tests that need many."""
    return _prepared
