"""What a listener for gateways speaks: TLS 1.2 and 1.3, both ends authenticated.

A connection without a certificate of our authority does not get past the handshake; which gateway
the certificate belongs to, and whether it still counts, is decided after it, with a reason that
the gateway can be told. Basics Station (mbedTLS 2.28) speaks TLS 1.2 at most.
"""

from __future__ import annotations

import ssl
from pathlib import Path

TLS12_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""


def gateway_listener(identity: Path, trusted_pem: bytes) -> ssl.SSLContext:
    """For the LNS and CUPS: a client certificate signed by ``trusted_pem`` is required.

    ``identity`` is the file of ``identity.server_identity``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    # No tickets: a resumed session would not show its certificate again.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=trusted_pem.decode("ascii"))
    present(context, identity)
    return context


def present(context: ssl.SSLContext, identity: Path) -> None:
    """Show the certificate in ``identity`` from the next handshake on; running connections stay."""
    context.load_cert_chain(identity)
