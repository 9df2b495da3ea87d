"""Where devices and gateways are: what somebody has said, as GeoJSON (RFC 7946, 3.1.2).

The document is the whole body, of requests as of answers. The position of a resource goes with it.
AWS does not say how a position is taken back; here an empty body does it, and so does ``null``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from bittern.api.errors import ApiError, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer
from bittern.api.operations.devices import device_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.store.notes import Note

MOST_BYTES = 4096
"""Of a document: a point and what is known of it needs a tenth."""
LONGITUDES = (-180.0, 180.0)
LATITUDES = (-90.0, 90.0)

_Meters = Annotated[float, msgspec.Meta(ge=0)]
_Level = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Coordinates = Annotated[list[float], msgspec.Meta(min_length=2, max_length=3)]


class _Properties(msgspec.Struct, frozen=True, rename="camel"):
    """What AWS knows of a position; there may be more."""

    horizontal_accuracy: _Meters | None = None
    vertical_accuracy: _Meters | None = None
    horizontal_confidence_level: _Level | None = None
    vertical_confidence_level: _Level | None = None
    timestamp: str | None = None
    """ISO 8601."""


class _Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """WGS84: longitude and latitude in degrees, and perhaps the altitude in meters."""

    type: Literal["Point"]
    coordinates: _Coordinates
    properties: dict[str, Any] | None = None


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    note = await services.store.note(
        call.account, "position", await _resource(services, call, parameters)
    )
    if note is None:
        raise not_found("ResourcePosition", parameters["ResourceIdentifier"])
    return {"GeoJsonPayload": note.body.encode()}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    name = await _resource(services, call, parameters)
    payload = parameters.get("GeoJsonPayload", b"")
    if payload.strip() in (b"", b"null"):
        await services.store.remove_note(call.account, "position", name)
        return
    body = msgspec.json.encode(_read(payload)).decode()
    await services.store.put_notes(
        Note(account=call.account, kind="position", name=name, at=call.now, body=body)
    )


def _read(payload: bytes) -> _Point:
    """ApiError."""
    if len(payload) > MOST_BYTES:
        raise _wrong(f"it has more than {MOST_BYTES} bytes")
    try:
        point = msgspec.json.decode(payload, type=_Point)
        msgspec.convert(point.properties or {}, _Properties)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _wrong(str(error)) from None
    for name, value, (least, most) in zip(
        ("longitude", "latitude"), point.coordinates, (LONGITUDES, LATITUDES), strict=False
    ):
        if not least <= value <= most:
            raise _wrong(f"the {name} is not between {least:g} and {most:g}")
    return point


def _wrong(reason: str) -> ApiError:
    return invalid(
        "1 validation error detected: Value at 'geoJsonPayload' failed to satisfy constraint: "
        f"Member must be a GeoJSON point: {reason}"
    )


async def _resource(services: Services, call: Call, parameters: Parameters) -> str:
    """The note's name. ApiError where there is no such resource."""
    kind, identity = parameters["ResourceType"], parameters["ResourceIdentifier"]
    of = device_of if kind == "WirelessDevice" else gateway_of
    return f"{kind}/{(await of(services, call, identity)).id}"
