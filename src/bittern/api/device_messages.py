"""Messages to devices as programs publish them by MQTT: the members of SendDataToWirelessDevice, or
an object that the codec of the device's profile makes bytes of.

    {"PayloadData": "AQI=", "FPort": 2, "TransmitMode": 1}
    {"Object": {"valve": "open"}}

Whoever may publish to a device's topic may send to it: brokers know no accounts.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from typing import Annotated, Any, Protocol

import msgspec

from bittern.api import validate
from bittern.api.errors import invalid, not_found
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.operations.common import downlink_message_id
from bittern.api.operations.downlinks import composed
from bittern.api.operations.services import Services
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.errors import CodecError, Conflict, NotFound
from bittern.store.records import Device
from bittern.types import EUI64, DevEUI, Instant

OPERATION = ("iotwireless", "SendDataToWirelessDevice")
MOST_EXPIRES_S = 366 * 24 * 3600
ENCODE_S = 5.0
"""Nobody's receive window waits for a codec here."""


class Encoded(Protocol):
    """What a codec makes of an object."""

    @property
    def payload(self) -> bytes: ...
    @property
    def fport(self) -> int | None: ...


class Encoder(Protocol):
    """`CodecDesk`."""

    async def encode(self, account: str, codec: str, data: bytes, fport: int | None) -> Encoded: ...


class _Gateway(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    gateway_id: str
    downlink_frequency: int


class _Participating(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    downlink_mode: str
    gateway_list: list[_Gateway]
    transmission_interval: int


class _Lorawan(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, omit_defaults=True):
    fport: int | None = msgspec.field(name="FPort", default=None)
    participating_gateways: _Participating | None = None


class _Metadata(msgspec.Struct, forbid_unknown_fields=True):
    lorawan: _Lorawan = msgspec.field(name="LoRaWAN", default_factory=_Lorawan)


Token = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-zA-Z0-9-_]+$")]

ExpiresIn = Annotated[int, msgspec.Meta(ge=1, le=MOST_EXPIRES_S)]


class Request(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, kw_only=True):
    """One message. `fport` is short for that of the metadata."""

    payload_data: str | None = None
    object: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    fport: int | None = msgspec.field(name="FPort", default=None)
    transmit_mode: int = 0
    wireless_metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    expires_in: ExpiresIn | None = None
    """Seconds."""
    client_request_token: Token | None = None

    @property
    def wanted_fport(self) -> int | None:
        return self.fport if self.fport is not None else self.wireless_metadata.lorawan.fport


def read(document: bytes) -> Request:
    """ApiError, with the place of what is wrong."""
    try:
        request = msgspec.json.decode(document, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"the message is not understood: {error}") from None
    if (request.payload_data is None) == (request.object is msgspec.UNSET):
        raise invalid("the message has either PayloadData or an Object")
    said = {request.fport, request.wireless_metadata.lorawan.fport} - {None}
    if len(said) > 1:
        raise invalid("the message has two values of FPort")
    return request


class DeviceMessages:
    """Queues what was published."""

    def __init__(self, services: Services, codecs: Encoder, region: str) -> None:
        self._services = services
        self._codecs = codecs
        self._region = region
        self._operation = service(OPERATION[0]).operation(OPERATION[1])

    async def queue(self, name: str, request: Request) -> str:
        """For the device of this WirelessDeviceId or DevEUI; the MessageId. ApiError; and
        `StoreError`, whereupon it may be tried again."""
        device = await self._device(name)
        parameters = await self._parameters(device, request)
        validate.check(self._operation, parameters)
        downlink = await composed(
            self._services, self._call(device), device, parameters, self._id(device, request)
        )
        if request.expires_in is not None:
            expires_at = Instant(downlink.queued_at + request.expires_in)
            downlink = msgspec.structs.replace(downlink, expires_at=expires_at)
        try:
            await self._services.store.enqueue(downlink)
        except Conflict:
            pass  # by its token it is queued already
        except NotFound:
            raise not_found("WirelessDevice", name) from None
        return downlink.message_id

    async def _device(self, name: str) -> Device:
        store = self._services.store
        try:
            found = await store.device(DevEUI(EUI64.from_hex(name)))
        except ValueError:
            found = await store.device_by_id(name)
        if found is None:
            raise not_found("WirelessDevice", name)
        return found

    async def _parameters(self, device: Device, request: Request) -> dict[str, Any]:
        """As `SendDataToWirelessDevice` has them."""
        lorawan = msgspec.to_builtins(request.wireless_metadata.lorawan)
        fport, payload_data = request.wanted_fport, request.payload_data
        if request.object is not msgspec.UNSET:
            encoded = await self._encoded(device, bytes(request.object), fport)
            fport, payload_data = encoded.fport, b64encode(encoded.payload).decode()
        if fport is not None:
            lorawan["FPort"] = fport
        return {
            "Id": device.id,
            "TransmitMode": request.transmit_mode,
            "PayloadData": payload_data,
            "WirelessMetadata": {"LoRaWAN": lorawan},
        }

    async def _encoded(self, device: Device, data: bytes, fport: int | None) -> Encoded:
        profile = await self._services.store.device_profile(device.device_profile_id)
        if profile is None or not profile.codec:
            raise invalid("the device profile names no codec, which an Object needs")
        try:
            async with asyncio.timeout(ENCODE_S):
                return await self._codecs.encode(profile.account, profile.codec, data, fport)
        except TimeoutError:
            raise invalid(f"the codec gave no answer within {ENCODE_S:g} s") from None
        except CodecError as error:
            raise invalid(f"codec {profile.codec}: {error}") from None

    def _id(self, device: Device, request: Request) -> str:
        """A client that is not told of its message publishes it again, with the same token."""
        if request.client_request_token is None:
            return downlink_message_id(self._services.randomness)
        text = f"{device.id} {request.client_request_token}"
        digits = hashlib.sha256(text.encode()).hexdigest()
        return f"{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:24]}"

    def _call(self, device: Device) -> Call:
        """In the name of the device's account: who may publish has been judged by the broker."""
        caller = Caller(device.account, "", "", policy(READY["operator"]), SecretAccessKey(""))
        return Call(self._operation, caller, self._region, "", self._services.now())
