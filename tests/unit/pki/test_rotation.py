"""One authority gives way to the next, and at no step is a gateway locked out that has moved."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from bittern.errors import AuthorityUnusable, Conflict
from bittern.pki.authority import Authority
from bittern.pki.identity import server_identity
from bittern.pki.issuing import issue_gateway_certificate
from bittern.pki.rotation import (
    Authorities,
    introduce,
    open_authorities,
    present,
    retire,
    state_changed_at,
)
from bittern.pki.tls import gateway_listener
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(time.time())
"""OpenSSL compares validity with the real clock."""


def gets_in(folder: Path, authorities: Authorities, trusted: Authority, signer: Authority) -> bool:
    """A station that trusts one authority, with a certificate of another."""
    identity = server_identity(
        folder, authorities.presenting, ["localhost"], NOW, authorities.chain
    )
    listener = gateway_listener(identity, authorities.trusted_pem)
    issued = issue_gateway_certificate(signer, EUI, NOW)
    (folder / "tc.pem").write_bytes(issued.private_key_pem() + issued.certificate_pem)
    client = ssl.create_default_context(cadata=trusted.pem.decode())
    client.load_cert_chain(folder / "tc.pem")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = listener.wrap_bio(up, down, server_side=True)
    station = client.wrap_bio(down, up, server_hostname="localhost")
    return shaken((station, server))


def shaken(ends: Iterable[ssl.SSLObject]) -> bool:
    for _ in range(5):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return all(end.version() and end.cipher() for end in ends)


def test_the_first_authority_is_settled(tmp_path: Path) -> None:
    authorities = open_authorities(tmp_path, NOW)
    assert authorities.stage == "settled"
    assert authorities.issuing is authorities.presenting is authorities.current
    assert not authorities.chain
    assert authorities.trusts(authorities.current.fingerprint)
    assert not authorities.trusts("0" * 64)


def test_every_gateway_gets_in_while_the_next_authority_is_introduced(tmp_path: Path) -> None:
    old = open_authorities(tmp_path, NOW).current
    authorities = introduce(tmp_path, NOW)
    new = authorities.issuing
    assert new.fingerprint != old.fingerprint
    assert gets_in(tmp_path, authorities, trusted=old, signer=old)
    assert gets_in(tmp_path, authorities, trusted=new, signer=new)
    assert gets_in(tmp_path, authorities, trusted=old, signer=new)


def test_who_has_moved_gets_in_when_the_next_authority_is_presented(tmp_path: Path) -> None:
    old = open_authorities(tmp_path, NOW).current
    introduce(tmp_path, NOW)
    authorities = present(tmp_path, NOW)
    assert gets_in(tmp_path, authorities, trusted=authorities.issuing, signer=authorities.issuing)
    assert gets_in(tmp_path, authorities, trusted=authorities.issuing, signer=old)
    assert not gets_in(tmp_path, authorities, trusted=old, signer=old)


def test_the_old_authority_counts_no_longer_when_it_is_retired(tmp_path: Path) -> None:
    old = open_authorities(tmp_path, NOW).current
    introduce(tmp_path, NOW)
    present(tmp_path, NOW)
    authorities = retire(tmp_path, NOW)
    assert authorities.stage == "settled"
    assert not authorities.trusts(old.fingerprint)
    assert gets_in(tmp_path, authorities, trusted=authorities.current, signer=authorities.current)
    assert not gets_in(tmp_path, authorities, trusted=authorities.current, signer=old)
    assert not (tmp_path / "ca.key").exists()
    assert (tmp_path / "ca.crt").exists()


def test_it_may_be_done_again(tmp_path: Path) -> None:
    for _ in range(2):
        before = open_authorities(tmp_path, NOW).current
        introduce(tmp_path, NOW)
        present(tmp_path, NOW)
        assert retire(tmp_path, NOW).current.fingerprint != before.fingerprint
    assert (tmp_path / "ca-3.key").exists()


def test_what_was_begun_is_found_at_the_next_start(tmp_path: Path) -> None:
    open_authorities(tmp_path, NOW)
    begun = introduce(tmp_path, NOW)
    found = open_authorities(tmp_path, NOW)
    assert found.stage == "introduced"
    assert found.issuing.fingerprint == begun.issuing.fingerprint
    assert found.chain == begun.chain


@pytest.mark.parametrize("step", [present, retire])
def test_no_step_is_taken_out_of_turn(tmp_path: Path, step: object) -> None:
    open_authorities(tmp_path, NOW)
    with pytest.raises(Conflict, match="settled"):
        step(tmp_path, NOW)  # type: ignore[operator]


def test_one_rotation_at_a_time(tmp_path: Path) -> None:
    open_authorities(tmp_path, NOW)
    introduce(tmp_path, NOW)
    with pytest.raises(Conflict, match="under way"):
        introduce(tmp_path, NOW)


def test_the_time_of_the_last_step_tells_that_there_was_one(tmp_path: Path) -> None:
    open_authorities(tmp_path, NOW)
    assert state_changed_at(tmp_path) == 0
    introduce(tmp_path, NOW)
    assert state_changed_at(tmp_path) > 0


@pytest.mark.parametrize("broken", ["authorities.json", "ca-2-bridge.crt"])
def test_a_broken_file_is_named(tmp_path: Path, broken: str) -> None:
    open_authorities(tmp_path, NOW)
    introduce(tmp_path, NOW)
    (tmp_path / broken).write_bytes(b"garbage")
    with pytest.raises(AuthorityUnusable, match=broken):
        open_authorities(tmp_path, NOW)
