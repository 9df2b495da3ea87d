"""A gateway as it is printed: for a person, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bittern.cli import output
from bittern.cli.certificate_text import certificate_document, certificate_told
from bittern.cli.cures import cure
from bittern.cli.owned import gateway_of
from bittern.gateway.eui_text import format_id6
from bittern.gateway.firmware import Status
from bittern.store.gateway_records import (
    CupsContact,
    FirmwareDefinition,
    FirmwareTask,
    GatewayConnection,
    GatewayRefusal,
    GatewayState,
    Gift,
    GiftKind,
    Place,
)
from bittern.store.protocol import Store
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant

PLACES: dict[Place, str] = {"cups": "CUPS", "lns": "the LNS"}
GIFTS: dict[GiftKind, str] = {
    "cups_uri": "the address of CUPS",
    "lns_uri": "the address of the LNS",
    "cups_credentials": "credentials for CUPS",
    "lns_credentials": "credentials for the LNS",
    "update": "firmware",
}
STATUSES: dict[Status, str] = {
    "PENDING": "waits until the gateway asks CUPS",
    "IN_PROGRESS": "sent; the gateway has not shown yet that it runs it",
    "FIRST_RETRY": "sent a second time",
    "SECOND_RETRY": "sent a third time",
    "COMPLETED": "done",
    "FAILED": "given up",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that `gateway show` knows. ``served``: a server runs, so connections are what the
    store says of them."""

    gateway: Gateway
    certificates: list[GatewayCertificate]
    state: GatewayState
    task: FirmwareTask | None
    firmware: FirmwareDefinition | None
    served: bool
    now: Instant

    @classmethod
    async def read(
        cls, store: Store, account: str, eui: GatewayEUI, served: bool, now: Instant
    ) -> Shown:
        """Raises `NotFound`."""
        gateway = await gateway_of(store, account, eui)
        task = await store.firmware_task(eui)
        return cls(
            gateway=gateway,
            certificates=await store.certificates_of(eui),
            state=await store.gateway_state(eui),
            task=task,
            firmware=None if task is None else await store.firmware(task.definition_id),
            served=served,
            now=now,
        )

    def told(self) -> list[dict[str, str]]:
        """In groups."""
        state = self.state
        groups = [
            registration_told(self.gateway),
            connection_told(state.connection, self.served, self.now),
            *(certificate_told(one, self.certificates, state, self.now) for one in self._newest()),
            cups_told(state.cups, self.now),
            firmware_told(self.task, self.firmware),
            refusal_told(self.gateway.gateway_eui, state),
        ]
        return [group for group in groups if group]

    def document(self) -> dict[str, object]:
        document = gateway_document(self.gateway)
        document["served"] = self.served
        document["certificates"] = [certificate_document(one) for one in self._newest()]
        document["connection"] = _record(self.state.connection)
        document["cups"] = _record(self.state.cups)
        document["firmware_task"] = _record(self.task)
        document["refusal"] = _record(self.state.refusal)
        if self.state.refusal is not None:
            refused = self.state.refusal
            document["cure"] = cure(refused.refusal, self.gateway.gateway_eui)
            document["refusal_is_over"] = is_over(refused, self.state)
        return document

    def _newest(self) -> list[GatewayCertificate]:
        return sorted(self.certificates, key=lambda one: one.created_at, reverse=True)


def registration_told(gateway: Gateway) -> dict[str, str]:
    allowed = {"a shell": gateway.remote_shell, "commands": gateway.remote_commands}
    told = {
        "EUI": str(gateway.gateway_eui),
        "station EUI": format_id6(gateway.gateway_eui),
        "name": gateway.name,
        "description": gateway.description,
        "region": gateway.region,
        "sub-bands": numbers(gateway.sub_bands),
        "boards": str(gateway.boards) if gateway.boards > 1 else "",
        "JoinEUIs": ", ".join(f"{a:016x}-{b:016x}" for a, b in gateway.join_eui_filters),
        "NetIDs": ", ".join(f"{one:06x}" for one in gateway.net_id_filters),
        "max EIRP": "" if gateway.max_eirp_dbm is None else f"{gateway.max_eirp_dbm:g} dBm",
        "beacons": "" if gateway.beaconing else "none",
        "LNS to be at": gateway.lns_uri or "",
        "CUPS to be at": gateway.cups_uri or "",
        "remote": " and ".join(name for name, is_allowed in allowed.items() if is_allowed),
        "added": output.local_time(gateway.created_at),
    }
    return {name: value for name, value in told.items() if value}


def connection_told(
    connection: GatewayConnection | None, served: bool, now: Instant
) -> dict[str, str]:
    if connection is None:
        return {"connection": "has never connected to the LNS"}
    told = {
        "connection": _connected(connection, served, now),
        "address": connection.peer,
        "station": _station(connection.station, connection.model, connection.package),
        "features": " ".join(connection.features),
        "round trip": ""
        if connection.round_trip_s is None
        else f"{connection.round_trip_s * 1000:.0f} ms",
        "last uplink": "none yet"
        if connection.last_uplink_at is None
        else _when(connection.last_uplink_at, now),
        "so far": f"{connection.received} messages received, of these {connection.forwarded} frames"
        f" handed on and {connection.refused} refused; {connection.transmitted} downlinks on air;"
        f" connected {_times(connection.connections)}",
    }
    return {name: value for name, value in told.items() if value}


def state_word(connection: GatewayConnection | None, served: bool) -> str:
    """For a list."""
    if connection is None:
        return "never connected"
    if connection.connected:
        return "connected" if served else "no server"
    return "disconnected"


def last_seen(state: GatewayState) -> Instant | None:
    """When it last was known to be there, for all that is written."""
    connection, cups = state.connection, state.cups
    moments = [
        connection.changed_at if connection else None,
        connection.last_uplink_at if connection else None,
        cups.at if cups else None,
    ]
    return max((one for one in moments if one is not None), default=None)


def cups_told(contact: CupsContact | None, now: Instant) -> dict[str, str]:
    if contact is None:
        return {"CUPS": "has never asked CUPS"}
    told = {
        "CUPS": f"last asked {_when(contact.at, now)}"
        + (f", from {contact.peer}" if contact.peer else ""),
        "asked at": contact.cups_uri,
        "connects to": contact.lns_uri,
        "was given": "\n".join(map(_gift, contact.gifts)),
        "withheld": "\n".join(contact.withheld),
    }
    return {name: value for name, value in told.items() if value}


def firmware_told(
    task: FirmwareTask | None, definition: FirmwareDefinition | None
) -> dict[str, str]:
    if task is None:
        return {}
    what = task.definition_id
    if definition is not None:
        update = definition.update
        what = _station(update.station, update.model, update.package) or definition.name or what
    since = f"{STATUSES[task.status]} ({task.status} since {output.local_time(task.changed_at)})"
    told = {"firmware": what, "": since, "because": task.reason}
    return {name: value for name, value in told.items() if value}


def refusal_told(eui: GatewayEUI, state: GatewayState) -> dict[str, str]:
    refused = state.refusal
    if refused is None:
        return {}
    by = f", from {refused.peer}" if refused.peer else ""
    told = {
        "last refusal": f"{refused.refusal} at {PLACES[refused.place]},"
        f" {output.local_time(refused.at)}{by}",
        "reason": refused.reason,
    }
    if is_over(refused, state):
        return told | {"what to do": "Nothing: it has been let in since."}
    return told | {"what to do": cure(refused.refusal, eui)}


def is_over(refused: GatewayRefusal, state: GatewayState) -> bool:
    """Whether it was let in afterwards where it was refused."""
    if refused.place == "cups":
        return state.cups is not None and state.cups.at > refused.at
    connection = state.connection
    return connection is not None and connection.connected and connection.changed_at > refused.at


def gateway_document(gateway: Gateway) -> dict[str, object]:
    return {
        "eui": str(gateway.gateway_eui),
        "id": gateway.id,
        "name": gateway.name,
        "description": gateway.description,
        "region": gateway.region,
        "sub_bands": gateway.sub_bands,
        "boards": gateway.boards,
        "join_eui_filters": [[f"{a:016x}", f"{b:016x}"] for a, b in gateway.join_eui_filters],
        "net_id_filters": [f"{one:06x}" for one in gateway.net_id_filters],
        "max_eirp_dbm": gateway.max_eirp_dbm,
        "station_region": gateway.station_region,
        "beaconing": gateway.beaconing,
        "lns_uri": gateway.lns_uri,
        "cups_uri": gateway.cups_uri,
        "remote_shell": gateway.remote_shell,
        "remote_commands": gateway.remote_commands,
        "created_at": output.utc(gateway.created_at),
    }


def numbers(several: tuple[int, ...]) -> str:
    return " ".join(map(str, several))


def _connected(connection: GatewayConnection, served: bool, now: Instant) -> str:
    at = output.local_time(connection.changed_at)
    if connection.connected and served:
        return f"connected since {at} ({_duration(now - connection.changed_at)})"
    if connection.connected:
        return f"no server runs; when the last one ended it was connected since {at}"
    reason = f": {connection.reason}" if connection.reason else ""
    return f"disconnected since {at} ({_duration(now - connection.changed_at)}){reason}"


def _gift(gift: Gift) -> str:
    what = GIFTS[gift.kind]
    if gift.kind in ("cups_uri", "lns_uri"):
        what += f" {gift.value}"
    elif gift.certificate:
        what += f" (certificate {gift.certificate[:16]})"
    times = f", {_times(gift.times)}" if gift.times > 1 else ""
    return f"{what}, {output.local_time(gift.at)}{times}: not in use yet"


def _station(station: str, model: str, package: str) -> str:
    parts = (station, model and f"model {model}", package and f"package {package}")
    return ", ".join(part for part in parts if part)


def _when(instant: Instant, now: Instant) -> str:
    return f"{output.local_time(instant)} ({_duration(now - instant)} ago)"


_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def _duration(seconds: float) -> str:
    """The largest unit that it fills, and the next: 3 d 4 h."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _record(record: msgspec.Struct | None) -> object:
    """With instants as JSON has them everywhere else, and EUIs as text."""
    if record is None:
        return None
    return {name: _plain(name, value) for name, value in msgspec.structs.asdict(record).items()}


def _plain(name: str, value: object) -> object:
    if isinstance(value, float | int) and (name == "at" or name.endswith("_at")):
        return output.utc(Instant(value))
    if isinstance(value, bytes):
        return str(value)
    if isinstance(value, tuple):
        return [_record(one) if isinstance(one, msgspec.Struct) else one for one in value]
    return value
