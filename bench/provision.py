"""Register a fleet in a data directory, as an operator would, and write the gateways' files.

``python -m bench.provision --data-dir DATA --files DIR``, whether the server runs or not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.fleet import REGION, Fleet
from bittern import installation
from bittern.cli.device_add import device_profile, service_profile
from bittern.cli.station_files import StationFiles
from bittern.config import Configuration, load
from bittern.lorawan import regions
from bittern.lorawan.versions import MacVersion
from bittern.mac.personalization import personalize
from bittern.mac.session import FIRST_REVISION_BITS
from bittern.pki.authority import Authority
from bittern.store.protocol import Store
from bittern.store.records import (
    AbpActivation,
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    ServiceProfile,
)
from bittern.types import Instant

DESTINATION = "bench"
TOPIC = "bench/uplinks"
_AT_ONCE = 1000


async def provision(configuration: Configuration, fleet: Fleet, files: Path, uri: str) -> None:
    """Gateways with certificates, a destination, and ABP devices with sessions."""
    now = Instant(time.time())
    async with installation.opened_store(configuration, now) as store:
        registrar = _Registrar(store, fleet, now)
        authority = installation.authorities(configuration, now).issuing
        await registrar.add_gateways(authority, files, uri)
        destination = Destination(name=DESTINATION, expression=TOPIC, created_at=now)
        await store.add_destination(destination)
        await registrar.add_devices()


def settled_profile() -> DeviceProfile:
    """Of devices that have all channels from the factory. Others would be told of them, and these
    devices hear nothing: the benchmark would be of a network that is being set up."""
    profile = device_profile(MacVersion.LORAWAN_1_0_3, REGION, device_class="A", joins=False)
    plan = regions.plan(REGION)
    channels = tuple(channel.frequency_hz for channel in plan.uplink_channels())
    return msgspec.structs.replace(profile, factory_preset_frequencies_hz=channels)


@dataclass(frozen=True, slots=True)
class _Registrar:
    store: Store
    fleet: Fleet
    now: Instant
    service: ServiceProfile = field(default_factory=service_profile)
    profile: DeviceProfile = field(default_factory=settled_profile)

    async def add_gateways(self, authority: Authority, files: Path, uri: str) -> None:
        """Many at once, like devices."""
        for indices in _groups(self.fleet.gateways):
            made = [self._files_of(index, authority, uri) for index in indices]
            for index, one in zip(indices, made, strict=True):
                _write(files / str(self.fleet.gateway_eui(index)), one)
            added = zip(indices, made, strict=True)
            await asyncio.gather(*(self._add_gateway(index, one) for index, one in added))

    def _files_of(self, index: int, authority: Authority, uri: str) -> StationFiles:
        eui = self.fleet.gateway_eui(index)
        return StationFiles.made(authority, eui, place="lns", uri=uri, now=self.now)

    async def _add_gateway(self, index: int, made: StationFiles) -> None:
        eui = self.fleet.gateway_eui(index)
        gateway = Gateway(id=str(uuid.uuid4()), gateway_eui=eui, region=REGION, created_at=self.now)
        await self.store.add_gateway(gateway)
        await self.store.add_certificate(made.record(eui, self.now))

    async def add_devices(self) -> None:
        """Many at once: they share transactions."""
        await self.store.add_device_profile(self.profile)
        await self.store.add_service_profile(self.service)
        for indices in _groups(self.fleet.devices):
            await asyncio.gather(*(self._add_device(index) for index in indices))

    async def _add_device(self, index: int) -> None:
        one = self.fleet.device(index)
        device = Device(
            id=str(uuid.UUID(int=index)),
            dev_eui=one.dev_eui,
            destination=DESTINATION,
            device_profile_id=self.profile.id,
            service_profile_id=self.service.id,
            activation=AbpActivation(dev_addr=one.dev_addr, keys=one.keys),
            created_at=self.now,
        )
        session = personalize(
            one.dev_eui,
            one.dev_addr,
            one.keys,
            profile=self.profile,
            plan=regions.plan(REGION),
            now=self.now,
            first_revision=secrets.randbits(FIRST_REVISION_BITS),
            fcnt_start=0,
        )
        await self.store.add_device(device, session)


def _groups(count: int) -> Iterator[range]:
    return (range(first, min(first + _AT_ONCE, count)) for first in range(0, count, _AT_ONCE))


def _write(folder: Path, made: StationFiles) -> None:
    """Not durably: forty thousand synchronous writes would take longer than the benchmark."""
    folder.mkdir(mode=0o700, parents=True)
    for name, content in made.contents().items():
        (folder / name).write_bytes(content)


def main(arguments: Sequence[str] | None = None) -> None:
    it = argparse.ArgumentParser(prog="python -m bench.provision", description=__doc__)
    it.add_argument("--data-dir", type=Path, required=True)
    it.add_argument("--files", type=Path, required=True, help="where the gateways' folders go")
    it.add_argument("--uri", default="wss://localhost:8887", help="for the gateways' tc.uri")
    it.add_argument("--gateways", type=int, default=50)
    it.add_argument("--devices", type=int, default=10_000)
    it.add_argument("--devices-per-dev-addr", type=int, default=1)
    it.add_argument("--seed", type=int, default=1)
    options = it.parse_args(arguments)
    configuration = msgspec.structs.replace(
        load(None, os.environ), data_dir=options.data_dir.absolute()
    )
    fleet = Fleet(
        devices=options.devices,
        gateways=options.gateways,
        devices_per_dev_addr=options.devices_per_dev_addr,
        seed=options.seed,
    )
    asyncio.run(provision(configuration, fleet, options.files, options.uri))


if __name__ == "__main__":
    main()
