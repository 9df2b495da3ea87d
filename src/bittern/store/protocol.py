"""The ports of the store: what every engine does, in the words of the network.

One behavioural test-suite runs over all engines. Every method is durable when it returns: what
was answered survives a power cut. Every method may raise `StoreUnavailable`, and then nothing of
the call was stored. A call whose task is cancelled may still be stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from bittern.mac.session import JoinState, Session
from bittern.store.account_records import AccessKey, Account
from bittern.store.codec_records import CodecRecord
from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
    GatewayState,
    StatePart,
)
from bittern.store.notes import Note, NoteKind
from bittern.store.records import (
    Change,
    Delivery,
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    QueuedDownlink,
    ServiceProfile,
)
from bittern.store.rule_records import DeadLetter, DeadLetterFilter, DeliveryUsage, RuleRecord
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant


class Deliver(msgspec.Struct, frozen=True, gc=False):
    """Effect: owe this message to its destination."""

    delivery: Delivery


class DownlinkDone(msgspec.Struct, frozen=True):
    """Effect: the queued message was sent (unconfirmed), acknowledged, or given up."""

    message_id: str


class DownlinkAttempted(msgspec.Struct, frozen=True):
    """Effect: the queued confirmed message was sent once more."""

    message_id: str


Effect = Deliver | DownlinkDone | DownlinkAttempted


def is_successor(before: Session, after: Session) -> bool:
    """Whether `after` is what a session may become: what was fixed at its activation stays."""
    return (
        after.revision == before.revision + 1
        and after.dev_eui == before.dev_eui
        and after.generation == before.generation
        and after.dev_addr == before.dev_addr
        and (before.pending or not after.pending)
        and (after.keys is before.keys or after.keys == before.keys)
    )


class SessionStore(Protocol):
    """Sessions and what changes together with them."""

    async def sessions_at(self, dev_addr: DevAddr) -> list[Session]:
        """Every session, pending ones too, that answers to this DevAddr."""
        ...

    async def sessions_of(self, dev_eui: DevEUI) -> list[Session]: ...

    async def advance(self, before: Session, after: Session, *effects: Effect) -> int | None:
        """Replace `before` by `after` and store the effects, all or nothing.

        `after` is the successor of `before` (`is_successor`). When `before` was pending and
        `after` is not, every other session of the device ends. Returns the sequence of the (last)
        delivery, if there is one. Calls that arrive close together share a transaction. Raises
        `StaleSession`.
        """
        ...

    async def join_state(self, dev_eui: DevEUI) -> JoinState | None: ...

    async def activate(self, before: JoinState | None, after: JoinState, session: Session) -> None:
        """Store the join and its session: an earlier pending session of the device gives way.

        If `session` is not pending, every other session ends. Raises `StaleSession` when the join
        state is no longer `before` (None: the device has none yet), `NotFound` when the device is
        no longer registered, `Conflict` when it had a session of that generation.
        """
        ...


class Owed(Protocol):
    """What a `Delivery` is to those who hand one in."""

    @property
    def message_id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def dev_eui(self) -> EUI64: ...
    @property
    def destination(self) -> str: ...
    @property
    def document(self) -> bytes: ...
    @property
    def created_at(self) -> Instant: ...
    @property
    def sequence(self) -> int: ...
    @property
    def lane(self) -> str: ...


class Buried(Protocol):
    """What a `DeadLetter` is to those who hand one in, which have no number for it yet."""

    @property
    def owed_as(self) -> int: ...
    @property
    def lane(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def dev_eui(self) -> EUI64: ...
    @property
    def message_id(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def created_at(self) -> Instant: ...
    @property
    def failed_at(self) -> Instant: ...
    @property
    def document(self) -> bytes: ...


class OutboxStore(Protocol):
    """Messages owed to destinations, and what of them is owed in lanes: to one receiver each.

    A message has the same sequence in every lane that it is owed in, that of the outbox.
    """

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        """Undelivered messages in order of sequence, of the outbox or of one lane."""
        ...

    async def delivered(self, sequences: Sequence[int]) -> None:
        """Strike off the outbox what was delivered; unknown sequences are ignored."""
        ...

    async def settle(
        self,
        *,
        delivered: Sequence[int] = (),
        delivered_in: Mapping[str, Sequence[int]] = MappingProxyType({}),
        owed: Sequence[Owed] = (),
        letters: Sequence[Buried] = (),
    ) -> None:
        """All of it, or nothing: `owed` is owed in lanes, `letters` are kept, the others struck
        off the outbox and off lanes.

        What is owed in a lane already, or kept as a dead letter of it, stays as it is.
        """
        ...

    async def lanes(self) -> list[str]:
        """Those that something is owed in, in order."""
        ...

    async def owed_count(self) -> int:
        """In the outbox and in all lanes."""
        ...


class DeadLetters(Protocol):
    """Messages that were given up."""

    async def dead_letters(
        self, wanted: DeadLetterFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[DeadLetter]:
        """In order of sequence."""
        ...

    async def dead_letter(self, sequence: int) -> DeadLetter | None: ...

    async def drop_dead_letters(self, sequences: Sequence[int]) -> int:
        """For good; returns how many there were."""
        ...

    async def replay_dead_letters(self, sequences: Sequence[int]) -> int:
        """Owe them anew where they were owed, behind all that is owed already.

        In one transaction; returns how many there were. The change feed tells each lane.
        """
        ...

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        """Drop those that are older, and the oldest of more bytes than that; how many."""
        ...

    async def delivery_usage(self) -> DeliveryUsage: ...


class Rules(Protocol):
    """Rules of destinations. A destination may name one that is not there, as with AWS."""

    async def add_rule(self, rule: RuleRecord) -> None:
        """Raises `Conflict` for a taken name."""
        ...

    async def rule(self, account: str, name: str) -> RuleRecord | None: ...
    async def rules(self, account: str) -> list[RuleRecord]:
        """In order of name."""
        ...

    async def replace_rule(self, rule: RuleRecord) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_rule(self, account: str, name: str) -> None:
        """Raises `NotFound`. What its actions are owed still is."""
        ...


class CodecStore(Protocol):
    """Payload codecs. A profile may name one that is not there: its messages then say so."""

    async def add_codec(self, codec: CodecRecord) -> None:
        """Raises `Conflict` for a taken name."""
        ...

    async def codec(self, account: str, name: str) -> CodecRecord | None: ...
    async def codecs(self, account: str) -> list[CodecRecord]:
        """In order of name."""
        ...

    async def replace_codec(self, codec: CodecRecord) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_codec(self, account: str, name: str) -> None:
        """Raises `NotFound`."""
        ...


class Accounts(Protocol):
    """Who owns resources, and who may ask for them."""

    async def add_account(self, account: Account) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def account(self, account_id: str) -> Account | None: ...
    async def accounts(self) -> list[Account]:
        """In order of id."""
        ...

    async def add_access_key(self, key: AccessKey) -> None:
        """Raises `NotFound` without its account, `Conflict` for a taken id."""
        ...

    async def access_key(self, key_id: str) -> AccessKey | None: ...
    async def access_keys(self, account: str | None = None) -> list[AccessKey]:
        """Of one account, or of all, in order of account and id."""
        ...

    async def set_access_key_active(self, key_id: str, active: bool) -> None:
        """Raises `NotFound`."""
        ...

    async def access_key_used(self, key_id: str, at: Instant) -> None:
        """The latest use is kept; a key that is not there is ignored. No change is told."""
        ...

    async def remove_access_key(self, key_id: str) -> None:
        """Raises `NotFound`."""
        ...


class NoteStore(Protocol):
    """Small documents beside the records, by account, kind and name."""

    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None: ...
    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]:
        """In order of name, those behind `after`."""
        ...

    async def put_notes(self, *notes: Note) -> None:
        """Each in place of an earlier one; all or none. `Conflict` where one is too new."""
        ...

    async def remove_note(self, account: str, kind: NoteKind, name: str) -> bool:
        """Whether there was one."""
        ...

    async def trim_notes(self, kind: NoteKind, before: Instant) -> int:
        """Remove those that were written earlier; how many."""
        ...


class DownlinkQueue(Protocol):
    """Application payloads that wait for their devices."""

    async def enqueue(self, downlink: QueuedDownlink) -> None:
        """Raises `NotFound` without its device, `Conflict` when the message is queued already."""
        ...

    async def queued(self, dev_eui: DevEUI, limit: int = 250) -> list[QueuedDownlink]:
        """First come, first out; before that the higher priority."""
        ...

    async def waiting(self) -> list[DevEUI]:
        """Devices that something is queued for."""
        ...

    async def unqueue(self, dev_eui: DevEUI, message_id: str | None = None) -> int:
        """Remove one message, or all; returns how many were removed."""
        ...


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
    async def device_profiles(self) -> list[DeviceProfile]: ...
    async def add_service_profile(
        self, profile: ServiceProfile, *, notes: Sequence[Note] = ()
    ) -> None: ...
    async def remove_service_profile(self, profile_id: str) -> None:
        """Raises `Conflict` while a device has it."""
        ...

    async def service_profile(self, profile_id: str) -> ServiceProfile | None: ...
    async def service_profiles(self) -> list[ServiceProfile]: ...

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
    async def destinations(self, account: str) -> list[Destination]: ...
    async def replace_destination(self, destination: Destination) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_destination(self, account: str, name: str) -> None:
        """Raises `Conflict` while a device names it."""
        ...


class Fleet(Protocol):
    """What is known of gateways in the field. Nothing of it but `firmware` enters the changes."""

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState:
        """Empty where nothing was ever seen."""
        ...

    async def gateway_states(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[tuple[GatewayEUI, GatewayState]]:
        """Of gateways that were seen, in order of EUI, those behind `after`."""
        ...

    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        """Replace one part. Raises `NotFound` without its gateway."""
        ...

    async def add_firmware(
        self, definition: FirmwareDefinition, *, notes: Sequence[Note] = ()
    ) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def firmware(self, definition_id: str) -> FirmwareDefinition | None: ...
    async def firmware_definitions(self, account: str) -> list[FirmwareDefinition]:
        """In order of their making."""
        ...

    async def remove_firmware(self, definition_id: str) -> None:
        """Raises `NotFound`, and `Conflict` while a task that has not ended names it.

        Tasks that have ended stay.
        """
        ...

    async def add_firmware_task(self, task: FirmwareTask) -> None:
        """Raises `NotFound` without gateway or definition, `Conflict` while it has a task,
        be it one that has ended."""
        ...

    async def firmware_task(self, gateway_eui: GatewayEUI) -> FirmwareTask | None: ...
    async def firmware_tasks(self, definition_id: str) -> list[FirmwareTask]:
        """In order of gateway EUI."""
        ...

    async def replace_firmware_task(self, before: FirmwareTask, after: FirmwareTask) -> bool:
        """Compare and set; False where the task is no longer `before`.

        Gateway, account and definition of a task never change.
        """
        ...

    async def remove_firmware_task(self, gateway_eui: GatewayEUI) -> None:
        """Raises `NotFound`."""
        ...


class ChangeFeed(Protocol):
    """Changes of the registry, the queues and the activations, by whichever process made them.

    Asking often is cheap when nothing changed. Old changes are trimmed.
    """

    async def last_change(self) -> int:
        """Sequence of the newest, 0 before the first."""
        ...

    async def changes(self, after_sequence: int) -> list[Change]:
        """In order. Raises `ChangesTrimmed` when some of them are no longer kept."""
        ...


class Store(
    SessionStore,
    OutboxStore,
    DeadLetters,
    DownlinkQueue,
    Registry,
    Rules,
    CodecStore,
    Accounts,
    NoteStore,
    Fleet,
    ChangeFeed,
    Protocol,
):
    """One engine offers all ports."""

    async def open(self) -> None:
        """Make or migrate the schema. Raises `SchemaTooNew`."""
        ...

    async def close(self) -> None:
        """After everything that is under way has been committed."""
        ...
