from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bittern.simulator.credentials import BadCredentials, Credentials, check_server_name


def test_absent_and_empty_files_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "tc.uri").write_text("ws://localhost:8887\n")
    (tmp_path / "tc.key").touch()
    assert Credentials.read(tmp_path) == Credentials("ws://localhost:8887")


@pytest.mark.parametrize(
    "uri", ["", "wss://localhost", "wss://localhost:1/path", "http://localhost:1"]
)
def test_uri_must_be_one_that_a_station_takes(tmp_path: Path, uri: str) -> None:
    (tmp_path / "tc.uri").write_text(uri)
    with pytest.raises(BadCredentials, match=r"tc\.uri"):
        Credentials.read(tmp_path)


def test_tls_without_trust_is_refused() -> None:
    with pytest.raises(BadCredentials, match=r"without tc\.trust"):
        Credentials("wss://localhost:1").tls()


def test_der_and_pem_both_work() -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("gateway")
    certificate = issued.cert_chain_pems[0].bytes()
    key_pem = issued.private_key_pem.bytes()
    key = load_pem_private_key(key_pem, None)
    key_der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    trust = authority.cert_pem.bytes()
    for credentials in (
        Credentials("", trust, certificate, key_pem),
        Credentials(
            "",
            ssl.PEM_cert_to_DER_cert(trust.decode()),
            ssl.PEM_cert_to_DER_cert(certificate.decode()),
            key_der,
        ),
    ):
        context = credentials.tls()
        assert context.maximum_version is ssl.TLSVersion.TLSv1_2
        assert context.cert_store_stats()["x509_ca"] == 1


def test_certificate_without_its_key_is_refused() -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("gateway").cert_chain_pems[0].bytes()
    other_key = authority.issue_cert("gateway").private_key_pem.bytes()
    with pytest.raises(BadCredentials, match=r"tc\.crt and tc\.key"):
        Credentials("", authority.cert_pem.bytes(), certificate, other_key).tls()


def test_key_without_certificate_is_a_token() -> None:
    assert Credentials("", b"t", b"", b"Authorization: Bearer abc\r\n").headers() == [
        ("Authorization", "Bearer abc")
    ]
    assert Credentials("", b"t", b"c", b"k").headers() == []


def test_key_does_not_print() -> None:
    assert "secret" not in repr(Credentials("", b"t", b"c", b"secret"))


@pytest.mark.parametrize(
    ("names", "host", "good"),
    [
        ((("DNS", "localhost"),), "LOCALHOST", True),
        ((("DNS", "127.0.0.1"),), "127.0.0.1", True),
        ((("IP Address", "127.0.0.1"),), "127.0.0.1", False),
        ((("DNS", "*.example.org"),), "lns.example.org", True),
        ((("DNS", "*.example.org"),), "a.lns.example.org", False),
    ],
)
def test_names_are_matched_as_mbedtls_does(names, host: str, good: bool) -> None:
    certificate = {"subjectAltName": names, "subject": ((("commonName", host),),)}
    if good:
        check_server_name(certificate, host)
    else:
        with pytest.raises(BadCredentials, match="server certificate is for"):
            check_server_name(certificate, host)


def test_common_name_counts_where_there_are_no_others() -> None:
    check_server_name({"subject": ((("commonName", "127.0.0.1"),),)}, "127.0.0.1")
