"""A certificate authority: the first is made at the first start, the next by `rotation`.

Its key never leaves ``DATA_DIR/pki/ca.key`` (EC P-256, mode 0600, sealed). Every gateway trusts its
certificate, ``ca.crt``, and nothing else: a lost key means new files for every gateway, so nothing
here ever replaces one that exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bittern.errors import AuthorityUnusable
from bittern.keys.ring import Vault
from bittern.pki import files
from bittern.pki.fingerprints import certificate_id
from bittern.types import Instant

T = TypeVar("T")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

BACKDATED = timedelta(days=7)
"""A certificate is valid since a week before it was made: gateways' clocks are often wrong."""
ROOT_LIFETIME = timedelta(days=30 * 365)
"""Longer than a gateway lives: changing the root means touching each of them."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The root certificate and the means to sign with it."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """What gateways and clients trust: ``tc.trust``."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """How records name it: SHA-256 of the certificate's DER."""
        return certificate_id(self.der)

    @property
    def made_at(self) -> Instant:
        return Instant((self.certificate.not_valid_before_utc + BACKDATED).timestamp())

    @property
    def not_after(self) -> Instant:
        return Instant(self.certificate.not_valid_after_utc.timestamp())

    def signed(self, certificate: x509.CertificateBuilder) -> x509.Certificate:
        """``certificate`` with the issuer, its key identifier and the signature."""
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return (
            certificate.issuer_name(self.certificate.subject)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )

    def cross_signed(self, other: x509.Certificate, now: Instant) -> x509.Certificate:
        """Another authority's name and key, certified by this one: who trusts this one accepts
        what the other has signed."""
        key = other.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        end = min(other.not_valid_after_utc, self.certificate.not_valid_after_utc)
        return self.signed(
            unsigned(other.subject, key, now, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        )

    def has_signed(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def place_of(stem: str) -> str:
    """Of the key of an authority, where it is sealed."""
    return f"pki.{stem}.key"


def open_authority(
    folder: Path, now: Instant, stem: str = "ca", vault: Vault | None = None
) -> Authority:
    """The authority kept in ``folder`` as ``STEM.key`` and ``STEM.crt``; a new one, where there is
    none. Its key is sealed by ``vault``; without one it stands there in the clear.

    Raises AuthorityUnusable where half of it is missing, does not fit the other half or is not
    valid at ``now``, KeyFileExposed where others can read its key, and SealBroken.
    """
    files.make_folder(folder)
    key_path, certificate_path = folder / f"{stem}.key", folder / f"{stem}.crt"
    if not key_path.exists():
        if certificate_path.exists():
            raise AuthorityUnusable(str(key_path), "missing, though its certificate is there")
        # The key before the certificate: a start cut short between them is finished by the next.
        drawn = private_key_pem(ec.generate_private_key(ec.SECP256R1()))
        files.write_key_once(key_path, drawn, vault, place_of(stem))
    key = _parsed(key_path, files.read_key(key_path, vault, place_of(stem)), _authority_key)
    if not certificate_path.exists():
        root = self_signed(key, now).public_bytes(serialization.Encoding.PEM)
        files.write_once(certificate_path, root)
    certificate = _parsed(
        certificate_path, certificate_path.read_bytes(), x509.load_pem_x509_certificate
    )
    if certificate.public_key() != key.public_key():
        raise AuthorityUnusable(str(certificate_path), f"not the certificate of {stem}.key")
    _check_validity(certificate_path, certificate, moment(now))
    return Authority(certificate, key)


def _check_validity(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    """Told at the start: otherwise every gateway fails later, without a word."""
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= now < until:
        raise AuthorityUnusable(
            str(path),
            f"valid from {since:%Y-%m-%d} until {until:%Y-%m-%d}, and the clock says"
            f" {now:%Y-%m-%d}",
        )


def self_signed(key: ec.EllipticCurvePrivateKey, now: Instant) -> x509.Certificate:
    """A root certificate that may sign end entities, and one authority that gives way to it
    (RFC 5280, 4.2.1.9)."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Two installations in one trust store need two names.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "bittern"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"bittern {identifier.digest.hex()[:8]}"),
        ]
    )
    return (
        unsigned(name, key.public_key(), now, moment(now) + ROOT_LIFETIME)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )


def unsigned(
    name: x509.Name, key: PublicKey, now: Instant, end: datetime
) -> x509.CertificateBuilder:
    """What every certificate of ours has: name, key, serial number and validity."""
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment(now) - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def moment(now: Instant) -> datetime:
    """X.509 counts whole seconds."""
    return datetime.fromtimestamp(int(now), UTC)


def private_key_pem(key: PrivateKey) -> bytes:
    """SEC1 for EC and PKCS#1 for RSA, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _authority_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an EC key")
    return key


def _parsed(path: Path, content: bytes, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(content)
    except (ValueError, TypeError):
        # The parser's own words may quote what it read.
        raise AuthorityUnusable(str(path), "not what bittern wrote there") from None
