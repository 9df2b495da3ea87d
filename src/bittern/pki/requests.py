"""Certificates that clients ask for before anybody knows which gateway they are for.

AWS IoT makes keys of RSA with 2048 bits; scripts write them to files that stations read, so these
are the same.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bittern.pki.authority import Authority, PublicKey, key_usage, unsigned
from bittern.pki.issuing import Issued
from bittern.types import Instant

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bittern certificate")])
LEAST_RSA_BITS = 2048


def issue_certificate(authority: Authority, now: Instant) -> Issued:
    """A certificate that names nobody, and its key, which is not kept. It takes a tenth of a
    second."""
    key = rsa.generate_private_key(65537, 2048)
    return Issued(_signed(authority, NAME, key.public_key(), now), key)


def certificate_of_request(authority: Authority, pem: str, now: Instant) -> x509.Certificate:
    """For the key and the name of a signing request. ValueError where it is none."""
    request = _parsed_request(pem)
    key = _usable(request.public_key())
    return _signed(authority, request.subject, key, now)


def parsed_certificate(pem: str) -> x509.Certificate:
    """The one certificate of a text. ValueError where it is none, or one of an unusable key."""
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode())
        _usable(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("not one certificate in PEM, of EC P-256 or RSA") from error
    return certificate


def _parsed_request(pem: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise ValueError("not a certificate signing request in PEM") from error
    if not valid:
        raise ValueError("the request is not signed by its own key")
    return request


def _usable(key: object) -> PublicKey:
    """Stations and TLS here know P-256 and RSA."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    raise ValueError("the key is neither EC P-256 nor RSA of 2048 bits and more")


def _signed(
    authority: Authority, name: x509.Name, key: PublicKey, now: Instant
) -> x509.Certificate:
    end = authority.certificate.not_valid_after_utc
    return authority.signed(
        unsigned(name, key, now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
