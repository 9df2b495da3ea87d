"""What a TLS listener can tell: who is at the other end, and why a handshake failed."""

from __future__ import annotations

import asyncio
import ssl

from bittern.pki.fingerprints import certificate_id
from bittern.types import Refusal


def explained(error: ssl.SSLError) -> tuple[Refusal | None, str]:
    """What a failed handshake means, as far as OpenSSL knows."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"certificate is not of this server's authority: {error.verify_message}"
        return Refusal.CERTIFICATE_UNKNOWN, reason
    # Not every one that is raised outside OpenSSL has a reason.
    known = getattr(error, "reason", None)
    if known == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return Refusal.CERTIFICATE_MISSING, "no certificate shown"
    words = (known or " ".join(map(str, error.args))).replace("_", " ").lower()
    if "alert" in words:
        return None, f"TLS refused by the other end: {words}"
    return None, f"TLS failed: {words}"


def peer_fingerprint(transport: asyncio.BaseTransport) -> str | None:
    """SHA-256 of the certificate at the other end; None without TLS or without a certificate."""
    session: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    der = session.getpeercert(binary_form=True) if session else None
    return certificate_id(der) if der else None


def peer_address(transport: asyncio.BaseTransport) -> str:
    """``192.0.2.7:51234`` or ``[2001:db8::7]:51234``; empty where there is none."""
    match transport.get_extra_info("peername"):
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return ""
