"""A field of devices under ADR: do they converge, and does what they send arrive?

``python -m bench.adr`` simulates 1,000 devices of EU868 around one gateway, without sockets or
clocks: simulated devices on the one side, the pure parts of the network on the other, and between
them a log-distance path loss with shadowing for each device and fading for each frame. Frames do
not collide. It prints a table and ends with exit code 1 if less than 99 % of the uplinks arrive of
those devices that can be heard at all.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist, fmean

from rich.console import Console
from rich.table import Table

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.regions import plan
from bittern.lorawan.regions.plan import DataRate
from bittern.lorawan.versions import MacVersion
from bittern.mac.adr import ALGORITHMS
from bittern.mac.link_budget import required_snr_db
from bittern.mac.refused import Refused
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted
from bittern.simulator.device import Abp, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.testing.pure_network import Downlink, PureNetwork
from bittern.types import EUI64, DevAddr, DevEUI, Instant, NetID

REGION = plan("EU868")
PRESETS_HZ = tuple(channel.frequency_hz for channel in REGION.uplink_channels()[3:])
NOISE_DBM = -174 + 10 * math.log10(125_000) + 6
"""Thermal noise of a LoRa channel, and a noise figure of 6 dB."""
GATEWAY_EIRP_DBM = 14.0
PATH_LOSS_1_KM_DB, EXPONENT = 128.95, 2.32
"""Measured at 868 MHz in a city (Petäjäjärvi et al., "On the coverage of LPWANs", 2015)."""
PAYLOAD = bytes(10)
TARGET = 0.99
REACHABLE = 0.999
"""Who delivers less at the slowest data rate, at full power and with all repetitions, is out of
reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where devices are, and what the air does to their frames."""

    devices: int = 1000
    radius_km: float = 4.0
    shadowing_db: float = 7.8
    """Standard deviation from device to device; of the same measurements."""
    fading_db: float = 2.5
    """Standard deviation from frame to frame."""
    wandering_db: float = 0.0
    """Standard deviation by which the path loss of a device changes from uplink to uplink."""
    seed: int = 1

    def path_losses_db(self, chance: random.Random) -> list[float]:
        """Uniformly over a disk, none nearer than 50 m."""
        distances_km = (
            max(self.radius_km * math.sqrt(chance.random()), 0.05) for _ in range(self.devices)
        )
        return [
            path_loss_db(distance_km) + chance.gauss(0, self.shadowing_db)
            for distance_km in distances_km
        ]


def path_loss_db(distance_km: float) -> float:
    return PATH_LOSS_1_KM_DB + 10 * EXPONENT * math.log10(distance_km)


def delivery(snr_db: float, data_rate: DataRate, fading_db: float, nb_trans: int) -> float:
    """The part of the uplinks that is heard at least once, for a mean SNR."""
    margin_db = snr_db - required_snr_db(data_rate)
    lost = NormalDist().cdf(-margin_db / fading_db) if fading_db else float(margin_db < 0)
    return 1 - lost**nb_trans


@dataclass(slots=True)
class Sender:
    """One device, its network, and the air between them."""

    device: SimulatedDevice
    network: PureNetwork
    path_loss_db: float
    chance: random.Random
    delivered: list[bool] = field(default_factory=list)
    changed_at: int = 0
    """The uplink after which data rate or power changed last."""
    airtime_s: float = 0.0

    @property
    def session(self) -> Session:
        return self.network.sessions[0]

    @property
    def mean_snr_db(self) -> float:
        """At full power."""
        return REGION.max_eirp_dbm - self.path_loss_db - NOISE_DBM

    def is_reachable(self, fading_db: float, nb_trans: int) -> bool:
        slowest = REGION.data_rates[0]
        return delivery(self.mean_snr_db, slowest, fading_db, nb_trans) >= REACHABLE

    def send(self, air: Field) -> None:
        """One uplink with its repetitions; an answer ends them."""
        self.path_loss_db += self.chance.gauss(0, air.wandering_db) if air.wandering_db else 0.0
        before = self._setting()
        self.device.uplink(PAYLOAD, 1)
        arrived = False
        for repetition in range(self.device.radio.nb_trans):
            if repetition:
                self.device.retransmit()
            heard, down = self._transmit(air)
            arrived = arrived or heard
            if down is not None and self._hears(down, air):
                break
        self.delivered.append(arrived)
        if self._setting() != before:
            self.changed_at = len(self.delivered)

    def _transmit(self, air: Field) -> tuple[bool, Downlink | None]:
        sent = self.device.sent
        assert sent is not None, "it has just sent"
        row = REGION.data_rates[sent.data_rate]
        self.airtime_s += time_on_air_s(row, len(sent.phy_payload))
        power_dbm = REGION.tx_power_dbm(self.device.radio.tx_power)
        assert power_dbm is not None, "the device has taken no index that is none"
        snr_db = self._snr_db(power_dbm, air)
        if snr_db < required_snr_db(row):
            return False, None
        opened = self.network.hear(sent.phy_payload, sent.data_rate, sent.frequency_hz)
        if isinstance(opened, Refused):
            raise RuntimeError(f"the network does not know its device: {opened.reason}")
        down = self.network.answer(opened, sent.data_rate, sent.frequency_hz, snr_db)
        return isinstance(opened, Accepted), down

    def _hears(self, down: Downlink, air: Field) -> bool:
        """In RX1, or in RX2 where the frame does not fit RX1."""
        window = down.composed.windows.rx1 or down.composed.windows.rx2
        assert window is not None, "it was composed for one of them"
        snr_db = self._snr_db(GATEWAY_EIRP_DBM, air)
        if snr_db < required_snr_db(REGION.data_rates[window.data_rate]):
            return False
        self.device.receive(down.composed.phy_payload, snr_db)
        return True

    def _snr_db(self, power_dbm: float, air: Field) -> float:
        return power_dbm - self.path_loss_db - NOISE_DBM + self.chance.gauss(0, air.fading_db)

    def _setting(self) -> tuple[int, int]:
        """NbTrans goes up and down with what gets lost."""
        return self.device.radio.data_rate, self.device.radio.tx_power


def senders(air: Field, policy: ServiceProfile) -> list[Sender]:
    """Personalized devices of LoRaWAN 1.0.4 that begin as slowly and as loudly as they can."""
    chance = random.Random(air.seed)
    return [
        _sender(number, loss_db, policy, random.Random(chance.getrandbits(64)))
        for number, loss_db in enumerate(air.path_losses_db(chance))
    ]


def _sender(number: int, loss_db: float, policy: ServiceProfile, chance: random.Random) -> Sender:
    dev_eui, address = DevEUI(EUI64.from_int(number)), DevAddr.from_int(number)
    keys = SessionKeys.of_1_0(bytes(16), number.to_bytes(16, "big"))
    network = PureNetwork(
        dev_eui,
        profile=DeviceProfile(
            id="adr",
            mac_version=MacVersion.LORAWAN_1_0_4,
            factory_preset_frequencies_hz=PRESETS_HZ,
        ),
        policy=policy,
        net_id=NetID(bytes(3)),
        now=Instant(0.0),
    )
    network.personalize(address, keys)
    device = SimulatedDevice(
        dev_eui=dev_eui,
        activation=Abp(dev_addr=address, keys=keys),
        version=MacVersion.LORAWAN_1_0_4,
        region=device_region(REGION.name),
        chance=chance,
        data_rate=0,
        adr=True,
    )
    for index, frequency_hz in enumerate(PRESETS_HZ, start=3):
        device.radio.new_channel(index, frequency_hz, 0x50)
    return Sender(device, network, loss_db, chance)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some uplinks of every device within reach."""

    first: int
    last: int
    delivery: float
    worst: float
    """All but one device in a hundred delivered at least this."""
    data_rate: float
    tx_power: float
    nb_trans: float
    airtime_ms: float
    """For each uplink, repetitions included."""
    settled: float
    """The part of the devices whose data rate and power do not change any more."""


def run(air: Field, policy: ServiceProfile, uplinks: int, step: int) -> Iterator[Stretch | int]:
    """First how many devices are within reach, then what they do."""
    everyone = senders(air, policy)
    field_ = [one for one in everyone if one.is_reachable(air.fading_db, policy.nb_trans_max)]
    yield len(field_)
    rows = []
    for first in range(0, uplinks, step):
        for one in field_:
            one.airtime_s = 0.0
            for _ in range(step):
                one.send(air)
        rows.append(_stretch(field_, first, step))
    # Who has settled is known only in the end.
    for row in rows:
        yield _settled(row, field_)


def _stretch(field_: Sequence[Sender], first: int, step: int) -> Stretch:
    shares = sorted(fmean(one.delivered[first : first + step]) for one in field_)
    return Stretch(
        first + 1,
        first + step,
        delivery=fmean(shares),
        worst=shares[len(shares) // 100],
        data_rate=fmean(one.device.radio.data_rate for one in field_),
        tx_power=fmean(one.device.radio.tx_power for one in field_),
        nb_trans=fmean(one.device.radio.nb_trans for one in field_),
        airtime_ms=1000 * fmean(one.airtime_s for one in field_) / step,
        settled=0.0,
    )


def _settled(row: Stretch, field_: Sequence[Sender]) -> Stretch:
    share = fmean(one.changed_at <= row.last for one in field_)
    return Stretch(
        row.first,
        row.last,
        row.delivery,
        row.worst,
        row.data_rate,
        row.tx_power,
        row.nb_trans,
        row.airtime_ms,
        share,
    )


def table(rows: Sequence[Stretch], title: str) -> Table:
    made = Table(title=title)
    for name in ("uplinks", "delivered", "99 of 100", "DR", "TXPower", "NbTrans", "ms", "settled"):
        made.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(
            f"{row.first}-{row.last}",
            f"{row.delivery:.2%}",
            f"{row.worst:.0%}",
            f"{row.data_rate:.2f}",
            f"{row.tx_power:.2f}",
            f"{row.nb_trans:.2f}",
            f"{row.airtime_ms:.0f}",
            f"{row.settled:.0%}",
        )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    it = argparse.ArgumentParser(prog="python -m bench.adr", description=__doc__)
    it.add_argument("--devices", type=int, default=1000)
    it.add_argument("--uplinks", type=int, default=200, help="of each device")
    it.add_argument("--step", type=int, default=20, help="uplinks of a row of the table")
    it.add_argument("--radius-km", type=float, default=4.0)
    it.add_argument("--fading-db", type=float, default=2.5)
    it.add_argument("--wandering-db", type=float, default=0.0, help="for devices that move")
    it.add_argument("--algorithm", choices=[*ALGORITHMS, "none"], default="reference")
    it.add_argument("--seed", type=int, default=1)
    options = it.parse_args(arguments)
    air = Field(
        devices=options.devices,
        radius_km=options.radius_km,
        fading_db=options.fading_db,
        wandering_db=options.wandering_db,
        seed=options.seed,
    )
    algorithm = "" if options.algorithm == "none" else options.algorithm
    policy = ServiceProfile(id="adr", adr_algorithm=algorithm, dev_status_req_freq=0)
    reach, *found = run(air, policy, options.uplinks, options.step)
    rows = [row for row in found if isinstance(row, Stretch)]
    title = f"{options.algorithm}: {reach} of {air.devices} devices within reach"
    Console().print(table(rows, title))
    settled = rows[len(rows) // 2 :]
    share = fmean(row.delivery for row in settled)
    print(f"delivered in the second half: {share:.2%}, wanted {TARGET:.0%}")
    return 0 if share >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
