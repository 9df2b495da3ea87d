"""Updates of gateways: definitions say what and for which, tasks are the update of one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from bittern.api.errors import ApiError, conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    forget_tags,
    iso_text,
    missing,
    new_id,
    once,
    page_of,
    present,
    split,
    told,
    wrong,
)
from bittern.api.operations.gateways import gateway_of, last_uplink
from bittern.api.operations.services import Services
from bittern.errors import NotFound
from bittern.gateway.firmware import (
    FINAL,
    Definition,
    Version,
    check_definition,
    signature_segment,
)
from bittern.store.gateway_records import FirmwareDefinition, FirmwareTask

KIND = "WirelessGatewayTaskDefinition"
TASK = "WirelessGatewayTask"
_VERSION = {"PackageVersion": "package", "Model": "model", "Station": "station"}


async def create_definition(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        definition = _definition(services, call, parameters)
        _check(definition)
        rest = f"{KIND}/{definition.id}"
        answer = {"Id": definition.id, "Arn": call.arn(rest)}
        await services.store.add_firmware(definition, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def get_definition(services: Services, call: Call, parameters: Parameters) -> Answer:
    definition = await _found(services, call, parameters["Id"])
    lorawan = {
        "UpdateSignature": base64.b64encode(definition.signature).decode(),
        "SigKeyCrc": definition.key_crc,
        **_versions(definition),
    }
    update = present(
        UpdateDataSource=definition.source, UpdateDataRole=definition.role_arn, LoRaWAN=lorawan
    )
    return present(
        AutoCreateTasks=definition.automatic,
        Name=definition.name,
        Update=update,
        Arn=call.arn(f"{KIND}/{definition.id}"),
    )


async def list_definitions(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    every = await services.store.firmware_definitions(call.account)
    shown, token = split(page, sorted(every, key=lambda one: one.id), lambda one: one.id)
    entries = [
        {"Id": one.id, "Arn": call.arn(f"{KIND}/{one.id}"), "LoRaWAN": _versions(one)}
        for one in shown
    ]
    return present(NextToken=token) | {"TaskDefinitions": entries}


async def delete_definition(services: Services, call: Call, parameters: Parameters) -> None:
    definition = await _found(services, call, parameters["Id"])
    with told():
        await services.store.remove_firmware(definition.id)
    await forget_tags(services, call, f"{KIND}/{definition.id}")


async def create_task(services: Services, call: Call, parameters: Parameters) -> Answer:
    """A gateway has one at a time; one that has ended makes place."""
    gateway = await gateway_of(services, call, parameters["Id"])
    definition = await _found(services, call, parameters["WirelessGatewayTaskDefinitionId"])
    task = FirmwareTask(
        account=call.account,
        gateway_eui=gateway.gateway_eui,
        definition_id=definition.id,
        created_at=call.now,
        changed_at=call.now,
    )
    before = await services.store.firmware_task(gateway.gateway_eui)
    with told():
        if before is not None:
            if before.status not in FINAL:
                raise conflict(TASK, gateway.id, "the gateway has a task that has not ended")
            await services.store.remove_firmware_task(gateway.gateway_eui)
        await services.store.add_firmware_task(task)
    return {"WirelessGatewayTaskDefinitionId": definition.id, "Status": task.status}


async def get_task(services: Services, call: Call, parameters: Parameters) -> Answer:
    gateway = await gateway_of(services, call, parameters["Id"])
    task = await services.store.firmware_task(gateway.gateway_eui)
    if task is None:
        raise not_found(TASK, gateway.id)
    state = await services.store.gateway_state(gateway.gateway_eui)
    return present(
        WirelessGatewayId=gateway.id,
        WirelessGatewayTaskDefinitionId=task.definition_id,
        LastUplinkReceivedAt=last_uplink(state),
        TaskCreatedAt=iso_text(task.created_at),
        Status=task.status,
    )


async def delete_task(services: Services, call: Call, parameters: Parameters) -> None:
    gateway = await gateway_of(services, call, parameters["Id"])
    try:
        await services.store.remove_firmware_task(gateway.gateway_eui)
    except NotFound:
        raise not_found(TASK, gateway.id) from None


async def _found(services: Services, call: Call, definition_id: str) -> FirmwareDefinition:
    definition = await services.store.firmware(definition_id)
    if definition is None or definition.account != call.account:
        raise not_found(KIND, definition_id)
    return definition


def _definition(services: Services, call: Call, parameters: Parameters) -> FirmwareDefinition:
    update = _inside(parameters, "Update", "update")
    lorawan = _inside(update, "LoRaWAN", "update.loRaWAN")
    for given, name, path in (
        (update, "UpdateDataSource", "update.updateDataSource"),
        (lorawan, "UpdateSignature", "update.loRaWAN.updateSignature"),
        (lorawan, "SigKeyCrc", "update.loRaWAN.sigKeyCrc"),
    ):
        if name not in given:
            raise missing(path)
    return FirmwareDefinition(
        account=call.account,
        id=new_id(services.randomness),
        name=parameters.get("Name", ""),
        automatic=parameters["AutoCreateTasks"],
        current=_version(lorawan.get("CurrentVersion", {})),
        update=_version(lorawan.get("UpdateVersion", {})),
        source=update["UpdateDataSource"],
        signature=_signature(lorawan["UpdateSignature"]),
        key_crc=lorawan["SigKeyCrc"],
        role_arn=update.get("UpdateDataRole", ""),
        created_at=call.now,
    )


def _inside(given: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = given.get(name)
    if found is None:
        raise missing(path)
    return found


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unfit("updateSignature", "Member must be Base64") from None


def _check(definition: FirmwareDefinition) -> None:
    """What no task could ever carry out is refused now."""
    try:
        where = "updateSignature"
        signature_segment(definition.key_crc, definition.signature)
        where = "updateVersion"
        current, update = (
            Version(package=one.package, model=one.model, station=one.station)
            for one in (definition.current, definition.update)
        )
        check_definition(Definition(current=current, update=update, key_crc=definition.key_crc))
    except ValueError as error:
        raise _unfit(where, str(error)) from None


def _unfit(name: str, reason: str) -> ApiError:
    return wrong(f"update.loRaWAN.{name}", reason)


def _version(given: Mapping[str, Any]) -> Version:
    return Version(**{field: given.get(name, "") for name, field in _VERSION.items()})


def _versions(definition: FirmwareDefinition) -> Answer:
    told = {"CurrentVersion": definition.current, "UpdateVersion": definition.update}
    return {
        name: present(**{part: getattr(version, field) for part, field in _VERSION.items()})
        for name, version in told.items()
    }
