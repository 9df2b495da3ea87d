"""The registry kept in memory, and forgotten where an operator changed it.

Whichever process makes a change, the store's change feed names it; `follow` drops what is held of
it, and the next use reads it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from bittern.lorawan.regions import plan, plan_of_profile, renumbered
from bittern.lorawan.regions.plan import FixedPlan, Plan
from bittern.mac.device_class import listens_between_uplinks
from bittern.mac.refused import Refused
from bittern.mac.wanted import Wanted, wanted
from bittern.network.deduplication import Gathered
from bittern.store.ports.registry import Registry
from bittern.store.records import (
    Change,
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    ServiceProfile,
)
from bittern.types import EUI64, DevEUI, GatewayEUI, Refusal

logger = logging.getLogger("bittern.network")


class DeviceContext(msgspec.Struct, frozen=True, gc=False):
    """A device with everything that its frames need."""

    device: Device
    profile: DeviceProfile
    service: ServiceProfile
    plan: Plan
    """Of the revision of the regional parameters that its profile names."""
    wanted: Wanted
    """The profiles in the words of the link layer."""
    listens_between_uplinks: bool
    """It may be in class B or C."""
    own_data_rates: Mapping[int, int] | None = None
    """By the gateways' numbers, which are those of the newest revision; None: the same."""

    def as_it_counts(self, gathered: Gathered) -> Gathered | Refused:
        """The frame with the device's own number of its data rate. Refused where the revision that
        the profile names does not have it: the device is of another one."""
        if self.own_data_rates is None:
            return gathered
        heard = gathered.best.data_rate
        own = self.own_data_rates.get(heard)
        if own is None:
            return self._has_no(heard)
        if own == heard:
            return gathered
        receptions = tuple(
            msgspec.structs.replace(reception, data_rate=own) for reception in gathered.receptions
        )
        return msgspec.structs.replace(gathered, receptions=receptions)

    def _has_no(self, data_rate: int) -> Refused:
        reason = (
            f"{self.plan.name} of {self.profile.reg_params_revision}, which its profile names, "
            f"does not have DR{data_rate} of the newest revision"
        )
        return Refused(Refusal.WRONG_REGION, reason, self.device.dev_eui)


class Directory:
    """Reads through to the store; a hit is a dictionary look-up."""

    def __init__(self, store: Registry) -> None:
        self._store = store
        self._devices: dict[DevEUI, DeviceContext] = {}
        self._gateways: dict[GatewayEUI, Gateway] = {}
        self._plans: dict[GatewayEUI, Plan] = {}
        self._destinations: dict[tuple[str, str], Destination] = {}

    def cached_device(self, dev_eui: DevEUI) -> DeviceContext | None:
        return self._devices.get(dev_eui)

    async def device(self, dev_eui: DevEUI) -> DeviceContext | None:
        context = self._devices.get(dev_eui)
        if context is None:
            context = await self._read_device(dev_eui)
            if context is not None:
                self._devices[dev_eui] = context
        return context

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None:
        gateway = self._gateways.get(gateway_eui)
        if gateway is None:
            gateway = await self._store.gateway(gateway_eui)
            if gateway is not None:
                self._gateways[gateway_eui] = gateway
        return gateway

    async def plan_of_gateway(self, gateway_eui: GatewayEUI) -> Plan | None:
        """The region in which it hears; None if it is not registered."""
        known = self._plans.get(gateway_eui)
        if known is None:
            gateway = await self.gateway(gateway_eui)
            if gateway is None:
                return None
            known = self._plans[gateway_eui] = plan(gateway.region)
        return known

    async def sub_bands_of_gateway(self, gateway_eui: GatewayEUI) -> tuple[int, ...]:
        """What it hears of a fixed plan; () of a dynamic one."""
        gateway = await self.gateway(gateway_eui)
        region = await self.plan_of_gateway(gateway_eui)
        if gateway is None or not isinstance(region, FixedPlan):
            return ()
        return gateway.sub_bands or region.customary_sub_bands

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
        """Never cached: a revoked certificate must not open one more connection."""
        return await self._store.certificate(fingerprint)

    async def destination(self, account: str, name: str) -> Destination | None:
        destination = self._destinations.get((account, name))
        if destination is None:
            destination = await self._store.destination(account, name)
            if destination is not None:
                self._destinations[account, name] = destination
        return destination

    def follow(self, changes: list[Change]) -> None:
        """Drop what the changes touched."""
        for change in changes:
            self._forget(change)

    def forget_everything(self) -> None:
        for kept in (self._devices, self._gateways, self._plans, self._destinations):
            kept.clear()

    def _forget(self, change: Change) -> None:
        match change.kind:
            case "device":
                self._devices.pop(DevEUI(EUI64.from_hex(change.identity)), None)
            case "profile":
                self._devices.clear()
            case "gateway" | "certificate":
                self._gateways.clear()
                self._plans.clear()
            case "destination":
                self._destinations.clear()
            case "downlink" | "session" | "firmware" | "rule" | "replay" | "codec":
                pass
            case "account" | "access_key" | "events" | "data_key":
                pass

    async def _read_device(self, dev_eui: DevEUI) -> DeviceContext | None:
        device = await self._store.device(dev_eui)
        if device is None:
            return None
        profile = await self._store.device_profile(device.device_profile_id)
        service = await self._store.service_profile(device.service_profile_id)
        if profile is None or service is None:
            raise RuntimeError(f"device {dev_eui} names a profile that is not there")
        region = _plan_of(profile)
        return DeviceContext(
            device,
            profile,
            service,
            region,
            wanted(profile, service, region),
            listens_between_uplinks(profile),
            renumbered(region),
        )


def _plan_of(profile: DeviceProfile) -> Plan:
    """A revision that got past its checks must not cost an uplink."""
    try:
        return plan_of_profile(profile.region, profile.reg_params_revision, profile.mac_version)
    except ValueError as error:
        logger.warning("profile=%s taken for the newest revision: %s", profile.id, error)
        return plan(profile.region)
