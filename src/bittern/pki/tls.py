"""What a listener speaks: TLS 1.2 and 1.3; of gateways, both ends authenticated.

A connection without a certificate of a trusted authority does not get past the handshake; which
gateway the certificate belongs to, whether it has expired and whether it still counts, is decided
after it, with a reason that the gateway can be told. Basics Station (mbedTLS 2.28) speaks TLS 1.2
at most.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from bittern.pki.bundle import Bundle

TLS12_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""


PARTIAL_CHAIN = 0x80000
"""X509_V_FLAG_PARTIAL_CHAIN: a certificate may be trusted by itself, whoever signed it."""
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which `ssl` has no name for."""


def client_listener(identity: Path | Bundle, trusted_pem: bytes) -> ssl.SSLContext:
    """For programs, such as subscribers of the embedded broker: a client certificate is asked for
    and not required. One that is shown must be valid now and signed by ``trusted_pem``."""
    context = _listener(identity)
    context.verify_mode = ssl.CERT_OPTIONAL
    trust(context, trusted_pem)
    return context


def plain_listener(identity: Path | Bundle, key: Path | None = None) -> ssl.SSLContext:
    """For whoever proves otherwise who he is, such as by signed requests: no client certificate is
    asked for. ``identity`` may be without its key, if that is in ``key``."""
    return _listener(identity, key)


def gateway_listener(identity: Path | Bundle, trusted_pem: bytes) -> ssl.SSLContext:
    """For the LNS and CUPS: a client certificate signed by ``trusted_pem`` is required.

    ``identity`` is the file of ``identity.server_identity``. Sessions may be resumed, which spares
    both ends the public keys when thousands come back at once: OpenSSL keeps the certificate in
    the ticket, so a resumed session shows it again. Tickets end with the process.
    """
    context = _listener(identity)
    context.verify_mode = ssl.CERT_REQUIRED
    # Who may connect is decided by the fingerprint of a registered certificate, and when it ends
    # by its record: a handshake that fails for its age could tell the gateway nothing.
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME | PARTIAL_CHAIN)
    trust(context, trusted_pem)
    return context


def _listener(identity: Path | Bundle, key: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 1
    present(context, identity, key)
    return context


def trust(context: ssl.SSLContext, pem: bytes) -> None:
    """Let in, from the next handshake on, what these authorities have signed, and whoever holds
    the key of one of these certificates. What is trusted already stays trusted."""
    context.load_verify_locations(cadata=pem.decode("ascii"))


def present(context: ssl.SSLContext, identity: Path | Bundle, key: Path | None = None) -> None:
    """Show the certificate in ``identity`` from the next handshake on; running connections stay."""
    if isinstance(identity, Bundle):
        identity.load_into(context)
    else:
        context.load_cert_chain(identity, key)
