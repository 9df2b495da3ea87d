"""The registry port on SQLite."""

from __future__ import annotations

from bittern.errors import Conflict, NotFound
from bittern.mac.session import Session
from bittern.store import codec
from bittern.store.records import (
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    ServiceProfile,
)
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Parameters, Transaction
from bittern.types import DevEUI, GatewayEUI


class SqliteDevices:
    _database: Database

    async def add_device(self, device: Device, session: Session | None = None) -> None:
        vault = self._database.vault
        row = codec.device_to_row(device, vault)
        session_row = None if session is None else codec.session_to_row(session, vault)

        def work(transaction: Transaction) -> None:
            _require_new(transaction, "device_exists", (row[0],), "device", device.dev_eui)
            _require_new(transaction, "device_id_exists", (device.id,), "device", device.id)
            _require_what_it_names(transaction, device)
            transaction.execute("insert_device", row)
            transaction.change("device", device.dev_eui)
            if session_row is not None:
                transaction.execute("insert_session", session_row)
                transaction.change("session", device.dev_eui)

        assert session is None or session.dev_eui == device.dev_eui
        await self._database.write(work)

    async def device(self, dev_eui: DevEUI) -> Device | None:
        vault = self._database.vault
        return self._database.read_one(
            "device", (bytes(dev_eui),), lambda row: codec.device_from_row(row, vault)
        )

    async def devices(self, after: DevEUI | None = None, limit: int = 250) -> list[Device]:
        vault = self._database.vault
        return await self._database.read_aside(
            "devices", (bytes(after or b""), limit), lambda row: codec.device_from_row(row, vault)
        )

    async def remove_device(self, dev_eui: DevEUI) -> None:
        def work(transaction: Transaction) -> None:
            key = (bytes(dev_eui),)
            if transaction.execute("delete_downlinks", key):
                transaction.change("downlink", dev_eui)
            _require_touched(transaction, "delete_device", key, "device", dev_eui)
            transaction.change("device", dev_eui)
            transaction.change("session", dev_eui)

        await self._database.write(work)


class SqliteProfiles:
    _database: Database

    async def add_device_profile(self, profile: DeviceProfile) -> None:
        row = codec.device_profile_to_row(profile)

        def work(transaction: Transaction) -> None:
            _require_new(transaction, "device_profile", (profile.id,), "device profile", profile.id)
            transaction.execute("insert_device_profile", row)
            transaction.change("profile", profile.id)

        await self._database.write(work)

    async def device_profile(self, profile_id: str) -> DeviceProfile | None:
        return self._database.read_one(
            "device_profile", (profile_id,), codec.device_profile_from_row
        )

    async def device_profiles(self) -> list[DeviceProfile]:
        return await self._database.read_aside("device_profiles", (), codec.device_profile_from_row)

    async def add_service_profile(self, profile: ServiceProfile) -> None:
        row = codec.service_profile_to_row(profile)

        def work(transaction: Transaction) -> None:
            _require_new(
                transaction, "service_profile", (profile.id,), "service profile", profile.id
            )
            transaction.execute("insert_service_profile", row)
            transaction.change("profile", profile.id)

        await self._database.write(work)

    async def service_profile(self, profile_id: str) -> ServiceProfile | None:
        return self._database.read_one(
            "service_profile", (profile_id,), codec.service_profile_from_row
        )

    async def service_profiles(self) -> list[ServiceProfile]:
        return await self._database.read_aside(
            "service_profiles", (), codec.service_profile_from_row
        )


class SqliteGateways:
    _database: Database

    async def add_gateway(self, gateway: Gateway) -> None:
        row = codec.gateway_to_row(gateway)

        def work(transaction: Transaction) -> None:
            _require_new(transaction, "gateway", (row[0],), "gateway", gateway.gateway_eui)
            _require_new(transaction, "gateway_id_exists", (gateway.id,), "gateway", gateway.id)
            transaction.execute("insert_gateway", row)
            transaction.change("gateway", gateway.gateway_eui)

        await self._database.write(work)

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None:
        return self._database.read_one("gateway", (bytes(gateway_eui),), codec.gateway_from_row)

    async def gateways(self, after: GatewayEUI | None = None, limit: int = 250) -> list[Gateway]:
        return await self._database.read_aside(
            "gateways", (bytes(after or b""), limit), codec.gateway_from_row
        )

    async def remove_gateway(self, gateway_eui: GatewayEUI) -> None:
        def work(transaction: Transaction) -> None:
            key = (bytes(gateway_eui),)
            _require_touched(transaction, "delete_gateway", key, "gateway", gateway_eui)
            transaction.change("gateway", gateway_eui)

        await self._database.write(work)

    async def add_certificate(self, certificate: GatewayCertificate) -> None:
        row = codec.certificate_to_row(certificate)
        fingerprint, eui = certificate.fingerprint, certificate.gateway_eui

        def work(transaction: Transaction) -> None:
            _require_new(transaction, "certificate", (fingerprint,), "certificate", fingerprint)
            _require_there(transaction, "gateway", (bytes(eui),), "gateway", eui)
            transaction.execute("insert_certificate", row)
            transaction.change("certificate", fingerprint)

        await self._database.write(work)

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
        return self._database.read_one("certificate", (fingerprint,), codec.certificate_from_row)

    async def certificates_of(self, gateway_eui: GatewayEUI) -> list[GatewayCertificate]:
        rows = self._database.read("certificates_of", (bytes(gateway_eui),))
        return [codec.certificate_from_row(row) for row in rows]

    async def set_certificate_active(self, fingerprint: str, active: bool) -> None:
        def work(transaction: Transaction) -> None:
            parameters = (active, fingerprint)
            _require_touched(
                transaction, "activate_certificate", parameters, "certificate", fingerprint
            )
            transaction.change("certificate", fingerprint)

        await self._database.write(work)


class SqliteDestinations:
    _database: Database

    async def add_destination(self, destination: Destination) -> None:
        row = codec.destination_to_row(destination)
        key = destination.account, destination.name

        def work(transaction: Transaction) -> None:
            _require_new(transaction, "destination", key, "destination", destination.name)
            transaction.execute("insert_destination", row)
            transaction.change("destination", "/".join(key))

        await self._database.write(work)

    async def destination(self, account: str, name: str) -> Destination | None:
        return self._database.read_one("destination", (account, name), codec.destination_from_row)

    async def destinations(self, account: str) -> list[Destination]:
        return await self._database.read_aside(
            "destinations", (account,), codec.destination_from_row
        )

    async def remove_destination(self, account: str, name: str) -> None:
        def work(transaction: Transaction) -> None:
            if transaction.exists("destination_in_use", (account, name)):
                raise Conflict("destination", name, "is used by a device")
            key = (account, name)
            _require_touched(transaction, "delete_destination", key, "destination", name)
            transaction.change("destination", f"{account}/{name}")

        await self._database.write(work)


def _require_new(
    transaction: Transaction, name: str, key: Parameters, kind: str, identity: object
) -> None:
    if transaction.exists(name, key):
        raise Conflict(kind, str(identity))


def _require_there(
    transaction: Transaction, name: str, key: Parameters, kind: str, identity: object
) -> None:
    if not transaction.exists(name, key):
        raise NotFound(kind, str(identity))


def _require_touched(
    transaction: Transaction, name: str, parameters: Parameters, kind: str, identity: object
) -> None:
    if not transaction.execute(name, parameters):
        raise NotFound(kind, str(identity))


def _require_what_it_names(transaction: Transaction, device: Device) -> None:
    destination = device.account, device.destination
    _require_there(transaction, "destination", destination, "destination", device.destination)
    for kind, profile_id in (
        ("device profile", device.device_profile_id),
        ("service profile", device.service_profile_id),
    ):
        _require_there(transaction, kind.replace(" ", "_"), (profile_id,), kind, profile_id)
