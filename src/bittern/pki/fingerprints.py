"""The name of a certificate, and the gateway that it names.

AWS IoT calls a certificate by the SHA-256 of its DER as 64 lower-case hexadecimal digits: the
certificate id. Ours is the same, so the two can be compared by eye with ``openssl x509``.
"""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.x509.oid import NameOID

from bittern.types import EUI64, GatewayEUI


def certificate_id(der: bytes) -> str:
    """SHA-256 of a certificate's DER, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(der).hexdigest()


def named_gateway(der: bytes) -> GatewayEUI | None:
    """The gateway that a certificate names by its common name; None where it names none.

    A certificate that was not made here may carry any name: this serves the explanation of a
    refusal, never the decision.
    """
    try:
        names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(
            NameOID.COMMON_NAME
        )
        return GatewayEUI(EUI64.from_hex(str(names[0].value))) if len(names) == 1 else None
    except ValueError:
        return None
