"""Records to and from what a database keeps: columns, a map of the rest, and sealed secrets.

A record's identity, its references and what the hot path compares or counts have columns of their
own. Every other field goes into one map, JSON text for what operators register and msgpack for
what each uplink writes. A field that is added to a record with a default needs no migration: an
older row gets the default. JSON is written in full, so a default may change later without changing
what is stored. Of a session only what differs from its default is written, once per uplink: a third
of the bytes.

Rows are tuples in the order of the engines' queries.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, is_
from typing import Any, Generic, Literal, TypeVar

import msgspec

from bittern.keys.ring import Vault
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.session import JoinState, Session
from bittern.store import places
from bittern.store.records import (
    Activation,
    Delivery,
    Destination,
    Device,
    DeviceProfile,
    QueuedDownlink,
    ServiceProfile,
)
from bittern.types import EUI64, AES128Key, DevAddr, DevEUI, Instant

Row = tuple[Any, ...]
Record = TypeVar("Record", bound=msgspec.Struct)


def _to_bytes(value: object) -> bytes:
    # A key is refused here: it may only go where it is sealed.
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(f"{type(value).__name__} has no place in a row")


def _to_text(value: object) -> str:
    return _to_bytes(value).hex()


def secret_bytes(key: AES128Key) -> bytes:
    """For where secrets go: to be sealed, or to their owner (`disclosure`)."""
    return key.reveal()


def _to_secret(value: object) -> bytes | str:
    if not isinstance(value, AES128Key):
        return _to_bytes(value)
    return secret_bytes(value) if value.reference is None else value.reference


def _from_bytes(kind: type, value: Any) -> Any:
    if isinstance(value, str) and issubclass(kind, AES128Key):
        return kind.in_token(value)
    return kind(value)


def _from_text(kind: type, value: Any) -> Any:
    return kind(bytes.fromhex(value))


class Rest(Generic[Record]):
    """The fields of a record that have no column, as one map."""

    def __init__(
        self, record: type[Record], columns: tuple[str, ...], form: Literal["json", "msgpack"]
    ) -> None:
        fields = [field for field in msgspec.structs.fields(record) if field.name not in columns]
        self._names = tuple(field.name for field in fields)
        self._values = _values_of(self._names)
        self._body: Any = msgspec.defstruct(
            f"{record.__name__}Rest",
            map(_definition, fields),
            kw_only=True,
            omit_defaults=form == "msgpack",
        )
        self._encoder: msgspec.json.Encoder | msgspec.msgpack.Encoder
        self._decoder: msgspec.json.Decoder[Any] | msgspec.msgpack.Decoder[Any]
        if form == "json":
            self._encoder = msgspec.json.Encoder(enc_hook=_to_text)
            self._decoder = msgspec.json.Decoder(self._body, dec_hook=_from_text)
        else:
            self._encoder = msgspec.msgpack.Encoder(enc_hook=_to_bytes)
            self._decoder = msgspec.msgpack.Decoder(self._body, dec_hook=_from_bytes)

    def dump(self, record: Record) -> bytes:
        return self.dump_from(record)

    def dump_from(self, like: object) -> bytes:
        """The same of anything that has the record's attributes."""
        values = {name: getattr(like, name) for name in self._names}
        return self._encoder.encode(self._body(**values))

    def is_the_same(self, one: Record, other: Record) -> bool:
        """False is no promise: an equal value made anew counts as another one."""
        return all(map(is_, self._values(one), self._values(other)))

    def load(self, body: bytes | str) -> dict[str, Any]:
        """The fields, ready for the record's constructor."""
        values = self._decoder.decode(body)  # type: ignore[arg-type]
        return {name: getattr(values, name) for name in self._names}


def _values_of(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """As a tuple, however many there are."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _definition(field: msgspec.structs.FieldInfo) -> tuple[str, Any, Any]:
    if field.default_factory is not msgspec.NODEFAULT:
        default = msgspec.field(default_factory=field.default_factory)
    else:
        default = msgspec.field(default=field.default)
    return field.name, field.type, default


_seal_encoder = msgspec.msgpack.Encoder(enc_hook=_to_secret)
_session_keys = msgspec.msgpack.Decoder(SessionKeys, dec_hook=_from_bytes)
_activation: msgspec.msgpack.Decoder[Activation] = msgspec.msgpack.Decoder(
    Activation, dec_hook=_from_bytes
)

# Sessions: dev_eui, generation, revision, pending, dev_addr, mac_version, region, activated_at,
# fcnt_up, nfcnt_down, afcnt_down, last_uplink_at, keys (sealed), state (the rest), last_heard

_session = Rest(
    Session,
    (
        "dev_eui",
        "generation",
        "revision",
        "pending",
        "dev_addr",
        "mac_version",
        "region",
        "activated_at",
        "fcnt_up",
        "nfcnt_down",
        "afcnt_down",
        "last_uplink_at",
        "last_heard",
        "keys",
    ),
    "msgpack",
)


def session_to_row(session: Session, vault: Vault) -> Row:
    return (
        bytes(session.dev_eui),
        session.generation,
        session.revision,
        session.pending,
        bytes(session.dev_addr),
        str(session.mac_version),
        session.region,
        session.activated_at,
        session.fcnt_up,
        session.nfcnt_down,
        session.afcnt_down,
        session.last_uplink_at,
        vault.seal(
            _seal_encoder.encode(session.keys),
            places.of_session_keys(session.dev_eui, session.generation).now,
        ),
        _session.dump(session),
        session.last_heard,
    )


def session_step(before: Session, after: Session) -> Row:
    """What an accepted frame writes: revision, pending, fcnt_up, nfcnt_down, afcnt_down,
    last_uplink_at, the state where it is another one, and last_heard; then what must still stand
    there: dev_eui, generation, revision."""
    return (
        after.revision,
        after.pending,
        after.fcnt_up,
        after.nfcnt_down,
        after.afcnt_down,
        after.last_uplink_at,
        None if _session.is_the_same(before, after) else _session.dump(after),
        after.last_heard,
        bytes(before.dev_eui),
        before.generation,
        before.revision,
    )


def session_from_row(row: Row, vault: Vault) -> Session:
    dev_eui, generation, sealed = DevEUI(EUI64(row[0])), row[1], row[12]
    keys = vault.open(sealed, *places.of_session_keys(row[0], generation))
    return Session(
        dev_eui=dev_eui,
        generation=generation,
        revision=row[2],
        pending=bool(row[3]),
        dev_addr=DevAddr(row[4]),
        mac_version=MacVersion(row[5]),
        region=row[6],
        activated_at=Instant(row[7]),
        fcnt_up=row[8],
        nfcnt_down=row[9],
        afcnt_down=row[10],
        last_uplink_at=None if row[11] is None else Instant(row[11]),
        keys=_session_keys.decode(keys),
        last_heard=row[14],
        **_session.load(row[13]),
    )


# Join states: dev_eui, revision, state (the rest)

_join_state = Rest(JoinState, ("dev_eui", "revision"), "msgpack")


def join_state_to_row(state: JoinState) -> Row:
    return bytes(state.dev_eui), state.revision, _join_state.dump(state)


def join_state_from_row(row: Row) -> JoinState:
    return JoinState(dev_eui=DevEUI(EUI64(row[0])), revision=row[1], **_join_state.load(row[2]))


# Deliveries: sequence, message_id, account, dev_eui, destination, created_at, document (sealed)


def delivery_to_row(delivery: Delivery, vault: Vault) -> Row:
    """Without its sequence, which the engine puts in front."""
    place = places.of_outbox(
        delivery.account, delivery.dev_eui, delivery.message_id, delivery.destination
    )
    return (
        delivery.message_id,
        delivery.account,
        bytes(delivery.dev_eui),
        delivery.destination,
        delivery.created_at,
        vault.seal(delivery.document, place.now),
    )


def delivery_from_row(row: Row, vault: Vault) -> Delivery:
    sequence, message_id, account, dev_eui, destination, created_at, sealed = row
    place = places.of_outbox(account, dev_eui, message_id, destination)
    return Delivery(
        message_id=message_id,
        account=account,
        dev_eui=DevEUI(EUI64(dev_eui)),
        destination=destination,
        document=vault.open(sealed, *place),
        created_at=Instant(created_at),
        sequence=sequence,
    )


# Queued downlinks: message_id, dev_eui, fport, confirmed, attempts, queued_at, payload (sealed),
# priority, record (the rest)

_downlink = Rest(
    QueuedDownlink,
    (
        "message_id",
        "dev_eui",
        "fport",
        "confirmed",
        "attempts",
        "queued_at",
        "payload",
        "priority",
    ),
    "json",
)


def downlink_to_row(downlink: QueuedDownlink, vault: Vault) -> Row:
    return (
        downlink.message_id,
        bytes(downlink.dev_eui),
        downlink.fport,
        downlink.confirmed,
        downlink.attempts,
        downlink.queued_at,
        vault.seal(downlink.payload, places.of_downlink(downlink.dev_eui, downlink.message_id).now),
        downlink.priority,
        _downlink.dump(downlink).decode(),
    )


def downlink_from_row(row: Row, vault: Vault) -> QueuedDownlink:
    message_id, dev_eui, fport, confirmed, attempts, queued_at, sealed, priority, record = row
    return QueuedDownlink(
        message_id=message_id,
        dev_eui=DevEUI(EUI64(dev_eui)),
        payload=vault.open(sealed, *places.of_downlink(dev_eui, message_id)),
        fport=fport,
        confirmed=bool(confirmed),
        attempts=attempts,
        queued_at=Instant(queued_at),
        priority=priority,
        **_downlink.load(record),
    )


# Devices: dev_eui, id, account, destination, device_profile_id, service_profile_id,
# activation (sealed), record (the rest)

_device = Rest(
    Device,
    (
        "dev_eui",
        "id",
        "account",
        "destination",
        "device_profile_id",
        "service_profile_id",
        "activation",
    ),
    "json",
)


def device_to_row(device: Device, vault: Vault) -> Row:
    secret = _seal_encoder.encode(device.activation)
    return (
        bytes(device.dev_eui),
        device.id,
        device.account,
        device.destination,
        device.device_profile_id,
        device.service_profile_id,
        vault.seal(secret, places.of_activation(device.account, device.dev_eui).now),
        _device.dump(device).decode(),
    )


def device_from_row(row: Row, vault: Vault) -> Device:
    activation = vault.open(row[6], *places.of_activation(row[2], row[0]))
    return Device(
        dev_eui=DevEUI(EUI64(row[0])),
        id=row[1],
        account=row[2],
        destination=row[3],
        device_profile_id=row[4],
        service_profile_id=row[5],
        activation=_activation.decode(activation),
        **_device.load(row[7]),
    )


# Profiles: id, account, record (the rest)

_device_profile = Rest(DeviceProfile, ("id", "account"), "json")
_service_profile = Rest(ServiceProfile, ("id", "account"), "json")


def device_profile_to_row(profile: DeviceProfile) -> Row:
    return profile.id, profile.account, _device_profile.dump(profile).decode()


def device_profile_from_row(row: Row) -> DeviceProfile:
    return DeviceProfile(id=row[0], account=row[1], **_device_profile.load(row[2]))


def service_profile_to_row(profile: ServiceProfile) -> Row:
    return profile.id, profile.account, _service_profile.dump(profile).decode()


def service_profile_from_row(row: Row) -> ServiceProfile:
    return ServiceProfile(id=row[0], account=row[1], **_service_profile.load(row[2]))


# Destinations: account, name, record (the rest)

_destination = Rest(Destination, ("account", "name"), "json")


def destination_to_row(destination: Destination) -> Row:
    return destination.account, destination.name, _destination.dump(destination).decode()


def destination_from_row(row: Row) -> Destination:
    return Destination(account=row[0], name=row[1], **_destination.load(row[2]))
