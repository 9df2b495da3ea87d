"""The store's ports in memory, for tests: nothing is durable, nothing is sealed, nothing waits.

It refuses what the engines refuse, in the same words; one suite of tests runs over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from bittern.errors import ChangesTrimmed, Conflict, StaleSession
from bittern.mac.session import JoinState, Session
from bittern.store.notes import Note
from bittern.store.ports.sessions import (
    Deliver,
    DownlinkAttempted,
    DownlinkDone,
    Effect,
    is_successor,
)
from bittern.store.protocol import Store
from bittern.store.records import (
    Change,
    ChangeKind,
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    QueuedDownlink,
    ServiceProfile,
)
from bittern.testing.memory_accounts import MemoryAccounts
from bittern.testing.memory_audit import MemoryAudit
from bittern.testing.memory_codecs import MemoryCodecs
from bittern.testing.memory_fleet import MemoryFleet, page, require_new, require_there
from bittern.testing.memory_groups import MemoryGroups
from bittern.testing.memory_notes import MemoryNotes
from bittern.testing.memory_rules import MemoryRules
from bittern.types import DevAddr, DevEUI, GatewayEUI


class MemoryStore(
    MemoryNotes,
    MemoryFleet,
    MemoryGroups,
    MemoryRules,
    MemoryCodecs,
    MemoryAccounts,
    MemoryAudit,
):
    """Everything in dictionaries."""

    def __init__(self, *, changes_kept: int = 10_000) -> None:
        MemoryFleet.__init__(self)
        MemoryRules.__init__(self)
        MemoryCodecs.__init__(self)
        MemoryNotes.__init__(self)
        MemoryAccounts.__init__(self)
        MemoryAudit.__init__(self)
        MemoryGroups.__init__(self)
        self._sessions: dict[tuple[DevEUI, int], Session] = {}
        self._join_states: dict[DevEUI, JoinState] = {}
        self._queue: dict[str, QueuedDownlink] = {}
        self._devices: dict[DevEUI, Device] = {}
        self._device_profiles: dict[str, DeviceProfile] = {}
        self._service_profiles: dict[str, ServiceProfile] = {}
        self._gateways: dict[GatewayEUI, Gateway] = {}
        self._certificates: dict[str, GatewayCertificate] = {}
        self._destinations: dict[tuple[str, str], Destination] = {}
        self._changes: list[Change] = []
        self._changes_kept = changes_kept

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    # Sessions

    async def sessions_at(self, dev_addr: DevAddr) -> list[Session]:
        return self._find(lambda session: session.dev_addr == dev_addr)

    async def sessions_of(self, dev_eui: DevEUI) -> list[Session]:
        return self._find(lambda session: session.dev_eui == dev_eui)

    async def advance(self, before: Session, after: Session, *effects: Effect) -> int | None:
        assert is_successor(before, after)
        identity = before.dev_eui, before.generation
        stored = self._sessions.get(identity)
        if stored is None or stored.revision != before.revision:
            raise StaleSession(before.dev_eui, before.revision)
        after = self._sessions[identity] = _moved(stored, before, after)
        if before.pending and not after.pending:
            self._end_sessions(before.dev_eui, lambda other: other is not after)
            self._change("session", before.dev_eui)
        sequence: int | None = None
        for effect in effects:
            match effect:
                case Deliver(delivery):
                    sequence = next(self._sequences)
                    self._outbox[sequence] = msgspec.structs.replace(delivery, sequence=sequence)
                case DownlinkDone(message_id):
                    self._done(before.dev_eui, message_id)
                case DownlinkAttempted(message_id):
                    self._attempted(before.dev_eui, message_id)
        return sequence

    async def join_state(self, dev_eui: DevEUI) -> JoinState | None:
        return self._join_states.get(dev_eui)

    async def activate(self, before: JoinState | None, after: JoinState, session: Session) -> None:
        assert session.dev_eui == after.dev_eui
        dev_eui = session.dev_eui
        require_there(self._devices, dev_eui, "device", dev_eui)
        stored = self._join_states.get(dev_eui)
        if (stored and stored.revision) != (before and before.revision):
            raise StaleSession(dev_eui, before.revision if before else 0)
        existing = self._sessions.get((dev_eui, session.generation))
        if existing is not None and not (session.pending and existing.pending):
            raise Conflict("session", f"{dev_eui}/{session.generation}")
        self._join_states[dev_eui] = after
        self._end_sessions(dev_eui, lambda other: other.pending or not session.pending)
        self._sessions[dev_eui, session.generation] = session
        self._change("session", dev_eui)

    def _find(self, wanted: Callable[[Session], bool]) -> list[Session]:
        return [
            self._sessions[key] for key in sorted(self._sessions) if wanted(self._sessions[key])
        ]

    def _end_sessions(self, dev_eui: DevEUI, ends: Callable[[Session], bool]) -> None:
        for key, session in list(self._sessions.items()):
            if session.dev_eui == dev_eui and ends(session):
                del self._sessions[key]

    def _done(self, dev_eui: DevEUI, message_id: str) -> None:
        if self._is_queued(dev_eui, message_id):
            del self._queue[message_id]
            self._change("downlink", dev_eui)

    def _attempted(self, dev_eui: DevEUI, message_id: str) -> None:
        if self._is_queued(dev_eui, message_id):
            queued = self._queue[message_id]
            self._queue[message_id] = msgspec.structs.replace(queued, attempts=queued.attempts + 1)
            self._change("downlink", dev_eui)

    def _is_queued(self, dev_eui: DevEUI, message_id: str) -> bool:
        return message_id in self._queue and self._queue[message_id].dev_eui == dev_eui

    # Downlink queue

    async def enqueue(self, downlink: QueuedDownlink) -> None:
        require_there(self._devices, downlink.dev_eui, "device", downlink.dev_eui)
        require_new(self._queue, downlink.message_id, "downlink", downlink.message_id)
        self._queue[downlink.message_id] = downlink
        self._change("downlink", downlink.dev_eui)

    async def queued(self, dev_eui: DevEUI, limit: int = 250) -> list[QueuedDownlink]:
        mine = [one for one in self._queue.values() if one.dev_eui == dev_eui]
        return sorted(mine, key=lambda one: -one.priority)[:limit]

    async def waiting(self) -> list[DevEUI]:
        return sorted({one.dev_eui for one in self._queue.values()})

    async def unqueue(self, dev_eui: DevEUI, message_id: str | None = None) -> int:
        removed = [
            one.message_id
            for one in self._queue.values()
            if one.dev_eui == dev_eui and message_id in (None, one.message_id)
        ]
        for one in removed:
            del self._queue[one]
        if removed:
            self._change("downlink", dev_eui)
        return len(removed)

    # Registry

    async def add_device(
        self, device: Device, session: Session | None = None, *, notes: Sequence[Note] = ()
    ) -> None:
        assert session is None or session.dev_eui == device.dev_eui
        self._require_older(notes)
        ids = {other.id for other in self._devices.values()}
        require_new(self._devices, device.dev_eui, "device", device.dev_eui)
        require_new(ids, device.id, "device", device.id)
        self._require_what_it_names(device)
        self._keep_notes(notes)
        self._devices[device.dev_eui] = device
        self._change("device", device.dev_eui)
        if session is not None:
            self._sessions[session.dev_eui, session.generation] = session
            self._change("session", device.dev_eui)

    async def device(self, dev_eui: DevEUI) -> Device | None:
        return self._devices.get(dev_eui)

    async def devices(self, after: DevEUI | None = None, limit: int = 250) -> list[Device]:
        return page(self._devices, after, limit)

    async def device_by_id(self, device_id: str) -> Device | None:
        return next((one for one in self._devices.values() if one.id == device_id), None)

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
        wanted = {
            key: one
            for key, one in self._devices.items()
            if one.account == account
            and destination in (None, one.destination)
            and device_profile_id in (None, one.device_profile_id)
            and service_profile_id in (None, one.service_profile_id)
        }
        return page(wanted, after, limit)

    async def device_count(self, account: str) -> int:
        return sum(one.account == account for one in self._devices.values())

    async def replace_device(self, device: Device) -> None:
        require_there(self._devices, device.dev_eui, "device", device.dev_eui)
        others = {one.id for one in self._devices.values() if one.dev_eui != device.dev_eui}
        require_new(others, device.id, "device", device.id)
        self._require_what_it_names(device)
        self._devices[device.dev_eui] = device
        self._change("device", device.dev_eui)

    def _require_what_it_names(self, device: Device) -> None:
        destination = device.account, device.destination
        require_there(self._destinations, destination, "destination", device.destination)
        profile, service = device.device_profile_id, device.service_profile_id
        require_there(self._device_profiles, profile, "device profile", profile)
        require_there(self._service_profiles, service, "service profile", service)

    async def remove_device(self, dev_eui: DevEUI) -> None:
        require_there(self._devices, dev_eui, "device", dev_eui)
        await self.unqueue(dev_eui)
        self._end_sessions(dev_eui, lambda session: True)
        self._join_states.pop(dev_eui, None)
        self._forget_member(dev_eui)
        del self._devices[dev_eui]
        self._change("device", dev_eui)
        self._change("session", dev_eui)

    async def remove_device_profile(self, profile_id: str) -> None:
        if any(one.device_profile_id == profile_id for one in self._devices.values()):
            raise Conflict("device profile", profile_id, "is used by a device")
        require_there(self._device_profiles, profile_id, "device profile", profile_id)
        del self._device_profiles[profile_id]
        self._change("profile", profile_id)

    async def add_device_profile(
        self, profile: DeviceProfile, *, notes: Sequence[Note] = ()
    ) -> None:
        self._require_older(notes)
        require_new(self._device_profiles, profile.id, "device profile", profile.id)
        self._keep_notes(notes)
        self._device_profiles[profile.id] = profile
        self._change("profile", profile.id)

    async def device_profile(self, profile_id: str) -> DeviceProfile | None:
        return self._device_profiles.get(profile_id)

    async def device_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[DeviceProfile]:
        of = (one for _, one in sorted(self._device_profiles.items()) if one.account == account)
        return [one for one in of if one.id > after][:limit]

    async def remove_service_profile(self, profile_id: str) -> None:
        if any(one.service_profile_id == profile_id for one in self._devices.values()):
            raise Conflict("service profile", profile_id, "is used by a device")
        require_there(self._service_profiles, profile_id, "service profile", profile_id)
        del self._service_profiles[profile_id]
        self._change("profile", profile_id)

    async def add_service_profile(
        self, profile: ServiceProfile, *, notes: Sequence[Note] = ()
    ) -> None:
        self._require_older(notes)
        require_new(self._service_profiles, profile.id, "service profile", profile.id)
        self._keep_notes(notes)
        self._service_profiles[profile.id] = profile
        self._change("profile", profile.id)

    async def service_profile(self, profile_id: str) -> ServiceProfile | None:
        return self._service_profiles.get(profile_id)

    async def service_profiles(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[ServiceProfile]:
        of = (one for _, one in sorted(self._service_profiles.items()) if one.account == account)
        return [one for one in of if one.id > after][:limit]

    async def add_gateway(self, gateway: Gateway, *, notes: Sequence[Note] = ()) -> None:
        self._require_older(notes)
        ids = {other.id for other in self._gateways.values()}
        require_new(self._gateways, gateway.gateway_eui, "gateway", gateway.gateway_eui)
        require_new(ids, gateway.id, "gateway", gateway.id)
        self._keep_notes(notes)
        self._gateways[gateway.gateway_eui] = gateway
        self._change("gateway", gateway.gateway_eui)

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None:
        return self._gateways.get(gateway_eui)

    async def gateways(self, after: GatewayEUI | None = None, limit: int = 250) -> list[Gateway]:
        return page(self._gateways, after, limit)

    async def gateway_by_id(self, gateway_id: str) -> Gateway | None:
        return next((one for one in self._gateways.values() if one.id == gateway_id), None)

    async def gateways_of(
        self, account: str, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[Gateway]:
        mine = {key: one for key, one in self._gateways.items() if one.account == account}
        return page(mine, after, limit)

    async def replace_gateway(self, gateway: Gateway) -> None:
        eui = gateway.gateway_eui
        require_there(self._gateways, eui, "gateway", eui)
        others = {one.id for one in self._gateways.values() if one.gateway_eui != eui}
        require_new(others, gateway.id, "gateway", gateway.id)
        self._gateways[eui] = gateway
        self._change("gateway", eui)

    async def remove_gateway(self, gateway_eui: GatewayEUI) -> None:
        require_there(self._gateways, gateway_eui, "gateway", gateway_eui)
        del self._gateways[gateway_eui]
        for certificate in await self.certificates_of(gateway_eui):
            del self._certificates[certificate.fingerprint]
        self._forget_gateway(gateway_eui)
        self._change("gateway", gateway_eui)

    async def add_certificate(self, certificate: GatewayCertificate) -> None:
        fingerprint, eui = certificate.fingerprint, certificate.gateway_eui
        require_new(self._certificates, fingerprint, "certificate", fingerprint)
        require_there(self._gateways, eui, "gateway", eui)
        self._certificates[fingerprint] = certificate
        self._change("certificate", fingerprint)

    async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
        return self._certificates.get(fingerprint)

    async def certificates_of(self, gateway_eui: GatewayEUI) -> list[GatewayCertificate]:
        return [one for one in self._certificates.values() if one.gateway_eui == gateway_eui]

    async def set_certificate_active(self, fingerprint: str, active: bool) -> None:
        require_there(self._certificates, fingerprint, "certificate", fingerprint)
        certificate = self._certificates[fingerprint]
        self._certificates[fingerprint] = msgspec.structs.replace(certificate, active=active)
        self._change("certificate", fingerprint)

    async def replace_certificate(self, certificate: GatewayCertificate) -> None:
        fingerprint, eui = certificate.fingerprint, certificate.gateway_eui
        require_there(self._certificates, fingerprint, "certificate", fingerprint)
        require_there(self._gateways, eui, "gateway", eui)
        self._certificates[fingerprint] = certificate
        self._change("certificate", fingerprint)

    async def remove_certificate(self, fingerprint: str) -> None:
        require_there(self._certificates, fingerprint, "certificate", fingerprint)
        del self._certificates[fingerprint]
        self._change("certificate", fingerprint)

    async def foreign_certificates(self) -> list[GatewayCertificate]:
        return [
            self._certificates[key]
            for key in sorted(self._certificates)
            if self._certificates[key].pem
        ]

    async def add_destination(
        self, destination: Destination, *, notes: Sequence[Note] = ()
    ) -> None:
        self._require_older(notes)
        key = destination.account, destination.name
        require_new(self._destinations, key, "destination", destination.name)
        self._keep_notes(notes)
        self._destinations[key] = destination
        self._change("destination", "/".join(key))

    async def destination(self, account: str, name: str) -> Destination | None:
        return self._destinations.get((account, name))

    async def destinations(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[Destination]:
        keys = sorted(key for key in self._destinations if key[0] == account and key[1] > after)
        return [self._destinations[key] for key in keys[:limit]]

    async def replace_destination(self, destination: Destination) -> None:
        key = destination.account, destination.name
        require_there(self._destinations, key, "destination", destination.name)
        self._destinations[key] = destination
        self._change("destination", "/".join(key))

    async def remove_destination(self, account: str, name: str) -> None:
        if any((one.account, one.destination) == (account, name) for one in self._devices.values()):
            raise Conflict("destination", name, "is used by a device")
        require_there(self._destinations, (account, name), "destination", name)
        del self._destinations[account, name]
        self._change("destination", f"{account}/{name}")

    # Change feed

    async def last_change(self) -> int:
        return self._changes[-1].sequence if self._changes else 0

    async def changes(self, after_sequence: int) -> list[Change]:
        behind = [change for change in self._changes if change.sequence > after_sequence]
        if behind and behind[0].sequence > after_sequence + 1:
            raise ChangesTrimmed(after_sequence)
        return behind

    def _change(self, kind: ChangeKind, identity: object) -> None:
        sequence = self._changes[-1].sequence + 1 if self._changes else 1
        self._changes.append(Change(sequence, kind, str(identity)))
        del self._changes[: -self._changes_kept]


def _moved(stored: Session, before: Session, after: Session) -> Session:
    """What changed is written over what is stored, as the other engines do it."""
    counted = (
        "revision",
        "pending",
        "fcnt_up",
        "nfcnt_down",
        "afcnt_down",
        "last_uplink_at",
        "last_heard",
    )
    changed = {
        name: getattr(after, name)
        for name in after.__struct_fields__
        if name in counted or getattr(after, name) is not getattr(before, name)
    }
    return msgspec.structs.replace(stored, **changed)


if TYPE_CHECKING:
    _every_port: type[Store] = MemoryStore
