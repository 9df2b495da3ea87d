"""Real handshakes between two ends in memory: no socket, no clock but OpenSSL's own."""

from __future__ import annotations

import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bittern.pki import tls
from bittern.pki.authority import Authority, open_authority
from bittern.pki.fingerprints import certificate_id
from bittern.pki.identity import server_identity
from bittern.pki.issuing import (
    Issued,
    KeyKind,
    issue_gateway_certificate,
    issue_user_certificate,
    server_names,
)
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NAMES = server_names("ship", ["lns.example.com"], "127.0.0.1")
STATION_CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.fixture(scope="module")
def now() -> Instant:
    """OpenSSL compares validity with the real clock."""
    return Instant(time.time())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory, now: Instant) -> Authority:
    return open_authority(tmp_path_factory.mktemp("tls"), now)


@pytest.fixture
def identity(tmp_path: Path, authority: Authority, now: Instant) -> Path:
    return server_identity(tmp_path, authority, NAMES, now)


@pytest.fixture
def listener(identity: Path, authority: Authority) -> ssl.SSLContext:
    return tls.gateway_listener(identity, authority.pem)


def gateway(tmp_path: Path, trusted: Authority, issued: Issued | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trusted.pem.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if issued is not None:
        path = tmp_path / "tc.pem"
        path.write_bytes(issued.private_key_pem() + issued.certificate_pem)
        context.load_cert_chain(path)
    return context


class Pair:
    """A server and a client joined by two buffers."""

    def __init__(
        self,
        server: ssl.SSLContext,
        client: ssl.SSLContext,
        name: str = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> None:
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(up, down, server_side=True)
        self.client = client.wrap_bio(down, up, server_hostname=name, session=session)

    def shake_hands(self) -> Pair:
        """Raises what the end that refuses raises."""
        waiting = [self.client, self.server]
        for _ in range(10):
            for end in list(waiting):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                waiting.remove(end)
            if not waiting:
                return self
        raise AssertionError("the handshake does not end")


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-2048"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_gateway_of_ours_is_let_in_and_known(
    tmp_path: Path,
    authority: Authority,
    listener: ssl.SSLContext,
    now: Instant,
    version: ssl.TLSVersion,
    kind: KeyKind,
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now, kind)
    client = gateway(tmp_path, authority, issued)
    client.minimum_version = client.maximum_version = version
    pair = Pair(listener, client).shake_hands()
    der = pair.server.getpeercert(binary_form=True)
    assert der is not None
    assert certificate_id(der) == issued.certificate_id
    assert pair.server.version() == version.name.replace("_", ".")


@pytest.mark.parametrize("cipher", STATION_CIPHERS.split(":"))
def test_a_station_with_tls_12_alone_is_let_in(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant, cipher: str
) -> None:
    client = gateway(tmp_path, authority, issue_gateway_certificate(authority, EUI, now))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    used = Pair(listener, client).shake_hands().server.cipher()
    assert used is not None
    assert used[0] == cipher


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "ship", "lns.example.com"])
def test_the_server_answers_to_each_of_its_names(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant, name: str
) -> None:
    client = gateway(tmp_path, authority, issue_gateway_certificate(authority, EUI, now))
    Pair(listener, client, name).shake_hands()


def test_the_server_answers_to_no_other_name(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    client = gateway(tmp_path, authority, issue_gateway_certificate(authority, EUI, now))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        Pair(listener, client, "elsewhere.example.com").shake_hands()


def test_a_client_without_a_certificate_does_not_get_in(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext
) -> None:
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        Pair(listener, gateway(tmp_path, authority, None)).shake_hands()


def test_a_certificate_of_another_authority_does_not_get_in(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    stranger = open_authority(tmp_path / "stranger", now)
    client = gateway(tmp_path, authority, issue_gateway_certificate(stranger, EUI, now))
    with pytest.raises(ssl.SSLCertVerificationError):
        Pair(listener, client).shake_hands()


def test_the_servers_own_certificate_is_no_gateways(
    authority: Authority, listener: ssl.SSLContext, identity: Path
) -> None:
    client = ssl.create_default_context(cadata=authority.pem.decode())
    client.load_cert_chain(identity)
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        Pair(listener, client).shake_hands()


def test_a_gateway_refuses_a_server_that_it_does_not_trust(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    stranger = open_authority(tmp_path / "stranger", now)
    client = gateway(tmp_path, stranger, issue_gateway_certificate(authority, EUI, now))
    with pytest.raises(ssl.SSLCertVerificationError):
        Pair(listener, client).shake_hands()


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"])
def test_a_weaker_cipher_is_not_spoken(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant, cipher: str
) -> None:
    client = gateway(tmp_path, authority, issue_gateway_certificate(authority, EUI, now))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    with pytest.raises(ssl.SSLError, match=r"(?i)no.shared.cipher"):
        Pair(listener, client).shake_hands()


def test_a_renewed_certificate_is_shown_from_the_next_handshake_on(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, identity: Path, now: Instant
) -> None:
    client = gateway(tmp_path, authority, issue_gateway_certificate(authority, EUI, now))
    first = Pair(listener, client).shake_hands().client.getpeercert(binary_form=True)
    server_identity(identity.parent, authority, [*NAMES, "new.example.com"], now)
    assert Pair(listener, client).shake_hands().client.getpeercert(binary_form=True) == first
    tls.present(listener, identity)
    Pair(listener, client, "new.example.com").shake_hands()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_shows_the_certificate_again(
    tmp_path: Path,
    authority: Authority,
    listener: ssl.SSLContext,
    now: Instant,
    version: ssl.TLSVersion,
) -> None:
    issued = issue_gateway_certificate(authority, EUI, now)
    client = gateway(tmp_path, authority, issued)
    client.minimum_version = client.maximum_version = version
    first = Pair(listener, client).shake_hands()
    first.server.write(b"a ticket comes before the first byte in TLS 1.3")
    first.client.read()
    again = Pair(listener, client, session=first.client.session).shake_hands()
    assert again.server.session_reused
    der = again.server.getpeercert(binary_form=True)
    assert der is not None
    assert certificate_id(der) == issued.certificate_id


def test_an_expired_certificate_passes_the_handshake_and_is_refused_by_name_later(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    long_ago = Instant(now - 30 * 86_400)
    issued = issue_gateway_certificate(authority, EUI, long_ago, lifetime=timedelta(days=1))
    Pair(listener, gateway(tmp_path, authority, issued)).shake_hands()


def test_an_authority_may_join_while_the_listener_runs(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    other = open_authority(tmp_path / "other", now)
    client = gateway(tmp_path, authority, issue_gateway_certificate(other, EUI, now))
    with pytest.raises(ssl.SSLCertVerificationError):
        Pair(listener, client).shake_hands()
    tls.trust(listener, other.pem)
    Pair(listener, client).shake_hands()


def test_a_certificate_may_be_trusted_by_itself(
    tmp_path: Path, authority: Authority, listener: ssl.SSLContext, now: Instant
) -> None:
    """Its authority is somebody else's, and no other certificate of that authority gets in."""
    outside = open_authority(tmp_path / "outside", now)
    one, other = (issue_gateway_certificate(outside, EUI, now) for _ in range(2))
    tls.trust(listener, one.certificate_pem)
    Pair(listener, gateway(tmp_path, authority, one)).shake_hands()
    with pytest.raises(ssl.SSLCertVerificationError):
        Pair(listener, gateway(tmp_path, authority, other)).shake_hands()


def test_a_program_may_come_without_a_certificate_or_with_one_of_ours(
    tmp_path: Path, authority: Authority, identity: Path, now: Instant
) -> None:
    listener = tls.client_listener(identity, authority.pem)
    bare = Pair(listener, gateway(tmp_path, authority, None)).shake_hands()
    assert bare.server.getpeercert(binary_form=True) is None
    issued = issue_user_certificate(authority, "lake", now, timedelta(days=1))
    pair = Pair(listener, gateway(tmp_path, authority, issued)).shake_hands()
    assert pair.server.getpeercert(binary_form=True) == issued.certificate_der


def test_a_program_with_an_expired_or_foreign_certificate_does_not_get_in(
    tmp_path: Path, authority: Authority, identity: Path, now: Instant
) -> None:
    listener = tls.client_listener(identity, authority.pem)
    long_ago = Instant(now - 5 * 86_400)
    expired = issue_user_certificate(authority, "lake", long_ago, timedelta(days=1))
    stranger = open_authority(tmp_path / "stranger", now)
    foreign = issue_user_certificate(stranger, "lake", now, timedelta(days=1))
    for issued in (expired, foreign):
        with pytest.raises(ssl.SSLCertVerificationError):
            Pair(listener, gateway(tmp_path, authority, issued)).shake_hands()


def test_a_plain_listener_asks_for_no_certificate(identity: Path, authority: Authority) -> None:
    listener = tls.plain_listener(identity)
    assert listener.verify_mode is ssl.CERT_NONE
    assert listener.minimum_version is ssl.TLSVersion.TLSv1_2
    assert listener.get_ca_certs() == []
