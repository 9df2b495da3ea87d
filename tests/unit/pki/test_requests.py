from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bittern.pki.authority import Authority
from bittern.pki.requests import certificate_of_request, issue_certificate, parsed_certificate
from bittern.types import Instant

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "roof")])


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_a_certificate_is_signed_by_the_authority(authority: Authority, now: Instant) -> None:
    issued = issue_certificate(authority, now)
    assert authority.has_signed(issued.certificate)
    assert b"RSA PRIVATE KEY" in issued.private_key_pem()
    assert parsed_certificate(issued.certificate_pem.decode()) == issued.certificate


def test_a_request_keeps_its_name_and_key(authority: Authority, now: Instant) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certificate_of_request(authority, request_of(key), now)
    assert certificate.subject == NAME
    assert certificate.public_key() == key.public_key()
    assert authority.has_signed(certificate)


def test_a_request_never_makes_an_authority(authority: Authority, now: Instant) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certificate_of_request(authority, request_of(key), now)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.ca is False


def test_a_key_that_is_unusable_is_refused(authority: Authority, now: Instant) -> None:
    with pytest.raises(ValueError, match="neither"):
        certificate_of_request(authority, request_of(ec.generate_private_key(ec.SECP384R1())), now)


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_what_is_none_is_refused(authority: Authority, now: Instant, text: str) -> None:
    with pytest.raises(ValueError, match="not a certificate signing request"):
        certificate_of_request(authority, text, now)
    with pytest.raises(ValueError, match="not one certificate"):
        parsed_certificate(text)
