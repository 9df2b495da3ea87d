"""The registry port on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from bittern.errors import Conflict
from bittern.mac.session import Session
from bittern.store import codec, gateway_codec
from bittern.store.notes import Note
from bittern.store.records import (
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    ServiceProfile,
)
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.notes import keep_notes
from bittern.store.sqlite.transaction import Transaction
from bittern.types import DevEUI, GatewayEUI


class SqliteDevices:
    _database: Database

    async def add_device(
        self, device: Device, session: Session | None = None, *, notes: Sequence[Note] = ()
    ) -> None:
        vault = self._database.vault
        row = codec.device_to_row(device, vault)
        session_row = None if session is None else codec.session_to_row(session, vault)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("device_exists", (row[0],), "device", device.dev_eui)
            transaction.require_new("device_id_exists", (device.id,), "device", device.id)
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

    async def device_by_id(self, device_id: str) -> Device | None:
        vault = self._database.vault
        return self._database.read_one(
            "device_by_id", (device_id,), lambda row: codec.device_from_row(row, vault)
        )

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
        vault = self._database.vault
        wanted = (destination, device_profile_id, service_profile_id)
        return await self._database.read_aside(
            "devices_of",
            (account, bytes(after or b""), *wanted, limit),
            lambda row: codec.device_from_row(row, vault),
        )

    async def device_count(self, account: str) -> int:
        [count] = await self._database.read_aside(
            "device_count", (account,), lambda row: int(row[0])
        )
        return count

    async def replace_device(self, device: Device) -> None:
        row = codec.device_to_row(device, self._database.vault)

        def work(transaction: Transaction) -> None:
            transaction.require_there("device_exists", (row[0],), "device", device.dev_eui)
            other = device.id, row[0]
            transaction.require_new("device_id_elsewhere", other, "device", device.id)
            _require_what_it_names(transaction, device)
            transaction.execute("replace_device", row)
            transaction.change("device", device.dev_eui)

        await self._database.write(work)

    async def remove_device(self, dev_eui: DevEUI) -> None:
        def work(transaction: Transaction) -> None:
            key = (bytes(dev_eui),)
            if transaction.execute("delete_downlinks", key):
                transaction.change("downlink", dev_eui)
            transaction.execute_on("delete_device", key, "device", dev_eui)
            transaction.change("device", dev_eui)
            transaction.change("session", dev_eui)

        await self._database.write(work)


class SqliteProfiles:
    _database: Database

    async def add_device_profile(
        self, profile: DeviceProfile, *, notes: Sequence[Note] = ()
    ) -> None:
        row = codec.device_profile_to_row(profile)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("device_profile", (profile.id,), "device profile", profile.id)
            transaction.execute("insert_device_profile", row)
            transaction.change("profile", profile.id)

        await self._database.write(work)

    async def remove_device_profile(self, profile_id: str) -> None:
        def work(transaction: Transaction) -> None:
            key, kind = (profile_id,), "device profile"
            if transaction.exists("device_profile_in_use", key):
                raise Conflict(kind, profile_id, "is used by a device")
            transaction.execute_on("delete_device_profile", key, kind, profile_id)
            transaction.change("profile", profile_id)

        await self._database.write(work)

    async def device_profile(self, profile_id: str) -> DeviceProfile | None:
        return self._database.read_one(
            "device_profile", (profile_id,), codec.device_profile_from_row
        )

    async def device_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[DeviceProfile]:
        return await self._database.read_aside(
            "device_profiles", (account, after, limit), codec.device_profile_from_row
        )

    async def add_service_profile(
        self, profile: ServiceProfile, *, notes: Sequence[Note] = ()
    ) -> None:
        row = codec.service_profile_to_row(profile)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("service_profile", (profile.id,), "service profile", profile.id)
            transaction.execute("insert_service_profile", row)
            transaction.change("profile", profile.id)

        await self._database.write(work)

    async def remove_service_profile(self, profile_id: str) -> None:
        def work(transaction: Transaction) -> None:
            key, kind = (profile_id,), "service profile"
            if transaction.exists("service_profile_in_use", key):
                raise Conflict(kind, profile_id, "is used by a device")
            transaction.execute_on("delete_service_profile", key, kind, profile_id)
            transaction.change("profile", profile_id)

        await self._database.write(work)

    async def service_profile(self, profile_id: str) -> ServiceProfile | None:
        return self._database.read_one(
            "service_profile", (profile_id,), codec.service_profile_from_row
        )

    async def service_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[ServiceProfile]:
        return await self._database.read_aside(
            "service_profiles", (account, after, limit), codec.service_profile_from_row
        )


class SqliteGateways:
    _database: Database

    async def add_gateway(self, gateway: Gateway, *, notes: Sequence[Note] = ()) -> None:
        row = gateway_codec.gateway_to_row(gateway)

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("gateway", (row[0],), "gateway", gateway.gateway_eui)
            transaction.require_new("gateway_id_exists", (gateway.id,), "gateway", gateway.id)
            transaction.execute("insert_gateway", row)
            transaction.change("gateway", gateway.gateway_eui)

        await self._database.write(work)

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None:
        return self._database.read_one(
            "gateway", (bytes(gateway_eui),), gateway_codec.gateway_from_row
        )

    async def gateways(self, after: GatewayEUI | None = None, limit: int = 250) -> list[Gateway]:
        return await self._database.read_aside(
            "gateways", (bytes(after or b""), limit), gateway_codec.gateway_from_row
        )

    async def gateway_by_id(self, gateway_id: str) -> Gateway | None:
        return self._database.read_one(
            "gateway_by_id", (gateway_id,), gateway_codec.gateway_from_row
        )

    async def gateways_of(
        self, account: str, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[Gateway]:
        key = (account, bytes(after or b""), limit)
        return await self._database.read_aside("gateways_of", key, gateway_codec.gateway_from_row)

    async def replace_gateway(self, gateway: Gateway) -> None:
        row = gateway_codec.gateway_to_row(gateway)

        def work(transaction: Transaction) -> None:
            transaction.require_there("gateway", (row[0],), "gateway", gateway.gateway_eui)
            other = gateway.id, row[0]
            transaction.require_new("gateway_id_elsewhere", other, "gateway", gateway.id)
            transaction.execute("replace_gateway", row)
            transaction.change("gateway", gateway.gateway_eui)

        await self._database.write(work)

    async def remove_gateway(self, gateway_eui: GatewayEUI) -> None:
        def work(transaction: Transaction) -> None:
            key = (bytes(gateway_eui),)
            if transaction.execute("delete_firmware_task", key):
                transaction.change("firmware", gateway_eui)
            transaction.execute_on("delete_gateway", key, "gateway", gateway_eui)
            transaction.change("gateway", gateway_eui)

        await self._database.write(work)

    async def add_certificate(self, certificate: GatewayCertificate) -> None:
        row = gateway_codec.certificate_to_row(certificate)
        fingerprint, eui = certificate.fingerprint, certificate.gateway_eui

        def work(transaction: Transaction) -> None:
            transaction.require_new("certificate", (fingerprint,), "certificate", fingerprint)
            transaction.require_there("gateway", (bytes(eui),), "gateway", eui)
            transaction.execute("insert_certificate", row)
            transaction.change("certificate", fingerprint)

        await self._database.write(work)

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
        return self._database.read_one(
            "certificate", (fingerprint,), gateway_codec.certificate_from_row
        )

    async def certificates_of(self, gateway_eui: GatewayEUI) -> list[GatewayCertificate]:
        rows = self._database.read("certificates_of", (bytes(gateway_eui),))
        return [gateway_codec.certificate_from_row(row) for row in rows]

    async def set_certificate_active(self, fingerprint: str, active: bool) -> None:
        def work(transaction: Transaction) -> None:
            parameters = (active, fingerprint)
            transaction.execute_on("activate_certificate", parameters, "certificate", fingerprint)
            transaction.change("certificate", fingerprint)

        await self._database.write(work)

    async def replace_certificate(self, certificate: GatewayCertificate) -> None:
        row = gateway_codec.certificate_to_row(certificate)
        fingerprint, eui = certificate.fingerprint, certificate.gateway_eui

        def work(transaction: Transaction) -> None:
            transaction.require_there("certificate", (fingerprint,), "certificate", fingerprint)
            transaction.require_there("gateway", (bytes(eui),), "gateway", eui)
            transaction.execute("replace_certificate", row)
            transaction.change("certificate", fingerprint)

        await self._database.write(work)

    async def remove_certificate(self, fingerprint: str) -> None:
        def work(transaction: Transaction) -> None:
            key = (fingerprint,)
            transaction.execute_on("delete_certificate", key, "certificate", fingerprint)
            transaction.change("certificate", fingerprint)

        await self._database.write(work)

    async def foreign_certificates(self) -> list[GatewayCertificate]:
        return await self._database.read_aside(
            "foreign_certificates", (), gateway_codec.certificate_from_row
        )


class SqliteDestinations:
    _database: Database

    async def add_destination(
        self, destination: Destination, *, notes: Sequence[Note] = ()
    ) -> None:
        row = codec.destination_to_row(destination)
        key = destination.account, destination.name

        def work(transaction: Transaction) -> None:
            keep_notes(transaction, notes)
            transaction.require_new("destination", key, "destination", destination.name)
            transaction.execute("insert_destination", row)
            transaction.change("destination", "/".join(key))

        await self._database.write(work)

    async def destination(self, account: str, name: str) -> Destination | None:
        return self._database.read_one("destination", (account, name), codec.destination_from_row)

    async def destinations(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[Destination]:
        return await self._database.read_aside(
            "destinations", (account, after, limit), codec.destination_from_row
        )

    async def replace_destination(self, destination: Destination) -> None:
        row = codec.destination_to_row(destination)

        def work(transaction: Transaction) -> None:
            transaction.execute_on("replace_destination", row, "destination", destination.name)
            transaction.change("destination", f"{destination.account}/{destination.name}")

        await self._database.write(work)

    async def remove_destination(self, account: str, name: str) -> None:
        def work(transaction: Transaction) -> None:
            if transaction.exists("destination_in_use", (account, name)):
                raise Conflict("destination", name, "is used by a device")
            key = (account, name)
            transaction.execute_on("delete_destination", key, "destination", name)
            transaction.change("destination", f"{account}/{name}")

        await self._database.write(work)


def _require_what_it_names(transaction: Transaction, device: Device) -> None:
    destination = device.account, device.destination
    transaction.require_there("destination", destination, "destination", device.destination)
    for kind, profile_id in (
        ("device profile", device.device_profile_id),
        ("service profile", device.service_profile_id),
    ):
        transaction.require_there(kind.replace(" ", "_"), (profile_id,), kind, profile_id)
