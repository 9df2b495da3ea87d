"""Who plays in the demo: gateways and devices, and how they are registered."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bittern import installation
from bittern.cli import device_add
from bittern.cli.gateway_add import register, sub_bands
from bittern.config import Configuration
from bittern.lorawan.crypto import SessionKeys, as_kind
from bittern.lorawan.versions import MacVersion, uses_nwk_key
from bittern.simulator.device import Abp, Otaa, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.protocol import Store
from bittern.store.records import (
    AbpActivation,
    Device,
    Gateway,
    OtaaActivation,
)
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    GatewayEUI,
    Instant,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000000"))
FPORT = 2


@dataclass(frozen=True, slots=True)
class GatewayPart:
    name: str
    eui: GatewayEUI
    region: str


@dataclass(frozen=True, slots=True)
class DevicePart:
    """`says` is what it measures: a word, the mean and the unit."""

    name: str
    dev_eui: DevEUI
    version: MacVersion
    region: str
    joins: bool
    says: tuple[str, float, str]

    @property
    def what(self) -> str:
        return f"{'OTAA' if self.joins else 'ABP'} {self.version} {self.region}"

    def payload(self, chance: random.Random) -> bytes:
        word, mean, unit = self.says
        return f"{word} {chance.gauss(mean, mean / 50):.1f} {unit}".encode()


def _gateway(number: int, name: str, region: str) -> GatewayPart:
    return GatewayPart(name, GatewayEUI(EUI64.from_int(0x0016C001FF000000 + number)), region)


def _device(number: int, name: str, what: str, says: tuple[str, float, str]) -> DevicePart:
    """`what` is activation, version and region."""
    activation, version, region = what.split()
    dev_eui = DevEUI(EUI64.from_int(0x70B3D57ED0000000 + number))
    return DevicePart(name, dev_eui, MacVersion.parse(version), region, activation == "OTAA", says)


GATEWAYS = (
    _gateway(1, "harbour", "EU868"),
    _gateway(2, "hill", "EU868"),
    _gateway(3, "prairie", "US915"),
)
DEVICES = (
    _device(1, "tide gauge", "OTAA 1.0.3 EU868", ("level", 2.3, "m")),
    _device(2, "greenhouse", "OTAA 1.0.4 EU868", ("air", 24.0, "C")),
    _device(3, "bridge", "OTAA 1.1 EU868", ("strain", 110.0, "ppm")),
    _device(4, "water meter", "ABP 1.0.3 EU868", ("flow", 3.1, "l/min")),
    _device(5, "silo", "OTAA 1.0.3 US915", ("fill", 71.0, "%")),
    _device(6, "pump", "ABP 1.1 US915", ("head", 5.8, "bar")),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody in one demo."""

    gateways: tuple[GatewayPart, ...] = GATEWAYS
    devices: tuple[DevicePart, ...] = DEVICES

    @classmethod
    def of(cls, region: str | None) -> Cast:
        """All of them in that region; without one, each where it is at home."""
        if region is None:
            return cls()
        return cls(
            tuple(replace(part, region=region) for part in GATEWAYS),
            tuple(replace(part, region=region) for part in DEVICES),
        )

    def within_reach(self, part: DevicePart) -> Iterator[GatewayPart]:
        """Gateways that listen where the device sends."""
        return (gateway for gateway in self.gateways if gateway.region == part.region)


async def register_gateway(
    store: Store,
    configuration: Configuration,
    part: GatewayPart,
    *,
    folder: Path,
    uri: str,
    now: Instant,
) -> None:
    """As `gateway add` does: the record, the certificate, and the files in `folder`."""
    gateway = Gateway(
        id=str(uuid.uuid4()),
        gateway_eui=part.eui,
        name=part.name,
        region=part.region,
        sub_bands=sub_bands(part.region),
        created_at=now,
    )
    await register(store, configuration, gateway, folder=folder, uri=uri, now=now)


async def register_device(
    store: Store, part: DevicePart, chance: random.Random, now: Instant
) -> SimulatedDevice:
    """As `device add` does; and the device itself, with the same keys."""
    activation: OtaaActivation | AbpActivation = _root_keys(part) if part.joins else _session(part)
    profile = device_add.device_profile(
        part.version, part.region, device_class="A", joins=part.joins
    )
    service = device_add.service_profile()
    device = Device(
        id=str(uuid.uuid4()),
        dev_eui=part.dev_eui,
        name=part.name,
        destination=installation.DEFAULT_DESTINATION,
        device_profile_id=profile.id,
        service_profile_id=service.id,
        activation=activation,
        created_at=now,
    )
    await device_add.register(store, device, profile, service, now)
    return SimulatedDevice(
        dev_eui=part.dev_eui,
        activation=_simulated(activation),
        version=part.version,
        region=device_region(part.region),
        chance=chance,
        sub_bands=sub_bands(part.region),
    )


def _root_keys(part: DevicePart) -> OtaaActivation:
    return OtaaActivation(
        join_eui=JOIN_EUI,
        app_key=AppKey(secrets.token_bytes(16)),
        nwk_key=NwkKey(secrets.token_bytes(16)) if uses_nwk_key(part.version) else None,
    )


def _session(part: DevicePart) -> AbpActivation:
    f_nwk_s_int_key = FNwkSIntKey(secrets.token_bytes(16))
    s_nwk_s_int_key = SNwkSIntKey(secrets.token_bytes(16))
    nwk_s_enc_key = NwkSEncKey(secrets.token_bytes(16))
    if not uses_nwk_key(part.version):  # then the three are one
        s_nwk_s_int_key = as_kind(SNwkSIntKey, f_nwk_s_int_key)
        nwk_s_enc_key = as_kind(NwkSEncKey, f_nwk_s_int_key)
    app_s_key = AppSKey(secrets.token_bytes(16))
    return AbpActivation(
        # 00 is the prefix of NetID 000000, of private networks (TS002-1.1.0, 13).
        dev_addr=DevAddr(bytes(1) + secrets.token_bytes(3)),
        keys=SessionKeys(f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key),
    )


def _simulated(activation: OtaaActivation | AbpActivation) -> Otaa | Abp:
    match activation:
        case OtaaActivation(join_eui=join_eui, app_key=app_key, nwk_key=nwk_key):
            return Otaa(join_eui=join_eui, app_key=app_key, nwk_key=nwk_key)
        case AbpActivation(dev_addr=dev_addr, keys=keys):
            return Abp(dev_addr=dev_addr, keys=keys)
