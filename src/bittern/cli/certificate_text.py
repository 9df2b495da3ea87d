"""A gateway's certificate as it is printed: for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from bittern.cli import output
from bittern.store.gateway_records import GatewayState
from bittern.store.records import CertificatePurpose, GatewayCertificate
from bittern.types import Instant

PURPOSES: dict[CertificatePurpose, str] = {
    "any": "CUPS and the LNS",
    "cups": "CUPS",
    "lns": "the LNS",
}
SHORT = 16
"""Digits by which a person tells certificates from each other."""


def certificate_told(
    certificate: GatewayCertificate,
    all_of_it: Sequence[GatewayCertificate],
    state: GatewayState,
    now: Instant,
) -> dict[str, str]:
    """``all_of_it`` is every certificate of the gateway, and ``state`` how it was last seen."""
    signed = ", signed by an outside authority" if certificate.pem else ""
    standing = certificate_standing(certificate, now)
    told = {
        "certificate": certificate.fingerprint,
        "for": f"{PURPOSES[certificate.purpose]}{signed}",
        "validity": f"{standing}, valid until {output.local_time(certificate.not_after)}"
        if standing in ("active", "inactive")
        else standing,
        "use": certificate_use(certificate, all_of_it, state),
    }
    if certificate.renew:
        told["renewal"] = "CUPS replaces it when the gateway asks next"
    return {name: value for name, value in told.items() if value}


def certificate_standing(certificate: GatewayCertificate, now: Instant) -> str:
    """Whether it lets its gateway in: active, or why not."""
    if certificate.revoked_at is not None:
        why = f": {certificate.revoked_because}" if certificate.revoked_because else ""
        return f"revoked {output.local_time(certificate.revoked_at)}{why}"
    if certificate.not_after <= now:
        return f"expired {output.local_time(certificate.not_after)}"
    return "active" if certificate.active else "inactive"


def certificate_use(
    certificate: GatewayCertificate,
    all_of_it: Sequence[GatewayCertificate],
    state: GatewayState,
) -> str:
    """Where the gateway showed it when it was last there; of others, whether a newer one has taken
    its place."""
    fingerprint = certificate.fingerprint
    used = []
    if state.cups is not None and state.cups.certificate == fingerprint:
        used.append("CUPS")
    if state.connection is not None and state.connection.certificate == fingerprint:
        used.append("the LNS")
    if used:
        return f"the gateway shows it to {' and '.join(used)}"
    newer = any(
        one.fingerprint in _shown(state)
        and one.created_at > certificate.created_at
        and certificate.purpose in (one.purpose, "any")
        for one in all_of_it
    )
    return "superseded: the gateway shows a newer one" if newer else "not seen with the gateway"


def certificate_document(certificate: GatewayCertificate) -> dict[str, object]:
    return {
        "fingerprint": certificate.fingerprint,
        "purpose": certificate.purpose,
        "active": certificate.active,
        "authority": certificate.authority,
        "is_foreign": bool(certificate.pem),
        "revoked_at": None
        if certificate.revoked_at is None
        else output.utc(certificate.revoked_at),
        "revoked_because": certificate.revoked_because,
        "renew": certificate.renew,
        "not_after": output.utc(certificate.not_after),
        "created_at": output.utc(certificate.created_at),
    }


def _shown(state: GatewayState) -> set[str]:
    """Certificates that the gateway showed when it was last there."""
    return {one.certificate for one in (state.cups, state.connection) if one is not None}
