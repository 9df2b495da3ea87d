"""Which certificate is a gateway's: only with it is the gateway let in."""

from __future__ import annotations

from bittern.api.errors import conflict, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import certificates
from bittern.api.operations.certificates import Kept, signer_of
from bittern.api.operations.common import Answer, present, told
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.pki.requests import parsed_certificate
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import Instant

KIND = "WirelessGatewayCertificate"


async def associate(services: Services, call: Call, parameters: Parameters) -> Answer:
    """A gateway may have several, for one takes the place of another; a certificate has one
    gateway. To repeat it changes nothing."""
    gateway = await gateway_of(services, call, parameters["Id"])
    kept = await certificates.found(services, call, parameters["IotCertificateId"])
    if kept.status == "REVOKED":
        raise invalid(f"certificate {kept.id} is revoked")
    there = await services.store.certificate(kept.id)
    if there is None:
        with told():
            await services.store.add_certificate(_record(services, call, gateway, kept))
    elif there.gateway_eui != gateway.gateway_eui:
        raise conflict(KIND, kept.id, "the certificate is another gateway's")
    return {"IotCertificateId": kept.id}


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Beside the one that was associated: the one that CUPS has given for the LNS."""
    gateway = await gateway_of(services, call, parameters["Id"])
    every = await _valid(services, gateway)
    given = [one for one in every if one.purpose == "lns"]
    newest = max(given, key=lambda one: one.created_at, default=None)
    return present(
        IotCertificateId=(await _newest(services, gateway)).fingerprint,
        LoRaWANNetworkServerCertificateId=newest and newest.fingerprint,
    )


async def disassociate(services: Services, call: Call, parameters: Parameters) -> None:
    """The one that `get` tells. What CUPS or an operator gave the gateway beside it stays."""
    gateway = await gateway_of(services, call, parameters["Id"])
    newest = await _newest(services, gateway)
    with told():
        await services.store.remove_certificate(newest.fingerprint)


async def _newest(services: Services, gateway: Gateway) -> GatewayCertificate:
    """What was associated here comes before what was given to the gateway otherwise."""
    every = await _valid(services, gateway)
    if not every:
        raise not_found(KIND, gateway.id)
    noted = {
        one.fingerprint
        for one in every
        if await services.store.note(gateway.account, "certificate", one.fingerprint)
    }
    return max(every, key=lambda one: (one.fingerprint in noted, one.created_at))


async def _valid(services: Services, gateway: Gateway) -> list[GatewayCertificate]:
    every = await services.store.certificates_of(gateway.gateway_eui)
    return [one for one in every if one.revoked_at is None]


def _record(services: Services, call: Call, gateway: Gateway, kept: Kept) -> GatewayCertificate:
    end = parsed_certificate(kept.pem).not_valid_after_utc.timestamp()
    return GatewayCertificate(
        fingerprint=kept.id,
        account=call.account,
        gateway_eui=gateway.gateway_eui,
        active=kept.status == "ACTIVE",
        authority=signer_of(services, kept),
        pem="" if kept.signed_here else kept.pem,
        not_after=Instant(end),
        created_at=call.now,
    )
