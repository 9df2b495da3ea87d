"""Certificates of gateways and of the server, as a genuine Basics Station takes them.

The station's splitter of credentials understands DER lengths below 128 and from 256 on, so a P-256
key must be in SEC1 form (121 bytes); its PKCS#8 form (138 bytes) is refused. It compares the
server's name with dNSName entries only, IP addresses too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bittern.pki.authority import (
    Authority,
    PrivateKey,
    key_usage,
    moment,
    private_key_pem,
    unsigned,
)
from bittern.pki.fingerprints import certificate_id
from bittern.types import GatewayEUI, Instant

SERVER_LIFETIME = timedelta(days=825)
"""The longest that every common client accepts."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")

KeyKind = Literal["ec-p256", "rsa-2048"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, to be handed out at once: nobody keeps the key."""

    certificate: x509.Certificate
    _key: PrivateKey = field(repr=False)

    @property
    def certificate_id(self) -> str:
        return certificate_id(self.certificate_der)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def not_after(self) -> Instant:
        return Instant(self.certificate.not_valid_after_utc.timestamp())

    def private_key_pem(self) -> bytes:
        """SEC1 for EC and PKCS#1 for RSA."""
        return private_key_pem(self._key)

    def private_key_der(self) -> bytes:
        """SEC1 for EC and PKCS#1 for RSA."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def public_key_pem(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def issue_gateway_certificate(
    authority: Authority,
    gateway_eui: GatewayEUI,
    now: Instant,
    kind: KeyKind = "ec-p256",
    lifetime: timedelta | None = None,
) -> Issued:
    """A client certificate that names the gateway: CN is its EUI, 16 lower-case digits.

    Without a ``lifetime`` it lasts as long as the root: what a person has carried to a gateway on
    a mast must be good for the day when nothing else is.
    """
    key = _new_key(kind)
    root_end = authority.certificate.not_valid_after_utc
    end = root_end if lifetime is None else min(moment(now) + lifetime, root_end)
    certificate = (
        unsigned(_common_name(str(gateway_eui)), key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return Issued(authority.signed(certificate), key)


def issue_user_certificate(
    authority: Authority, name: str, now: Instant, lifetime: timedelta, unit: str = "MQTT"
) -> Issued:
    """A client certificate by which a user of the embedded broker logs in, or a server that asks a
    join server: CN is its name. The organizational unit keeps it apart from a gateway's in a list;
    what it lets in to is decided by where its fingerprint is recorded."""
    key = _new_key("ec-p256")
    end = min(moment(now) + lifetime, authority.certificate.not_valid_after_utc)
    of = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)
    subject = x509.Name([of, *_common_name(name)])
    certificate = (
        unsigned(subject, key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return Issued(authority.signed(certificate), key)


def issue_server_certificate(authority: Authority, names: Iterable[str], now: Instant) -> Issued:
    """A server certificate for ``names`` (see ``server_names``)."""
    names = list(names)
    key = _new_key("ec-p256")
    end = min(moment(now) + SERVER_LIFETIME, authority.certificate.not_valid_after_utc)
    certificate = (
        unsigned(_common_name(names[0]), key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternative_names(names), critical=False)
    )
    return Issued(authority.signed(certificate), key)


def server_names(host_name: str, configured: Iterable[str], bind: str) -> tuple[str, ...]:
    """Every name by which the server may be called, loopback first, each once.

    ``host_name`` is the machine's; one that no certificate can carry is left out, and so is a
    ``bind`` that stands for all addresses.
    """
    wanted = [*LOOPBACK, *configured, host_name, bind]
    usable = (name.lower() for name in wanted if name and name.isascii() and " " not in name)
    return tuple(dict.fromkeys(name for name in usable if not _is_unspecified(name)))


def alternative_names(names: Iterable[str]) -> x509.SubjectAlternativeName:
    """Names as dNSName, addresses as iPAddress; and IPv4 addresses as dNSName once more, since a
    station looks nowhere else. (``::1`` is no name that every client would parse.)"""
    entries: list[x509.GeneralName] = []
    for name in names:
        address = _address(name)
        if address is None or address.version == 4:
            entries.append(x509.DNSName(name))
        if address is not None:
            entries.append(x509.IPAddress(address))
    return x509.SubjectAlternativeName(entries)


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind == "ec-p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_unspecified(name: str) -> bool:
    address = _address(name)
    return address is not None and address.is_unspecified
