"""Records of gateways to and from what a database keeps, in the manner of `codec`.

The parts of a gateway's state have a row each. They are read as one JSON object, by part.
"""

from __future__ import annotations

import msgspec

from bittern.store.codec import Rest, Row
from bittern.store.gateway_records import (
    CupsContact,
    FirmwareDefinition,
    FirmwareTask,
    GatewayConnection,
    GatewayRefusal,
    GatewayState,
    StatePart,
)
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import EUI64, GatewayEUI

# Gateways: gateway_eui, id, account, record (the rest)

_gateway = Rest(Gateway, ("gateway_eui", "id", "account"), "json")


def gateway_to_row(gateway: Gateway) -> Row:
    eui = bytes(gateway.gateway_eui)
    return eui, gateway.id, gateway.account, _gateway.dump(gateway).decode()


def gateway_from_row(row: Row) -> Gateway:
    return Gateway(
        gateway_eui=GatewayEUI(EUI64(row[0])), id=row[1], account=row[2], **_gateway.load(row[3])
    )


# Certificates: fingerprint, account, gateway_eui, active, record (the rest), pem

_certificate = Rest(
    GatewayCertificate, ("fingerprint", "account", "gateway_eui", "active", "pem"), "json"
)


def certificate_to_row(certificate: GatewayCertificate) -> Row:
    return (
        certificate.fingerprint,
        certificate.account,
        bytes(certificate.gateway_eui),
        certificate.active,
        _certificate.dump(certificate).decode(),
        certificate.pem,
    )


def certificate_from_row(row: Row) -> GatewayCertificate:
    return GatewayCertificate(
        fingerprint=row[0],
        account=row[1],
        gateway_eui=GatewayEUI(EUI64(row[2])),
        active=bool(row[3]),
        pem=row[5],
        **_certificate.load(row[4]),
    )


# States, written: gateway_eui, part, record; read: gateway_eui, object of records by part

_PARTS: dict[type, str] = {
    GatewayConnection: "connection",
    CupsContact: "cups",
    GatewayRefusal: "refusal",
}
_json = msgspec.json.Encoder()
_state = msgspec.json.Decoder(GatewayState)


def state_with(state: GatewayState, part: StatePart) -> GatewayState:
    """The state with this part instead of the one that it had."""
    return msgspec.structs.replace(state, **{_PARTS[type(part)]: part})


def state_part_to_row(gateway_eui: GatewayEUI, part: StatePart) -> Row:
    return bytes(gateway_eui), _PARTS[type(part)], _json.encode(part).decode()


def state_from_row(row: Row) -> tuple[GatewayEUI, GatewayState]:
    return GatewayEUI(EUI64(row[0])), _state.decode(row[1])


# Firmware definitions: id, account, record (the rest)

_firmware = Rest(FirmwareDefinition, ("id", "account"), "json")


def firmware_to_row(definition: FirmwareDefinition) -> Row:
    return definition.id, definition.account, _firmware.dump(definition).decode()


def firmware_from_row(row: Row) -> FirmwareDefinition:
    return FirmwareDefinition(id=row[0], account=row[1], **_firmware.load(row[2]))


# Firmware tasks: gateway_eui, account, definition_id, status, record (the rest)

_task = Rest(FirmwareTask, ("gateway_eui", "account", "definition_id", "status"), "json")


def firmware_task_to_row(task: FirmwareTask) -> Row:
    return (
        bytes(task.gateway_eui),
        task.account,
        task.definition_id,
        task.status,
        _task.dump(task).decode(),
    )


def firmware_task_from_row(row: Row) -> FirmwareTask:
    return FirmwareTask(
        gateway_eui=GatewayEUI(EUI64(row[0])),
        account=row[1],
        definition_id=row[2],
        status=row[3],
        **_task.load(row[4]),
    )
