"""What the store keeps of gateways beside their registration: how they were last seen, what CUPS
has given them, and the firmware that they are to have.

None of it is secret: keys of gateways are handed out once and never stored.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.gateway.firmware import Status, Version
from bittern.types import GatewayEUI, Instant, Refusal

DEFAULT_ACCOUNT = "000000000000"

Place = Literal["lns", "cups"]


class GatewayConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The data connection of a gateway, as it was last known. Counts are since registration."""

    connected: bool
    changed_at: Instant
    """When it connected, or when the connection ended."""
    reason: str = ""
    """Why it ended; empty while it is up."""
    peer: str = ""
    station: str = ""
    """For example ``2.0.6(linux/std)``."""
    model: str = ""
    package: str = ""
    features: tuple[str, ...] = ()
    certificate: str = ""
    """Fingerprint of the one it shows, or showed."""
    round_trip_s: float | None = None
    last_uplink_at: Instant | None = None
    received: int = 0
    """Messages of the gateway, of every kind."""
    forwarded: int = 0
    """Frames of devices among them, handed on to the network."""
    refused: int = 0
    """Messages that could not be taken: malformed, for the most part."""
    transmitted: int = 0
    """Downlinks that it has reported as on air."""
    connections: int = 0
    """How often it has connected."""


GiftKind = Literal["cups_uri", "lns_uri", "cups_credentials", "lns_credentials", "update"]


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """Something that CUPS has sent, of which the gateway has not yet shown that it took it."""

    kind: GiftKind
    value: str
    """The URI; the CRC-32 of the credentials in decimal; the id of the firmware definition."""
    certificate: str = ""
    """Fingerprint of the certificate in the credentials."""
    times: int = 1
    """How often it was sent: what a gateway refuses would otherwise be sent for ever."""
    at: Instant


class CupsContact(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway told CUPS when it last asked, and what it was given."""

    at: Instant
    peer: str = ""
    station: str = ""
    model: str = ""
    package: str = ""
    certificate: str = ""
    """Fingerprint of the one it showed."""
    cups_uri: str = ""
    lns_uri: str = ""
    cups_crc: int = 0
    """CRC-32 of the credentials that it has, likewise `lns_crc`."""
    lns_crc: int = 0
    key_crcs: tuple[int, ...] = ()
    """CRC-32 of the keys by which it checks firmware."""
    gifts: tuple[Gift, ...] = ()
    withheld: tuple[str, ...] = ()
    """What it should have and was not given, each with the reason."""


class GatewayRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that a gateway was not let in."""

    at: Instant
    place: Place
    refusal: Refusal
    reason: str
    peer: str = ""


class GatewayState(msgspec.Struct, frozen=True, kw_only=True):
    """How a gateway was last seen; each part is written by itself."""

    connection: GatewayConnection | None = None
    cups: CupsContact | None = None
    refusal: GatewayRefusal | None = None


StatePart = GatewayConnection | CupsContact | GatewayRefusal


class FirmwareDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """An update image and the gateways that it is for (a task definition)."""

    account: str = DEFAULT_ACCOUNT
    id: str
    name: str = ""
    automatic: bool = False
    """Every gateway that runs `current` gets a task."""
    current: Version
    """What a gateway must run to be given the image."""
    update: Version
    """What it runs afterwards."""
    source: str
    """A file below the folder of images, or ``s3://BUCKET/KEY``."""
    signature: bytes
    """ECDSA P-256 over the SHA-512 of the image, DER."""
    key_crc: int
    """CRC-32 of the public key (64 bytes, X and Y) that checks the signature."""
    role_arn: str = ""
    """By which AWS would read the image; kept as it was given."""
    created_at: Instant


class FirmwareTask(msgspec.Struct, frozen=True, kw_only=True):
    """The update of one gateway; it has one at a time."""

    account: str = DEFAULT_ACCOUNT
    gateway_eui: GatewayEUI
    definition_id: str
    status: Status = "PENDING"
    reason: str = ""
    """Why it waits or failed."""
    created_at: Instant
    changed_at: Instant


def is_same_task(before: FirmwareTask, after: FirmwareTask) -> bool:
    """Whether `after` is what a task may become: the same update of the same gateway."""
    return (before.account, before.gateway_eui, before.definition_id) == (
        after.account,
        after.gateway_eui,
        after.definition_id,
    )
