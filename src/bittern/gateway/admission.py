"""Whether a gateway may connect: the certificate that it shows must be its own.

Fingerprint, EUI and account must agree; each way in which they do not has its own `Refusal`, and a
sentence for the station's log and ours. The LNS asks when a station looks for its connection and
once more when that opens, CUPS at every request.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from bittern.types import GatewayEUI, Instant, Refusal

Place = Literal["lns", "cups"]
_PLACES = {"lns": "the LNS", "cups": "CUPS"}


class Refused(msgspec.Struct, frozen=True):
    """This gateway may not connect."""

    refusal: Refusal
    reason: str


class CertificateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is registered of a client certificate."""

    gateway_eui: GatewayEUI
    account: str
    active: bool
    purpose: Literal["any", "cups", "lns"] = "any"
    not_after: Instant
    revoked_at: Instant | None = None
    revoked_because: str = ""


def admission(
    gateway_eui: GatewayEUI,
    *,
    place: Place,
    fingerprint: str | None,
    certificate: CertificateRecord | None,
    account: str | None,
    now: Instant,
) -> Refused | None:
    """Whether the gateway may connect: None, or what does not match.

    ``fingerprint`` is SHA-256 of the certificate that it showed, None if it showed none,
    ``certificate`` what is registered under that fingerprint, ``account`` the one that the gateway
    is registered in, None where it is not.
    """
    if fingerprint is None:
        return Refused(Refusal.CERTIFICATE_MISSING, f"gateway {gateway_eui} shows no certificate")
    if certificate is None:
        return Refused(
            Refusal.CERTIFICATE_UNKNOWN, f"certificate {fingerprint} is not registered here"
        )
    return (
        _mismatch(gateway_eui, certificate, account)
        or _ended(fingerprint, certificate, now)
        or _misplaced(fingerprint, certificate, place)
    )


def _mismatch(
    gateway_eui: GatewayEUI, certificate: CertificateRecord, account: str | None
) -> Refused | None:
    if certificate.gateway_eui != gateway_eui:
        return Refused(
            Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY,
            f"certificate is of gateway {certificate.gateway_eui}, not {gateway_eui}",
        )
    if account is None:
        return Refused(Refusal.UNKNOWN_GATEWAY, f"gateway {gateway_eui} is not registered")
    if certificate.account != account:
        return Refused(
            Refusal.CERTIFICATE_OF_ANOTHER_ACCOUNT,
            f"certificate of gateway {gateway_eui} is of another account than the gateway",
        )
    return None


def _ended(fingerprint: str, certificate: CertificateRecord, now: Instant) -> Refused | None:
    if certificate.revoked_at is not None:
        why = f": {certificate.revoked_because}" if certificate.revoked_because else ""
        return Refused(
            Refusal.CERTIFICATE_REVOKED,
            f"certificate {fingerprint} was revoked on {_date(certificate.revoked_at)}{why}",
        )
    if not certificate.active:
        return Refused(
            Refusal.CERTIFICATE_INACTIVE, f"certificate {fingerprint} has been deactivated"
        )
    if certificate.not_after <= now:
        return Refused(
            Refusal.CERTIFICATE_EXPIRED,
            f"certificate {fingerprint} expired on {_date(certificate.not_after)}",
        )
    return None


def _misplaced(fingerprint: str, certificate: CertificateRecord, place: Place) -> Refused | None:
    if certificate.purpose in ("any", place):
        return None
    return Refused(
        Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE,
        f"certificate {fingerprint} is for {_PLACES[certificate.purpose]}, not {_PLACES[place]}",
    )


def _date(instant: Instant) -> str:
    return str(datetime.fromtimestamp(instant, UTC).date())
