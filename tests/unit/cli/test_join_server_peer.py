from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bittern.pki.fingerprints import certificate_id
from bittern.store.join_registry import JoinRegistry
from bittern.types import KeyEncryptionKey


def stored(bittern):
    return bittern.stored(lambda store: JoinRegistry(store).peers())


def test_a_network_gets_files_and_is_known_by_them(bittern, tmp_path: Path) -> None:
    out = tmp_path / "net" / "join-server"
    printed = bittern.done("join-server", "network", "add", "000013", "--out", out).stdout.strip()
    (peer,) = stored(bittern)
    assert (peer.kind, peer.identity, peer.fingerprint) == ("network", "000013", printed)
    certificate = x509.load_pem_x509_certificate((out / "client.crt").read_bytes())
    assert certificate_id(certificate.public_bytes(Encoding.DER)) == printed
    assert certificate.subject.rfc4514_string() == "CN=000013,OU=Join server"
    label, digits = (out / "kek").read_text().split()
    assert (label, KeyEncryptionKey.from_hex(digits)) == (peer.kek_label, peer.kek)
    authority = x509.load_pem_x509_certificate((out / "ca.crt").read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


def test_files_that_are_there_are_not_overwritten(bittern, tmp_path: Path) -> None:
    bittern.done("join-server", "network", "add", "000013", "--out", tmp_path / "out")
    refused = bittern("join-server", "network", "add", "000013", "--out", tmp_path / "out")
    assert (refused.exit_code, "exists already" in refused.stderr) == (1, True)
    assert len(stored(bittern)) == 1


def test_a_network_may_do_without_a_key_encryption_key(bittern, tmp_path: Path) -> None:
    bittern.done("join-server", "network", "add", "000013", "--out", tmp_path / "o", "--no-kek")
    (peer,) = stored(bittern)
    assert (peer.kek, peer.kek_label) == (None, "")
    assert not (tmp_path / "o" / "kek").exists()


def test_application_servers_are_beside_networks(bittern, tmp_path: Path) -> None:
    bittern.done("join-server", "application", "add", "meters", "--out", tmp_path / "app")
    bittern.done("join-server", "network", "add", "000013", "--out", tmp_path / "net")
    (application,) = bittern.done("join-server", "application", "list", "--json").json
    (network,) = bittern.done("join-server", "network", "list", "--json").json
    assert (application["identity"], network["identity"]) == ("meters", "000013")
    assert "meters" in bittern.done("join-server", "application", "list").stdout
    for kind, one in (("application", application), ("network", network)):
        bittern.done("join-server", kind, "remove", one["fingerprint"])
        assert f"no {kind} servers" in bittern.done("join-server", kind, "list").stderr
        assert bittern("join-server", kind, "remove", one["fingerprint"]).exit_code == 1
