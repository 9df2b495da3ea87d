from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bittern.pki.authority import Authority, moment
from bittern.pki.fingerprints import certificate_id, named_gateway
from bittern.pki.issuing import issue_gateway_certificate
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


def certificate_named(*names: str, now: Instant) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, moment(now), moment(now))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def test_certificate_id_is_the_sha256_of_the_der(authority: Authority, now: Instant) -> None:
    issued = issue_gateway_certificate(authority, EUI, now)
    expected = issued.certificate.fingerprint(hashes.SHA256()).hex()
    assert certificate_id(issued.certificate_der) == expected
    assert len(expected) == 64


def test_a_gateway_certificate_names_its_gateway(authority: Authority, now: Instant) -> None:
    assert named_gateway(issue_gateway_certificate(authority, EUI, now).certificate_der) == EUI


def test_other_certificates_name_no_gateway(now: Instant) -> None:
    assert named_gateway(certificate_named("AWS IoT Certificate", now=now)) is None
    assert named_gateway(certificate_named(now=now)) is None


def test_a_certificate_with_two_names_names_none(now: Instant) -> None:
    assert named_gateway(certificate_named(str(EUI), "0016c001ff000002", now=now)) is None


def test_bytes_that_are_no_certificate_name_no_gateway() -> None:
    assert named_gateway(b"") is None
    assert named_gateway(b"0\x03abc") is None
