from __future__ import annotations

import stat
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bittern.outputs.broker.users import Users
from bittern.pki.fingerprints import certificate_id
from bittern.types import Instant

NOW = Instant(time.time())


@pytest.fixture
def lake(bittern: Any) -> str:
    bittern.done("mqtt", "user", "add", "lake", "--no-password")
    return "lake"


def users(bittern: Any) -> Users:
    return Users.open(bittern.data_dir / "mqtt.password", bittern.data_dir / "mqtt.users")


def issued_into(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "lake.crt").read_bytes())


def fingerprint_of(certificate: x509.Certificate) -> str:
    return certificate_id(certificate.public_bytes(Encoding.DER))


def test_certificate_is_written_for_its_owner_and_recorded(
    bittern: Any, lake: str, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    done = bittern.done("mqtt", "certificate", lake, "--files", folder, "--days", "30")
    assert "mqtt.tls_port is not set" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "lake.crt", "lake.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    certificate = issued_into(folder)
    key = load_pem_private_key((folder / "lake.key").read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    root = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    certificate.verify_directly_issued_by(root)
    left = certificate.not_valid_after_utc.timestamp() - time.time()
    assert left == pytest.approx(timedelta(days=30).total_seconds(), abs=60)
    assert users(bittern).holder(fingerprint_of(certificate), NOW) == lake


def test_second_certificate_leaves_the_first_and_its_files_alone(
    bittern: Any, lake: str, tmp_path: Path
) -> None:
    bittern.done("mqtt", "certificate", lake, "--files", tmp_path / "a")
    again = bittern("mqtt", "certificate", lake, "--files", tmp_path / "a")
    assert (again.exit_code, "somebody's key" in again.stderr) == (1, True)
    bittern.done("mqtt", "certificate", lake, "--files", tmp_path / "b")
    known = users(bittern)
    holders = {known.holder(fingerprint_of(issued_into(tmp_path / n)), NOW) for n in "ab"}
    assert holders == {lake}


def test_certificate_for_nobody_writes_nothing(bittern: Any, tmp_path: Path) -> None:
    done = bittern("mqtt", "certificate", "nobody", "--files", tmp_path / "files")
    assert (done.exit_code, done.stderr) == (1, "bittern: no MQTT user nobody\n")
    assert not (tmp_path / "files").exists()


def test_revoked_certificate_logs_nobody_in(bittern: Any, lake: str, tmp_path: Path) -> None:
    bittern.done("mqtt", "certificate", lake, "--files", tmp_path / "a")
    (listed,) = bittern.done("mqtt", "user", "list", "--json").json[1]["certificates"]
    fingerprint = listed["fingerprint"]
    assert fingerprint == fingerprint_of(issued_into(tmp_path / "a"))
    bittern.done("mqtt", "revoke", lake, fingerprint[:8].upper())
    assert users(bittern).holder(fingerprint, NOW) is None
    again = bittern("mqtt", "revoke", lake, fingerprint)
    assert (again.exit_code, "no certificate" in again.stderr) == (1, True)


def test_short_fingerprint_is_wrong_usage(bittern: Any, lake: str) -> None:
    assert bittern("mqtt", "revoke", lake, "abc").exit_code == 2
