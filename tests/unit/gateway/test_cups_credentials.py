"""Credentials come apart on the station as they were put together here."""

from __future__ import annotations

from datetime import UTC, datetime
from zlib import crc32

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from bittern.gateway.cups_credentials import EMPTY_CRC, Credentials, crc, segment, split

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
TOKEN = b"Authorization: Bearer abc\r\n"


def key_der(key: Key, form: serialization.PrivateFormat = TRADITIONAL) -> bytes:
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def certificate(key: Key, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
TRUST = der(certificate(EC, "root"))
CERTIFICATE = der(certificate(EC, "0016c001ff000001"))
KEY = key_der(EC)


def test_nothing_has_the_crc_that_a_genuine_station_reports() -> None:
    assert crc() == crc(b"", b"", b"") == EMPTY_CRC == 2077607535 == crc32(bytes(12))


def test_the_crc_of_a_segment_is_what_a_station_reports_of_it() -> None:
    for parts in [(TRUST,), (TRUST, CERTIFICATE, KEY), (TRUST, b"", TOKEN)]:
        made = segment(*parts)
        assert crc32(made) == crc(*parts) == crc(*split(made))


def test_pem_counts_as_it_is_stored() -> None:
    pem = certificate(EC, "root").public_bytes(serialization.Encoding.PEM)
    assert crc(pem, pem, b"key") == crc32(pem + pem + b"key") != crc(TRUST, TRUST, b"key")


@pytest.mark.parametrize("key", [EC, RSA], ids=["ec-p256", "rsa-2048"])
def test_mutual_credentials_come_apart_as_they_were(key: Key) -> None:
    parts = Credentials(TRUST, der(certificate(key, "0016c001ff000001")), key_der(key))
    assert split(segment(*parts)) == parts


def test_rsa_in_pkcs8_is_long_enough_to_be_understood() -> None:
    parts = Credentials(TRUST, der(certificate(RSA, "g")), key_der(RSA, PKCS8))
    assert split(segment(*parts)) == parts


def test_absent_parts_are_four_zero_bytes_each() -> None:
    assert segment(TRUST) == TRUST + bytes(8)
    assert split(segment(TRUST)) == Credentials(TRUST, b"", b"")


def test_a_token_goes_without_a_certificate() -> None:
    assert segment(TRUST, b"", TOKEN) == TRUST + bytes(4) + TOKEN
    assert split(segment(TRUST, b"", TOKEN)) == Credentials(TRUST, b"", TOKEN)


def test_keys_have_the_sizes_that_decide() -> None:
    assert len(KEY) == 121
    assert len(key_der(EC, PKCS8)) == 138


PEM_TRUST = certificate(EC, "root").public_bytes(serialization.Encoding.PEM)
P384 = key_der(ec.generate_private_key(ec.SECP384R1()))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((b"",), "trust is missing"),
        ((PEM_TRUST, CERTIFICATE, KEY), "trust is PEM"),
        ((TRUST, PEM_TRUST, KEY), "certificate is PEM"),
        ((TRUST, CERTIFICATE, b"\n-----BEGIN EC PRIVATE KEY-----"), "key is PEM"),
        ((TRUST + TRUST, CERTIFICATE, KEY), "too many: there is room for one"),
        ((TRUST, CERTIFICATE + TRUST, KEY), "too many: there is room for one"),
        ((TRUST[:-1], CERTIFICATE, KEY), "trust is cut short"),
        ((b"\x31" + TRUST[1:], CERTIFICATE, KEY), "trust is no DER sequence"),
        ((TRUST, CERTIFICATE, key_der(EC, PKCS8)), "key has 128 to 255 bytes.*SEC1"),
        ((TRUST, CERTIFICATE, P384), "key has 128 to 255 bytes"),
        ((b"\x30\x81\x80" + bytes(128), CERTIFICATE, KEY), "trust has 128 to 255 bytes"),
        ((b"\x30\x83\x01\x00\x00" + bytes(65536),), "longer than a station understands"),
        ((b"\x30\x80\x00\x00",), "longer than a station understands"),
        ((b"\x30",), "cut short"),
        ((b"\x30\x82",), "cut short"),
        ((TRUST, CERTIFICATE), "key is missing"),
        ((TRUST, CERTIFICATE, TOKEN), "key is no DER"),
        ((TRUST, b"", KEY), "needs its certificate"),
        ((TRUST, b"", b"Authorization"), "header fields"),
        ((TRUST, b"", b"A: b\r\n\r\nGET / HTTP/1.1"), "header fields"),
        ((TRUST, b"", "A: ü".encode()), "header fields"),
        ((b"\x30\x82\xff\xff" + bytes(65535),), "at most 65535 bytes"),
    ],
)
def test_what_a_station_would_refuse_or_misread_is_not_made(
    parts: tuple[bytes, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        segment(*parts)


def test_the_pitfalls_are_those_of_the_splitter() -> None:
    """Put together without our checks, they come apart wrongly or not at all."""
    assert split(TRUST + TRUST + CERTIFICATE + KEY).certificate == TRUST
    with pytest.raises(ValueError, match="end within the key"):
        split(TRUST + CERTIFICATE + key_der(EC, PKCS8))
    with pytest.raises(ValueError, match="no DER sequence where the trust"):
        split(PEM_TRUST + CERTIFICATE + KEY)


@pytest.mark.parametrize(
    ("whole", "reason"),
    [
        (b"", "trust should begin"),
        (TRUST, "certificate should begin"),
        (TRUST + bytes(3), "before the key"),
        (TRUST + b"\x01", "certificate should begin"),
        (TRUST[:-1], "within the trust"),
        (TRUST + CERTIFICATE[:-1], "within the certificate"),
        (TRUST + CERTIFICATE + KEY[:-1], "within the key"),
    ],
)
def test_a_broken_segment_does_not_come_apart(whole: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        split(whole)


def test_bytes_behind_the_key_go_unnoticed() -> None:
    assert split(TRUST + CERTIFICATE + KEY + b"more").key == KEY
    assert split(TRUST + CERTIFICATE) == Credentials(TRUST, CERTIFICATE, b"")


def test_credentials_do_not_print_the_key() -> None:
    assert repr(Credentials(TRUST, CERTIFICATE, b"secret")).endswith("key=6 bytes)")


pieces = st.sampled_from([TRUST, CERTIFICATE, KEY, bytes(4), TOKEN, b"\x30\x82", b"\x30\x81"])


@given(st.lists(st.binary(max_size=8) | pieces, max_size=6).map(b"".join))
def test_whatever_arrives_comes_apart_or_is_refused(whole: bytes) -> None:
    try:
        parts = split(whole)
    except ValueError:
        return
    assert parts.trust and sum(map(len, parts)) <= len(whole)
    assert all(part in whole for part in parts)


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_what_is_made_always_comes_apart(trust: bytes, made: bytes, key: bytes) -> None:
    try:
        whole = segment(trust, made, key)
    except ValueError:
        return
    assert split(whole) == (trust, made, key)
    assert crc32(whole) == crc(trust, made, key)


sequences = st.binary(max_size=127).map(lambda content: bytes([0x30, len(content)]) + content)


@given(sequences, sequences, sequences)
def test_short_structures_come_apart_too(trust: bytes, made: bytes, key: bytes) -> None:
    assert split(segment(trust, made, key)) == (trust, made, key)
