from __future__ import annotations

import ipaddress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bittern.pki.authority import Authority, moment
from bittern.pki.issuing import (
    KeyKind,
    issue_gateway_certificate,
    issue_server_certificate,
    issue_user_certificate,
    server_names,
)
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016C001FF0000AB"))


def extended_usage(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_gateway_certificate_is_for_one_gateway(authority: Authority, now: Instant) -> None:
    certificate = issue_gateway_certificate(authority, EUI, now).certificate
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["0016c001ff0000ab"]
    assert extended_usage(certificate) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert authority.has_signed(certificate)


def test_a_gateway_certificate_signs_nothing(authority: Authority, now: Instant) -> None:
    extensions = issue_gateway_certificate(authority, EUI, now).certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign


def test_a_gateway_certificate_lasts_as_long_as_its_root(
    authority: Authority, now: Instant
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now)
    assert issued.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
    assert issued.certificate.not_valid_before_utc == moment(now) - timedelta(days=7)
    assert issued.not_after == issued.certificate.not_valid_after_utc.timestamp()


def test_an_ec_key_is_sec1_and_short_enough_for_the_splitter(
    authority: Authority, now: Instant
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now)
    assert issued.private_key_pem().startswith(b"-----BEGIN EC PRIVATE KEY-----")
    der = issued.private_key_der()
    assert der[:2] == bytes([0x30, len(der) - 2])
    assert len(der) == 121
    key = load_der_private_key(der, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)


def test_an_rsa_key_is_pkcs1_with_2048_bits(authority: Authority, now: Instant) -> None:
    issued = issue_gateway_certificate(authority, EUI, now, "rsa-2048")
    assert issued.private_key_pem().startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    key = load_der_private_key(issued.private_key_der(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-2048"])
def test_every_part_has_a_length_that_the_splitter_understands(
    authority: Authority, now: Instant, kind: KeyKind
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now, kind)
    for der in (authority.der, issued.certificate_der, issued.private_key_der()):
        assert der[1] < 128 or der[1] == 0x82


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-2048"])
def test_key_and_certificate_belong_together(
    authority: Authority, now: Instant, kind: KeyKind
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now, kind)
    key = load_pem_private_key(issued.private_key_pem(), None)
    assert key.public_key() == issued.certificate.public_key()
    assert load_pem_public_key(issued.public_key_pem()) == key.public_key()
    assert x509.load_pem_x509_certificate(issued.certificate_pem) == issued.certificate


def test_two_certificates_of_one_gateway_have_two_keys(authority: Authority, now: Instant) -> None:
    one, other = (issue_gateway_certificate(authority, EUI, now) for _ in range(2))
    assert one.private_key_der() != other.private_key_der()
    assert one.certificate_id != other.certificate_id


def test_an_issued_key_does_not_print(authority: Authority, now: Instant) -> None:
    assert "key" not in repr(issue_gateway_certificate(authority, EUI, now)).lower()


def test_a_server_certificate_is_for_its_names(authority: Authority, now: Instant) -> None:
    names = ["localhost", "127.0.0.1", "::1", "lns.example.com"]
    certificate = issue_server_certificate(authority, names, now).certificate
    called = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert called.get_values_for_type(x509.DNSName) == ["localhost", "127.0.0.1", "lns.example.com"]
    assert called.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]
    assert extended_usage(certificate) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_server_certificate_ends_with_its_root_at_the_latest(
    authority: Authority, now: Instant
) -> None:
    end = authority.certificate.not_valid_after_utc
    late = Instant(end.timestamp() - 86_400)
    assert issue_server_certificate(authority, ["a"], late).certificate.not_valid_after_utc == end
    early = issue_server_certificate(authority, ["a"], now).certificate.not_valid_after_utc
    assert early == moment(now) + timedelta(days=825)


def test_a_long_name_fits_the_common_name(authority: Authority, now: Instant) -> None:
    name = f"{'a' * 63}.{'b' * 63}.example"
    certificate = issue_server_certificate(authority, [name], now).certificate
    called = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert called.get_values_for_type(x509.DNSName) == [name]


def test_server_names_are_all_names_once() -> None:
    names = server_names("Ship", ["lns.example.com", "localhost", "10.0.0.7"], "10.0.0.7")
    assert names == ("localhost", "127.0.0.1", "::1", "lns.example.com", "10.0.0.7", "ship")


@pytest.mark.parametrize("bind", ["0.0.0.0", "::"])
def test_all_addresses_is_not_a_name(bind: str) -> None:
    assert server_names("ship", [], bind) == ("localhost", "127.0.0.1", "::1", "ship")


@pytest.mark.parametrize("host_name", ["", "müller", "two words"])
def test_a_host_name_that_no_certificate_carries_is_left_out(host_name: str) -> None:
    assert server_names(host_name, [], "127.0.0.1") == ("localhost", "127.0.0.1", "::1")


def test_a_users_certificate_names_it_and_says_what_it_is_for(
    authority: Authority, now: Instant
) -> None:
    issued = issue_user_certificate(authority, "lake", now, timedelta(days=30))
    assert issued.certificate.subject.rfc4514_string() == "CN=lake,OU=MQTT"
    assert extended_usage(issued.certificate) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert issued.not_after == pytest.approx(now + 30 * 86_400, abs=1)
    assert authority.has_signed(issued.certificate)


def test_a_users_certificate_ends_with_its_root_at_the_latest(
    authority: Authority, now: Instant
) -> None:
    issued = issue_user_certificate(authority, "lake", now, timedelta(days=365 * 100))
    assert issued.not_after == authority.not_after
