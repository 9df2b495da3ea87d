"""Certificates of the `iot` service, before and while they are a gateway's.

A certificate is kept as a note, with its PEM and its state. When it is associated with a gateway
the registry has it as well, which decides whom it lets in; its state is then that of both.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bittern.api.errors import ApiError, conflict, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import policy_targets, thing_principals
from bittern.api.operations.common import Answer, moment, page_of, present
from bittern.api.operations.services import Services
from bittern.pki.authority import Authority
from bittern.pki.fingerprints import certificate_id
from bittern.pki.requests import certificate_of_request, issue_certificate, parsed_certificate
from bittern.store.notes import Note
from bittern.types import Instant

KIND = "Certificate"
Status = Literal["ACTIVE", "INACTIVE", "REVOKED"]
REVOKED_BECAUSE = "revoked by the API"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a certificate's note."""

    id: str
    pem: str
    status: Status
    signed_here: bool
    authority: str = ""
    """Fingerprint of the authority of ours that has signed it. Early notes are without."""
    created_at: Instant
    changed_at: Instant
    version: int = 1


async def create_with_keys(services: Services, call: Call, parameters: Parameters) -> Answer:
    """The private key is told now and never again."""
    authority = services.authority()
    issued = await asyncio.to_thread(issue_certificate, authority, call.now)
    answer = await _added(services, call, issued.certificate, _status(parameters), authority)
    keys = {
        "PublicKey": issued.public_key_pem().decode(),
        "PrivateKey": issued.private_key_pem().decode(),
    }
    return answer | {"keyPair": keys}


async def create_from_request(services: Services, call: Call, parameters: Parameters) -> Answer:
    authority = services.authority()
    try:
        certificate = certificate_of_request(
            authority, parameters["certificateSigningRequest"], call.now
        )
    except ValueError as error:
        raise invalid(str(error)) from None
    return await _added(services, call, certificate, _status(parameters), authority)


async def register(services: Services, call: Call, parameters: Parameters) -> Answer:
    """One that an outside authority has signed."""
    status = parameters.get("status", "INACTIVE")
    if status not in ("ACTIVE", "INACTIVE"):
        raise ApiError("CertificateStateException", f"a certificate does not begin as {status}")
    try:
        certificate = parsed_certificate(parameters["certificatePem"])
    except ValueError as error:
        raise ApiError("CertificateValidationException", str(error)) from None
    identity = _identity(certificate)
    if await services.store.note(call.account, "certificate", identity) is not None:
        raise ApiError(
            "ResourceAlreadyExistsException",
            "the certificate is registered already",
            resourceId=identity,
            resourceArn=_arn(call, identity),
        )
    answer = await _added(services, call, certificate, status, None)
    del answer["certificatePem"]
    return answer


async def describe(services: Services, call: Call, parameters: Parameters) -> Answer:
    kept = await found(services, call, parameters["certificateId"])
    certificate = parsed_certificate(kept.pem)
    validity = {
        "notBefore": certificate.not_valid_before_utc,
        "notAfter": certificate.not_valid_after_utc,
    }
    description = present(
        **_entry(call, kept),
        caCertificateId=signer_of(services, kept) or None,
        certificatePem=kept.pem,
        ownedBy=call.account,
        lastModifiedDate=moment(kept.changed_at),
        customerVersion=kept.version,
        validity=validity,
    )
    return {"certificateDescription": description}


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    store = services.store
    notes = await store.notes(call.account, "certificate", page.after or "", page.fetch)
    shown, marker = page.split(notes, lambda note: note.name)
    entries = [_entry(call, _kept(note)) for note in shown]
    return present(nextMarker=marker) | {"certificates": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is revoked stays so."""
    status = parameters["newStatus"]
    kept = await found(services, call, parameters["certificateId"])
    if status not in ("ACTIVE", "INACTIVE", "REVOKED"):
        raise invalid(f"a certificate does not become {status}")
    if kept.status == "REVOKED" and status != "REVOKED":
        raise ApiError("CertificateStateException", "the certificate is revoked for good")
    await _put_status(services, call, kept, status)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    kept = await found(services, call, parameters["certificateId"])
    if kept.status == "ACTIVE":
        raise ApiError("CertificateStateException", "an active certificate is not deleted")
    if await services.store.certificate(kept.id) is not None:
        raise ApiError("DeleteConflictException", "the certificate is a gateway's; disassociate it")
    if await thing_principals.LINKS.to(services, call, kept.id, None, 1):
        raise ApiError("DeleteConflictException", "the certificate is attached to a thing")
    if parameters.get("forceDelete", False):
        await policy_targets.detach_all(services, call, kept.id)
    elif await policy_targets.LINKS.to(services, call, kept.id, None, 1):
        raise ApiError("DeleteConflictException", "the certificate has a policy; detach it")
    await services.store.remove_note(call.account, "certificate", kept.id)


async def found(services: Services, call: Call, certificate_id: str) -> Kept:
    """One of the caller's account. ApiError."""
    note = await services.store.note(call.account, "certificate", certificate_id)
    if note is None:
        raise not_found(KIND, certificate_id)
    return _kept(note)


def signer_of(services: Services, kept: Kept) -> str:
    """Fingerprint of the authority of ours that has signed it; empty for an outside one."""
    if not kept.signed_here:
        return ""
    return kept.authority or services.authority().fingerprint


async def _put_status(services: Services, call: Call, kept: Kept, status: Status) -> None:
    after = msgspec.structs.replace(
        kept, status=status, changed_at=call.now, version=kept.version + 1
    )
    of_gateway = await services.store.certificate(kept.id)
    if of_gateway is not None:
        revoked = status == "REVOKED"
        await services.store.replace_certificate(
            msgspec.structs.replace(
                of_gateway,
                active=status == "ACTIVE",
                revoked_at=call.now if revoked else of_gateway.revoked_at,
                revoked_because=REVOKED_BECAUSE if revoked else of_gateway.revoked_because,
            )
        )
    await services.store.put_notes(_note(call, after))


async def _added(
    services: Services,
    call: Call,
    certificate: x509.Certificate,
    status: Status,
    authority: Authority | None,
) -> Answer:
    """`authority` is who has signed it, if that is one of ours."""
    kept = Kept(
        id=_identity(certificate),
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        status=status,
        signed_here=authority is not None,
        authority=authority.fingerprint if authority is not None else "",
        created_at=call.now,
        changed_at=call.now,
    )
    if await services.store.certificate(kept.id) is not None:
        raise conflict(KIND, kept.id, "the certificate is a gateway's already")
    await services.store.put_notes(_note(call, kept))
    return {
        "certificateArn": _arn(call, kept.id),
        "certificateId": kept.id,
        "certificatePem": kept.pem,
    }


def _identity(certificate: x509.Certificate) -> str:
    return certificate_id(certificate.public_bytes(serialization.Encoding.DER))


def _status(parameters: Parameters) -> Status:
    return "ACTIVE" if parameters.get("setAsActive") else "INACTIVE"


def _arn(call: Call, identity: str) -> str:
    return call.arn(f"cert/{identity}", "iot")


def _entry(call: Call, kept: Kept) -> Answer:
    return {
        "certificateArn": _arn(call, kept.id),
        "certificateId": kept.id,
        "status": kept.status,
        "certificateMode": "DEFAULT",
        "creationDate": moment(kept.created_at),
    }


def _note(call: Call, kept: Kept) -> Note:
    body = msgspec.json.encode(kept).decode()
    return Note(account=call.account, kind="certificate", name=kept.id, at=call.now, body=body)


def _kept(note: Note) -> Kept:
    return msgspec.json.decode(note.body, type=Kept)
