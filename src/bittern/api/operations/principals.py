"""Principals: certificates, named by their ARNs, that things and policies are attached to."""

from __future__ import annotations

from bittern.api.errors import invalid, not_found
from bittern.api.front import Call
from bittern.api.operations import exchanges
from bittern.api.operations.services import Services
from bittern.store.notes import NoteExchange

_CERTIFICATE = "cert/"


def identity_of(call: Call, arn: str) -> str:
    """The id of the certificate, which need not be there any more. ApiError unless the caller may
    do this to it, and for what is no certificate of his account."""
    call.require(arn)
    rest = arn.removeprefix(call.arn("", "iot"))
    if not arn.startswith("arn:"):
        raise invalid("a principal is the ARN of a certificate: there are no others here")
    if rest == arn or not rest.startswith(_CERTIFICATE):
        raise not_found("Certificate", arn)
    return rest.removeprefix(_CERTIFICATE)


def arn_of(call: Call, identity: str) -> str:
    return call.arn(_CERTIFICATE + identity, "iot")


async def still_there(services: Services, call: Call, identity: str) -> NoteExchange:
    """The condition that the certificate is not deleted meanwhile. ApiError if it is."""
    note = await services.store.note(call.account, "certificate", identity)
    if note is None:
        raise not_found("Certificate", arn_of(call, identity))
    return exchanges.unchanged(call, "certificate", identity, note.body)
