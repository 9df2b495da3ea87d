"""Listeners that follow what happens to the authorities."""

from __future__ import annotations

import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bittern.pki import rotation
from bittern.pki.authority import Authority, open_authority
from bittern.pki.identity import server_identity
from bittern.pki.issuing import Issued, issue_gateway_certificate, issue_user_certificate
from bittern.servers.transport import Identity, Transport
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(time.time())


@pytest.fixture
def transport(tmp_path: Path) -> Transport:
    def opened() -> Identity:
        authorities = rotation.open_authorities(tmp_path, NOW)
        names, signer, chain = ["localhost"], authorities.presenting, authorities.chain
        return Identity(authorities, server_identity(tmp_path, signer, names, NOW, chain))

    return Transport(opened, lambda: rotation.state_changed_at(tmp_path))


def server_seen_by(
    folder: Path, listener: ssl.SSLContext, trusted: Authority, issued: Issued
) -> bytes | None:
    """DER of the server's certificate, where both ends agree; None where they do not."""
    (folder / "client.pem").write_bytes(issued.private_key_pem() + issued.certificate_pem)
    context = ssl.create_default_context(cadata=trusted.pem.decode())
    context.load_cert_chain(folder / "client.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = listener.wrap_bio(up, down, server_side=True)
    client = context.wrap_bio(down, up, server_hostname="localhost")
    for _ in range(5):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return None
    return client.getpeercert(binary_form=True)


def test_nothing_happens_while_nobody_takes_a_step(transport: Transport) -> None:
    assert not transport.follow_rotation()
    assert transport.authorities.stage == "settled"


def test_a_step_takes_effect_in_the_listeners_that_run(
    tmp_path: Path, transport: Transport
) -> None:
    listener = transport.listener()
    old = transport.authorities.current
    rotation.introduce(tmp_path, NOW)
    assert transport.follow_rotation()
    new = transport.authorities.issuing
    moved = issue_gateway_certificate(new, EUI, NOW)
    first = server_seen_by(tmp_path, listener, new, moved)
    assert first is not None
    assert server_seen_by(tmp_path, listener, old, issue_gateway_certificate(old, EUI, NOW))
    rotation.present(tmp_path, NOW)
    assert transport.follow_rotation()
    assert server_seen_by(tmp_path, listener, new, moved) not in (None, first)


def test_a_listener_of_clients_without_certificates_follows_too(
    tmp_path: Path, transport: Transport
) -> None:
    listener = transport.plain_listener()
    assert listener.verify_mode is ssl.CERT_NONE
    authority = transport.authorities.current
    shown = issue_gateway_certificate(authority, EUI, NOW)
    first = server_seen_by(tmp_path, listener, authority, shown)
    rotation.introduce(tmp_path, NOW)
    rotation.present(tmp_path, NOW)
    assert transport.follow_rotation()
    new = transport.authorities.issuing
    assert server_seen_by(tmp_path, listener, new, shown) not in (None, first)


def test_a_foreign_certificate_gets_past_every_listener(
    tmp_path: Path, transport: Transport
) -> None:
    outside = open_authority(tmp_path / "outside", NOW)
    issued = issue_gateway_certificate(outside, EUI, NOW)
    ours = transport.authorities.current
    earlier = transport.listener()
    assert server_seen_by(tmp_path, earlier, ours, issued) is None
    transport.trust_certificates([(issued.certificate_id, issued.certificate_pem.decode())])
    for listener in (earlier, transport.listener()):
        assert server_seen_by(tmp_path, listener, ours, issued)


def test_a_listener_of_programs_follows_too_and_takes_no_foreign_certificate(
    tmp_path: Path, transport: Transport
) -> None:
    listener = transport.client_listener()
    old = transport.authorities.current
    outside = open_authority(tmp_path / "outside", NOW)
    foreign = issue_gateway_certificate(outside, EUI, NOW)
    transport.trust_certificates([(foreign.certificate_id, foreign.certificate_pem.decode())])
    assert server_seen_by(tmp_path, listener, old, foreign) is None
    rotation.introduce(tmp_path, NOW)
    assert transport.follow_rotation()
    new = transport.authorities.issuing
    issued = issue_user_certificate(new, "lake", NOW, timedelta(days=1))
    assert server_seen_by(tmp_path, listener, new, issued) is not None
