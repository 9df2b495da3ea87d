"""What a TLS listener can tell of the other end."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from bittern.pki.authority import open_authority
from bittern.pki.fingerprints import certificate_id
from bittern.pki.identity import server_identity
from bittern.pki.issuing import issue_gateway_certificate
from bittern.pki.tls import gateway_listener
from bittern.servers.tls import explained, peer_address, peer_fingerprint
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

NOW = Instant(1_763_690_000.0)
GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ...]:
    """A handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
    )
    for _ in range(4):
        for end in (ends[1], ends[0]):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends


@pytest.fixture
def server(tmp_path: Path) -> ssl.SSLContext:
    authority = open_authority(tmp_path / "server", NOW)
    identity = server_identity(tmp_path / "server", authority, ["localhost"], NOW)
    return gateway_listener(identity, authority.pem)


def client(tmp_path: Path, issuer: str | None, trusted: str = "server") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as Basics Station
    pem = open_authority(tmp_path / trusted, NOW).pem
    context.load_verify_locations(cadata=pem.decode())
    if issuer is not None:
        issued = issue_gateway_certificate(open_authority(tmp_path / issuer, NOW), GATEWAY, NOW)
        file = tmp_path / "client.pem"
        file.write_bytes(issued.certificate_pem + issued.private_key_pem())
        context.load_cert_chain(file)
    return context


class FakeTransport(asyncio.BaseTransport):
    """Only what it is asked for."""

    def __init__(self, **extra: object) -> None:
        super().__init__(extra)


def test_who_is_at_the_other_end_is_known(server: ssl.SSLContext, tmp_path: Path) -> None:
    end, _ = shake_hands(server, client(tmp_path, "server"))
    der = end.getpeercert(binary_form=True)
    assert der is not None
    assert peer_fingerprint(FakeTransport(ssl_object=end)) == certificate_id(der)


def test_a_certificate_of_another_authority_is_explained(
    server: ssl.SSLContext, tmp_path: Path
) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(server, client(tmp_path, "elsewhere"))
    refusal, reason = explained(caught.value)
    assert refusal is Refusal.CERTIFICATE_UNKNOWN
    assert reason.startswith("certificate is not of this server's authority: ")


def test_a_missing_certificate_is_explained(server: ssl.SSLContext, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(server, client(tmp_path, None))
    assert explained(caught.value) == (Refusal.CERTIFICATE_MISSING, "no certificate shown")


def test_a_gateway_that_does_not_trust_us_is_no_refusal_of_ours() -> None:
    error = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca")
    error.reason = "TLSV1_ALERT_UNKNOWN_CA"
    assert explained(error) == (None, "TLS refused by the other end: tlsv1 alert unknown ca")


def test_a_port_scanner_is_explained() -> None:
    error = ssl.SSLError(1, "[SSL: HTTP_REQUEST] http request")
    error.reason = "HTTP_REQUEST"
    assert explained(error) == (None, "TLS failed: http request")


def test_without_tls_there_is_no_fingerprint() -> None:
    assert peer_fingerprint(FakeTransport()) is None


@pytest.mark.parametrize(
    ("peername", "text"),
    [
        (("192.0.2.7", 51234), "192.0.2.7:51234"),
        (("2001:db8::7", 51234, 0, 0), "[2001:db8::7]:51234"),
        (None, ""),
        ("", ""),
    ],
)
def test_the_other_ends_address_is_readable(peername: object, text: str) -> None:
    assert peer_address(FakeTransport(peername=peername)) == text


def test_an_error_that_openssl_did_not_raise_is_told_in_its_own_words() -> None:
    assert explained(ssl.SSLError("no session")) == (None, "TLS failed: no session")
