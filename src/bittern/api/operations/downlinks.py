"""Messages to devices: they are queued, and sent when the device can hear them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    downlink_message_id,
    iso_text,
    missing,
    page_of,
    present,
    split,
    told,
    wrong,
)
from bittern.api.operations.devices import device_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.store.records import (
    LONGEST_PAYLOAD,
    Device,
    ParticipatingGateway,
    ParticipatingGateways,
    QueuedDownlink,
)

MOST_QUEUED = 10_000
"""Messages of one device that are listed."""
DEFAULT_PAGE = 10
EVERY = "*"
CONFIRMED = 1
"""TransmitMode of what the device is to acknowledge."""


async def send(services: Services, call: Call, parameters: Parameters) -> Answer:
    device = await device_of(services, call, parameters["Id"])
    message_id = downlink_message_id(services.randomness)
    downlink = await composed(services, call, device, parameters, message_id)
    with told():
        await services.store.enqueue(downlink)
    return {"MessageId": downlink.message_id}


async def composed(
    services: Services, call: Call, device: Device, parameters: Parameters, message_id: str
) -> QueuedDownlink:
    """What the parameters of `send` ask for. ApiError."""
    metadata = parameters.get("WirelessMetadata", {})
    if "Sidewalk" in metadata:
        raise wrong("wirelessMetadata.sidewalk", "the device is one of LoRaWAN")
    given = metadata.get("LoRaWAN", {})
    if "FPort" not in given:
        raise missing("wirelessMetadata.loRaWAN.fPort")
    payload = base64.b64decode(parameters["PayloadData"])
    if len(payload) > LONGEST_PAYLOAD:
        raise wrong("payloadData", f"no frame carries more than {LONGEST_PAYLOAD} bytes")
    return QueuedDownlink(
        message_id=message_id,
        dev_eui=device.dev_eui,
        payload=payload,
        fport=given["FPort"],
        confirmed=parameters["TransmitMode"] == CONFIRMED,
        participating=await _participating(services, call, given.get("ParticipatingGateways")),
        queued_at=call.now,
    )


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    device = await device_of(services, call, parameters["Id"])
    page = page_of(services, call, parameters, DEFAULT_PAGE)
    if parameters.get("WirelessDeviceType") == "Sidewalk":
        return {"DownlinkQueueMessagesList": []}
    queued = await services.store.queued(device.dev_eui, MOST_QUEUED)
    shown, token = split(page, sorted(queued, key=_order), _order)
    entries = [await _entry(services, one) for one in shown]
    return present(NextToken=token) | {"DownlinkQueueMessagesList": entries}


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    device = await device_of(services, call, parameters["Id"])
    message_id = parameters["MessageId"]
    if message_id == EVERY:
        await services.store.unqueue(device.dev_eui)
    elif not await services.store.unqueue(device.dev_eui, message_id):
        raise not_found("DownlinkQueueMessage", message_id)


def _order(downlink: QueuedDownlink) -> str:
    """Text that sorts as the queue does: the higher priority first, then first come."""
    return f"{10**9 - downlink.priority:010d} {downlink.queued_at:020.6f} {downlink.message_id}"


async def _participating(
    services: Services, call: Call, given: Mapping[str, Any] | None
) -> ParticipatingGateways | None:
    if given is None:
        return None
    gateways = [
        ParticipatingGateway(
            (await gateway_of(services, call, one["GatewayId"])).gateway_eui,
            one["DownlinkFrequency"],
        )
        for one in given["GatewayList"]
    ]
    return ParticipatingGateways(
        mode=given["DownlinkMode"],
        gateways=tuple(gateways),
        interval_s=given["TransmissionInterval"],
    )


async def _entry(services: Services, downlink: QueuedDownlink) -> Answer:
    """Everything but the payload."""
    chosen = downlink.participating
    details: Answer = {"FPort": downlink.fport}
    if chosen is not None:
        details["ParticipatingGateways"] = {
            "DownlinkMode": chosen.mode,
            "GatewayList": [await _gateway_entry(services, one) for one in chosen.gateways],
            "TransmissionInterval": chosen.interval_s,
        }
    return {
        "MessageId": downlink.message_id,
        "TransmitMode": int(downlink.confirmed),
        "ReceivedAt": iso_text(downlink.queued_at),
        "LoRaWAN": details,
    }


async def _gateway_entry(services: Services, chosen: ParticipatingGateway) -> Answer:
    """One that was removed meanwhile has no id any more."""
    gateway = await services.store.gateway(chosen.gateway_eui)
    identity = str(chosen.gateway_eui) if gateway is None else gateway.id
    return {"GatewayId": identity, "DownlinkFrequency": chosen.frequency_hz}
