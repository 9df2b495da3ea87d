"""What became of what CUPS has given a gateway, and how often it is given again.

A station only logs that it refuses something: what it does not show at its next request, it has not
taken. Credentials are made anew each time, as no key is kept, so "again" means the same kind; for a
URI it means the same one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from bittern.gateway.cups import CupsRequest
from bittern.gateway.cups_credentials import EMPTY_CRC
from bittern.types import Instant

Place = Literal["lns", "cups"]
GiveKind = Literal["cups_uri", "lns_uri", "cups_credentials", "lns_credentials"]

ANSWER_MADE_WITHIN_S = 10.0
"""What was given so shortly before the last request was noted belongs to its answer."""


class EarlierGift(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was sent and had not been taken at the last request."""

    kind: GiveKind
    value: str
    """The URI, or the CRC-32 of the credentials in decimal."""
    certificate: str = ""
    """Fingerprint of the certificate in the credentials."""
    times: int = 1
    at: Instant


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the gateway's last request."""

    at: Instant
    cups_crc: int = EMPTY_CRC
    lns_crc: int = EMPTY_CRC
    gifts: tuple[EarlierGift, ...] = ()


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often something is given that a gateway does not take."""

    attempts: int = 3
    apart_s: float = 50
    """A station asks again a minute after it was given something of CUPS's."""
    pause_s: float = 86_400
    """After the last attempt; doubled by each further one."""
    longest_pause_s: float = 16 * 86_400


def taken(gift: EarlierGift, request: CupsRequest) -> bool:
    """Whether the gateway shows with its request that it has it."""
    match gift.kind:
        case "cups_uri":
            return same_uri(gift.value, request.cups_uri)
        case "lns_uri":
            return same_uri(gift.value, request.lns_uri)
        case "cups_credentials":
            return gift.value == str(request.cups_crc)
        case "lns_credentials":
            return gift.value == str(request.lns_crc)


def in_use(gift: EarlierGift, shown: str) -> bool:
    """Taken, though the CRC is not that of what was sent: the station stores it in its own way.

    ``shown`` is the fingerprint of the certificate that the gateway shows where it is for.
    """
    return gift.certificate != "" and gift.certificate == shown


def moved(gift: EarlierGift, request: CupsRequest, past: Past) -> bool:
    """Whether credentials on the gateway were changed, and not by this gift.

    A change at the first request after the gift is the gift's own doing.
    """
    if gift.at >= past.at - ANSWER_MADE_WITHIN_S:
        return False
    if gift.kind == "cups_credentials":
        return request.cups_crc != past.cups_crc
    return gift.kind == "lns_credentials" and request.lns_crc != past.lns_crc


def hindrance(gift: EarlierGift, patience: Patience, now: Instant) -> str | None:
    """Why it is not given once more at ``now``; None if it is."""
    since = now - gift.at
    if gift.times < patience.attempts:
        if 0 <= since < patience.apart_s:
            return f"given {since:.0f} s ago, and the gateway has yet to show that it took it"
        return None
    further = min(gift.times - patience.attempts, 16)
    pause = min(patience.pause_s * 2**further, patience.longest_pause_s)
    if not 0 <= since < pause:
        return None
    what = gift.value if gift.kind in ("cups_uri", "lns_uri") else "these credentials"
    return (
        f"the station has refused {what} {gift.times} times, last on {_moment(gift.at)}, and its"
        f" own log says why; the next attempt is after {_moment(gift.at + pause)}, or when"
        " something about the gateway is changed"
    )


def same_uri(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()


def _moment(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M} UTC"
