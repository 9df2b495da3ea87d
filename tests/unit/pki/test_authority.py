from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bittern.errors import AuthorityUnusable, KeyFileExposed
from bittern.pki.authority import Authority, moment, open_authority, private_key_pem
from bittern.pki.issuing import issue_server_certificate
from bittern.types import Instant


def test_first_start_makes_an_authority_and_the_next_finds_it(tmp_path: Path, now: Instant) -> None:
    made = open_authority(tmp_path / "pki", now)
    found = open_authority(tmp_path / "pki", Instant(now + 86_400))
    assert found.certificate == made.certificate


def test_two_installations_have_two_names(tmp_path: Path, now: Instant) -> None:
    one = open_authority(tmp_path / "one", now)
    other = open_authority(tmp_path / "other", now)
    assert one.certificate.subject != other.certificate.subject


def test_its_key_is_an_ec_key_that_only_its_owner_may_read(tmp_path: Path, now: Instant) -> None:
    open_authority(tmp_path, now)
    path = tmp_path / "ca.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_its_key_does_not_print(authority: Authority) -> None:
    assert "key" not in repr(authority).lower()


def test_root_is_for_signing_end_entities_only(authority: Authority) -> None:
    root = authority.certificate
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=1)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature


def test_root_signs_itself_and_names_its_key(authority: Authority) -> None:
    root = authority.certificate
    assert authority.has_signed(root)
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer = root.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer.key_identifier == own.digest


def test_root_is_valid_for_clocks_that_are_behind(authority: Authority, now: Instant) -> None:
    assert authority.certificate.not_valid_before_utc == moment(now) - timedelta(days=7)
    assert authority.certificate.not_valid_after_utc > moment(now) + timedelta(days=29 * 365)


def test_what_another_signed_is_not_ours(
    tmp_path: Path, authority: Authority, now: Instant
) -> None:
    other = open_authority(tmp_path, now)
    ours = issue_server_certificate(authority, ["a"], now).certificate
    theirs = issue_server_certificate(other, ["a"], now).certificate
    assert authority.has_signed(ours)
    assert not authority.has_signed(theirs)


def test_pem_and_der_are_the_same_certificate(authority: Authority) -> None:
    assert x509.load_pem_x509_certificate(authority.pem) == authority.certificate
    assert x509.load_der_x509_certificate(authority.der) == authority.certificate


def test_a_start_cut_short_is_finished_by_the_next(tmp_path: Path, now: Instant) -> None:
    made = open_authority(tmp_path, now)
    (tmp_path / "ca.crt").unlink()
    found = open_authority(tmp_path, now)
    assert found.certificate.public_key() == made.certificate.public_key()


def test_a_lost_key_stops_the_start_and_nothing_is_replaced(tmp_path: Path, now: Instant) -> None:
    made = open_authority(tmp_path, now)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(AuthorityUnusable, match=r"ca\.key: missing"):
        open_authority(tmp_path, now)
    assert (tmp_path / "ca.crt").read_bytes() == made.pem


def test_a_key_of_another_certificate_stops_the_start(tmp_path: Path, now: Instant) -> None:
    open_authority(tmp_path / "one", now)
    open_authority(tmp_path / "other", now)
    (tmp_path / "one/ca.key").replace(tmp_path / "other/ca.key")
    with pytest.raises(AuthorityUnusable, match=r"not the certificate of ca\.key"):
        open_authority(tmp_path / "other", now)


@pytest.mark.parametrize("name", ["ca.key", "ca.crt"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nxx\n", b"\xff\xfe"])
def test_a_broken_file_stops_the_start(
    tmp_path: Path, now: Instant, name: str, content: bytes
) -> None:
    open_authority(tmp_path, now)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AuthorityUnusable, match=f"{name}: not what bittern wrote there"):
        open_authority(tmp_path, now)


def test_a_key_of_another_kind_stops_the_start(tmp_path: Path, now: Instant) -> None:
    open_authority(tmp_path, now)
    (tmp_path / "ca.key").write_bytes(private_key_pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(AuthorityUnusable):
        open_authority(tmp_path, now)


def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path, now: Instant) -> None:
    open_authority(tmp_path, now)
    (tmp_path / "ca.key").chmod(0o644)
    with pytest.raises(KeyFileExposed):
        open_authority(tmp_path, now)


@pytest.mark.parametrize("years", [-1, 31])
def test_a_clock_outside_the_validity_stops_the_start(
    tmp_path: Path, now: Instant, years: int
) -> None:
    open_authority(tmp_path, now)
    with pytest.raises(AuthorityUnusable, match="the clock says"):
        open_authority(tmp_path, Instant(now + years * 365.25 * 86_400))


def test_serial_numbers_differ(authority: Authority, now: Instant) -> None:
    serials = {
        issue_server_certificate(authority, ["a"], now).certificate.serial_number for _ in range(3)
    }
    assert len(serials) == 3


def test_private_keys_are_written_in_the_form_that_a_station_splits() -> None:
    pem = private_key_pem(ec.generate_private_key(ec.SECP256R1()))
    assert pem.startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_common_name_has_the_key_in_it(authority: Authority) -> None:
    (name,) = authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert name.value == f"bittern {own.value.digest.hex()[:8]}"
