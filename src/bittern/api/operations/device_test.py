"""A message that no device has sent, on the way that the messages of a device take.

Source: botocore's model ``iotwireless``, TestWirelessDevice: "Simulates a provisioned device by
sending an uplink data payload of Hello."
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, iso_text, new_id
from bittern.api.operations.devices import device_of
from bittern.api.operations.services import Randomness, Services
from bittern.lorawan.regions import plan_of_profile
from bittern.mac.session import Session
from bittern.store.protocol import Store
from bittern.store.records import Delivery, Device
from bittern.types import DevAddr, Instant

PAYLOAD = b"Hello"
FPORT = 1
RESULT = "Test succeeded. one message is sent with payload: hello"
"""The words of AWS, as the reference of its command line shows them."""
NOBODYS_ADDRESS = DevAddr(bytes(4))
MILLISECONDS = len("2026-01-02T03:04:05.678")


async def test(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Succeeds when the message is stored: what its destination or rule makes of it is told where
    that of all messages is told."""
    device = await device_of(services, call, parameters["Id"])
    await owe_test(services.store, device, randomness=services.randomness, now=call.now)
    services.notify.owed()
    return {"Result": RESULT}


async def owe_test(store: Store, device: Device, *, randomness: Randomness, now: Instant) -> str:
    """The message that is owed from now on: its MessageId."""
    message_id = new_id(randomness)
    document = await _document(store, device, message_id, now)
    await store.owe(
        Delivery(
            message_id=message_id,
            account=device.account,
            dev_eui=device.dev_eui,
            destination=device.destination,
            document=msgspec.json.encode(document),
            created_at=now,
        )
    )
    return message_id


async def _document(store: Store, device: Device, message_id: str, now: Instant) -> Answer:
    """Field for field what an uplink has (`network/messages.py`): no consumer need know of tests.

    Nobody has received it, so gateways there are none. The counter is that of the last uplink: a
    higher one would have the next uplink taken for a copy by who remembers counters.
    """
    sessions = [one for one in await store.sessions_of(device.dev_eui) if not one.pending]
    session = max(sessions, key=lambda one: one.activated_at, default=None)
    metadata: dict[str, Any] = {
        "ADR": False,
        "ClassB": False,
        "CodeRate": "4/5",
        "DevAddr": (NOBODYS_ADDRESS if session is None else session.dev_addr).hex(),
        "DevEui": device.dev_eui.hex(),
        "FCnt": _counter(session),
        "FOptLen": 0,
        "FPort": FPORT,
        "MIC": "00000000",
        "MType": "UnconfirmedDataUp",
        "Major": "LoRaWANR1",
        "PolarizationInversion": False,
        "Timestamp": iso_text(now)[:MILLISECONDS] + "Z",
    }
    service = await store.service_profile(device.service_profile_id)
    if service is not None and service.add_gateway_metadata:
        metadata["Gateways"] = []
    return {
        "MessageId": message_id,
        "WirelessDeviceId": device.id,
        "PayloadData": base64.b64encode(PAYLOAD).decode(),
        "WirelessMetadata": {"LoRaWAN": metadata | await _radio(store, device)},
    }


def _counter(session: Session | None) -> int:
    """0 where nothing has come yet."""
    return 0 if session is None else max(0, session.fcnt_up)


async def _radio(store: Store, device: Device) -> Answer:
    """The first channel of the region, and the fastest data rate that each device has there."""
    profile = await store.device_profile(device.device_profile_id)
    if profile is None:  # it was removed meanwhile, with the device
        return {}
    plan = plan_of_profile(profile.region, profile.reg_params_revision, profile.mac_version)
    number = plan.max_adr_data_rate
    data_rate = plan.data_rates[number]
    return {
        "Bandwidth": data_rate.bandwidth_khz,
        "DataRate": str(number),
        "Frequency": str(plan.join_channels[0].frequency_hz),
        "Modulation": data_rate.modulation,
        "SpreadingFactor": data_rate.spreading_factor,
    }
