"""One gateway's admission from what is registered now, for the LNS and for CUPS."""

from __future__ import annotations

from typing import Protocol

from bittern.errors import StoreError
from bittern.gateway.admission import CertificateRecord, Place, Refused, admission
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant, Refusal


class GatewayDirectory(Protocol):
    """Where gateways and their certificates are registered."""

    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None: ...
    async def certificate(self, fingerprint: str) -> GatewayCertificate | None: ...


async def admit(
    directory: GatewayDirectory,
    place: Place,
    gateway_eui: GatewayEUI,
    fingerprint: str | None,
    now: Instant,
) -> Gateway | Refused:
    """The gateway, where it may connect with the certificate of this fingerprint."""
    try:
        certificate = await directory.certificate(fingerprint) if fingerprint else None
        gateway = await directory.gateway(gateway_eui)
    except StoreError as error:
        return Refused(Refusal.STORE_UNAVAILABLE, str(error))
    refused = admission(
        gateway_eui,
        place=place,
        fingerprint=fingerprint,
        certificate=None if certificate is None else _record(certificate),
        account=None if gateway is None else gateway.account,
        now=now,
    )
    if refused is not None or gateway is None:
        return refused or Refused(Refusal.UNKNOWN_GATEWAY, f"gateway {gateway_eui} is not there")
    return gateway


def _record(certificate: GatewayCertificate) -> CertificateRecord:
    return CertificateRecord(
        gateway_eui=certificate.gateway_eui,
        account=certificate.account,
        active=certificate.active,
        purpose=certificate.purpose,
        not_after=certificate.not_after,
        revoked_at=certificate.revoked_at,
        revoked_because=certificate.revoked_because,
    )
