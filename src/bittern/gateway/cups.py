"""``/update-info``: a station says what it has, and is given what it should have.

The request is JSON; the answer is six parts, each behind its length, little-endian: the URI of CUPS
(1 byte of length), of the LNS (1), the credentials of each (2 and 2, see `cups_credentials`), the
signature of the update image (4) and the image (4, see `firmware`). Length 0 means no change.

A station takes status 200 with a ``Content-Length`` and nothing else: no chunks, no 204. What it is
given is decided in `cups_decision`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from bittern.errors import GatewayProtocolError
from bittern.gateway.discovery import STATION_URI_LIMIT
from bittern.gateway.eui_text import parse_eui
from bittern.gateway.lns_messages import UNREADABLE
from bittern.types import EUI64, GatewayEUI, Refusal

PATH = "/update-info"
NOTHING = bytes(14)
"""The answer to a gateway that has all it should have."""

FIRST_READ = 8192
"""Bytes that a station reads first: status, header fields and both URIs must be among them."""
HEADER_LIMIT = FIRST_READ - 2 * (1 + STATION_URI_LIMIT) - 1
"""Bytes that status and header fields may have, whatever the URIs."""
CREDENTIALS_LIMIT = 0xFFFF
"""Bytes of credentials that their length can tell."""
SIGNATURE_SIZES = range(8, 133)
"""Bytes of a signature with the CRC of its key; a station ends the connection at any other."""
IMAGE_LIMIT = 0x7FFF_FFFF
"""A station takes images below 2 GiB."""

_UnsignedInt32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
_Text = Annotated[str, msgspec.Meta(max_length=255)]
_SCHEMES = {"cups": "https", "lns": "wss"}
# A name or an IPv4 address: of an IPv6 address in brackets a station drops the last digit.
_URI = re.compile(
    r"(?P<scheme>https|wss)://(?P<host>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?):(?P<port>[0-9]{1,5})",
    re.ASCII | re.IGNORECASE,
)


class CupsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway has. Text that it did not send is empty."""

    gateway_eui: GatewayEUI
    cups_uri: str = ""
    lns_uri: str = ""
    cups_crc: int
    """CRC-32 of the credentials (`cups_credentials.crc`), likewise `lns_crc`; they and the URIs are
    of the regular set, whichever set the gateway asks with."""
    lns_crc: int
    station: str = ""
    """For example ``2.0.6(linux/std) 2022-03-16 09:38:55``."""
    model: str = ""
    package: str = ""
    """What ``version.txt`` on the gateway says."""
    key_crcs: tuple[int, ...] = ()
    """CRC-32 of each key by which it checks update images."""


class _Request(msgspec.Struct):
    router: Annotated[str, msgspec.Meta(max_length=64)] | int
    cups_crc: _UnsignedInt32 = msgspec.field(name="cupsCredCrc")
    lns_crc: _UnsignedInt32 = msgspec.field(name="tcCredCrc")
    cups_uri: _Text | None = msgspec.field(name="cupsUri", default=None)
    lns_uri: _Text | None = msgspec.field(name="tcUri", default=None)
    station: _Text | None = None
    model: _Text | None = None
    package: _Text | None = None
    keys: Annotated[tuple[_UnsignedInt32, ...], msgspec.Meta(max_length=64)] | None = None


@dataclass(frozen=True, slots=True)
class CupsAnswer:
    """What a gateway is given, apart from the image; an empty part is no change.

    Credentials hold a private key: neither they nor the answer print.
    """

    cups_uri: str = ""
    lns_uri: str = ""
    cups_credentials: bytes = b""
    lns_credentials: bytes = b""
    signature: bytes = b""
    """Of the image, with the CRC of its key (`firmware.signature_segment`)."""

    def __repr__(self) -> str:
        return f"CupsAnswer(cups_uri={self.cups_uri!r}, lns_uri={self.lns_uri!r}, …)"


_decoder = msgspec.json.Decoder(_Request)


def read_request(body: bytes) -> CupsRequest:
    """What a station sent to ``/update-info``.

    Raises GatewayProtocolError that names what did not match, with MALFORMED_GATEWAY_EUI where only
    the EUI is at fault. Fields that are unknown are passed over.
    """
    try:
        told = _decoder.decode(body)
    except UNREADABLE as error:
        raise GatewayProtocolError(f"CUPS request: {error}") from None
    return CupsRequest(
        gateway_eui=_gateway_eui(told.router),
        cups_uri=_clean(told.cups_uri),
        lns_uri=_clean(told.lns_uri),
        cups_crc=told.cups_crc,
        lns_crc=told.lns_crc,
        station=_clean(told.station),
        model=_clean(told.model),
        package=_clean(told.package),
        key_crcs=told.keys or (),
    )


def _gateway_eui(router: str | int) -> GatewayEUI:
    try:
        if isinstance(router, int):
            return GatewayEUI(EUI64.from_int(router))
        return GatewayEUI(parse_eui(router.strip()))
    except (ValueError, OverflowError) as error:
        refusal = Refusal.MALFORMED_GATEWAY_EUI
        raise GatewayProtocolError(f"CUPS request: {error}", refusal) from None


def _clean(text: str | None) -> str:
    """Without blanks around it. Control characters are no reason to turn a gateway away, and
    nothing to keep or to print."""
    if text is None:
        return ""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in _ends(text)
    )


def _ends(text: str) -> str:
    return text.strip(" \t\r\n\0")


def check_uri(uri: str, place: Literal["cups", "lns"]) -> None:
    """Raises ValueError unless a station takes ``uri``: another ends its process at every start.

    It is ``https://HOST:PORT`` for CUPS and ``wss://HOST:PORT`` for the LNS, without a path, in at
    most 127 characters. Connections without TLS are not for gateways of ours.
    """
    form = f"{_SCHEMES[place]}://HOST:PORT"
    if len(uri) > STATION_URI_LIMIT:
        raise ValueError(f"a station takes {STATION_URI_LIMIT} characters of a URI: {uri!r}")
    match = _URI.fullmatch(uri)
    if match is None or match["scheme"].lower() != _SCHEMES[place]:
        raise ValueError(f"not {form}, with a port and without a path: {uri!r}")
    if not 1 <= int(match["port"]) <= 65535:
        raise ValueError(f"no port of {form} is {match['port']}: {uri!r}")


def head(answer: CupsAnswer, image_length: int = 0) -> bytes:
    """The answer as far as the image, whose ``image_length`` bytes are to follow.

    Raises ValueError for whatever a station would refuse. An image always goes with its signature:
    without one, a gateway that has no key would execute it unchecked.
    """
    if bool(answer.signature) != bool(image_length):
        raise ValueError("an update image and its signature go together")
    if answer.signature and len(answer.signature) not in SIGNATURE_SIZES:
        raise ValueError(f"a signature segment has 8 to 132 bytes, not {len(answer.signature)}")
    if not 0 <= image_length <= IMAGE_LIMIT:
        raise ValueError(f"a station takes images below 2 GiB, not {image_length} bytes")
    return b"".join(
        (
            _uri_part(answer.cups_uri, "cups"),
            _uri_part(answer.lns_uri, "lns"),
            _credentials_part(answer.cups_credentials),
            _credentials_part(answer.lns_credentials),
            _part(answer.signature, 4),
            image_length.to_bytes(4, "little"),
        )
    )


def encode(answer: CupsAnswer, image: bytes = b"") -> bytes:
    """The whole answer, for an image that is at hand. Raises as `head`."""
    return head(answer, len(image)) + image


def read_answer(body: bytes) -> tuple[CupsAnswer, bytes]:
    """An answer and the image in it, as a station takes it. Raises ValueError where it would fail.

    Bytes behind the end are passed over, as by the station.
    """
    parts, at = [], 0
    for name, size in _PARTS:
        content_at = at + size
        at = content_at + int.from_bytes(body[at:content_at], "little")
        if content_at > len(body) or at > len(body):
            raise ValueError(f"CUPS answer ends within {name}")
        parts.append(body[content_at:at])
    cups_uri, lns_uri, cups_credentials, lns_credentials, signature, image = parts
    if signature and len(signature) not in SIGNATURE_SIZES:
        raise ValueError(f"a signature segment has 8 to 132 bytes, not {len(signature)}")
    answer = CupsAnswer(
        _uri_text(cups_uri), _uri_text(lns_uri), cups_credentials, lns_credentials, signature
    )
    return answer, image


_PARTS = (
    ("the URI of CUPS", 1),
    ("the URI of the LNS", 1),
    ("the credentials of CUPS", 2),
    ("the credentials of the LNS", 2),
    ("the signature", 4),
    ("the update image", 4),
)


def _uri_text(part: bytes) -> str:
    return part.decode("ascii")


def _uri_part(uri: str, place: Literal["cups", "lns"]) -> bytes:
    if uri:
        check_uri(uri, place)
    return _part(uri.encode("ascii"), 1)


def _credentials_part(segment: bytes) -> bytes:
    if len(segment) > CREDENTIALS_LIMIT:
        raise ValueError(f"credentials have at most {CREDENTIALS_LIMIT} bytes, not {len(segment)}")
    return _part(segment, 2)


def _part(content: bytes, length_size: int) -> bytes:
    return len(content).to_bytes(length_size, "little") + content
