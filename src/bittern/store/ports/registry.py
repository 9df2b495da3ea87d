"""Devices, gateways, profiles and destinations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bittern.mac.session import Session
from bittern.store.notes import Note
from bittern.store.records import (
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    ServiceProfile,
)
from bittern.types import DevEUI, GatewayEUI


class Registry(Protocol):
    """What operators register.

    `add_*` raises `Conflict` for a taken identity; `remove_*` and `set_*` raise `NotFound`. Notes
    are kept in the same transaction (`NoteStore.put_notes`).
    """

    async def add_device(
        self, device: Device, session: Session | None = None, *, notes: Sequence[Note] = ()
    ) -> None:
        """With `session` for ABP, stored in the same transaction.

        Raises `NotFound` for a destination or profile that is not there.
        """
        ...

    async def device(self, dev_eui: DevEUI) -> Device | None: ...
    async def devices(self, after: DevEUI | None = None, limit: int = 250) -> list[Device]:
        """In order of DevEUI, those behind `after`."""
        ...

    async def device_by_id(self, device_id: str) -> Device | None: ...
    async def devices_of(
        self,
        account: str,
        after: DevEUI | None = None,
        limit: int = 250,
        *,
        destination: str | None = None,
        device_profile_id: str | None = None,
        service_profile_id: str | None = None,
    ) -> list[Device]:
        """Of one account, in order of DevEUI, those behind `after` that have what is given."""
        ...

    async def device_count(self, account: str) -> int:
        """How many it has."""
        ...

    async def replace_device(self, device: Device) -> None:
        """The whole record of its DevEUI; its sessions, join state and queue stay as they are.

        Raises `NotFound` without one, or for a destination or profile that is not there,
        `Conflict` for the id of another device.
        """
        ...

    async def remove_device(self, dev_eui: DevEUI) -> None:
        """With its sessions, join state and queue. What it sent is still owed."""
        ...

    async def add_device_profile(
        self, profile: DeviceProfile, *, notes: Sequence[Note] = ()
    ) -> None: ...
    async def remove_device_profile(self, profile_id: str) -> None:
        """Raises `Conflict` while a device has it."""
        ...

    async def device_profile(self, profile_id: str) -> DeviceProfile | None: ...
    async def device_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[DeviceProfile]:
        """Of one account, in order of id, those behind `after`."""
        ...

    async def add_service_profile(
        self, profile: ServiceProfile, *, notes: Sequence[Note] = ()
    ) -> None: ...
    async def remove_service_profile(self, profile_id: str) -> None:
        """Raises `Conflict` while a device has it."""
        ...

    async def service_profile(self, profile_id: str) -> ServiceProfile | None: ...
    async def service_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[ServiceProfile]:
        """Of one account, in order of id, those behind `after`."""
        ...

    async def add_gateway(self, gateway: Gateway, *, notes: Sequence[Note] = ()) -> None: ...
    async def gateway_by_id(self, gateway_id: str) -> Gateway | None: ...
    async def gateways_of(
        self, account: str, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[Gateway]:
        """Of one account, in order of EUI, those behind `after`."""
        ...

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None: ...
    async def gateways(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[Gateway]: ...
    async def replace_gateway(self, gateway: Gateway) -> None:
        """The whole record of its EUI; `NotFound` without one, `Conflict` for another's id."""
        ...

    async def remove_gateway(self, gateway_eui: GatewayEUI) -> None:
        """With its certificates, its state and its firmware task."""
        ...

    async def add_certificate(self, certificate: GatewayCertificate) -> None:
        """Raises `NotFound` without its gateway."""
        ...

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None: ...
    async def certificates_of(self, gateway_eui: GatewayEUI) -> list[GatewayCertificate]: ...
    async def set_certificate_active(self, fingerprint: str, active: bool) -> None: ...
    async def replace_certificate(self, certificate: GatewayCertificate) -> None:
        """The whole record of its fingerprint; `NotFound` without one or without its gateway."""
        ...

    async def remove_certificate(self, fingerprint: str) -> None: ...
    async def foreign_certificates(self) -> list[GatewayCertificate]:
        """Those that an outside authority has signed, in order of fingerprint: they carry `pem`."""
        ...

    async def add_destination(
        self, destination: Destination, *, notes: Sequence[Note] = ()
    ) -> None: ...
    async def destination(self, account: str, name: str) -> Destination | None: ...
    async def destinations(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[Destination]:
        """Of one account, in order of name, those behind `after`."""
        ...

    async def replace_destination(self, destination: Destination) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_destination(self, account: str, name: str) -> None:
        """Raises `Conflict` while a device names it."""
        ...
