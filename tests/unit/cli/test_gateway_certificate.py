from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bittern.types import EUI64, GatewayEUI

EUI = "0016c001ff000001"


def certificates_of(bittern, eui: str = EUI):
    """By what they are for."""
    gateway = GatewayEUI(EUI64.from_hex(eui))
    found = bittern.stored(lambda store: store.certificates_of(gateway))
    return {one.purpose: one for one in found}


def outside(
    path: Path, *extensions: tuple[x509.ExtensionType, bool], days: int = 30, count: int = 1
) -> Path:
    """A certificate that no authority of ours has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anything")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    for extension, critical in extensions:
        built = built.add_extension(extension, critical)
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem * count)
    return path


@pytest.fixture(autouse=True)
def _gateway(bittern) -> None:
    bittern.done("gateway", "add", EUI, "--files", "first")


def certificate(bittern, *arguments: str | Path):
    verb, *rest = arguments
    return bittern("gateway", "certificate", verb, EUI, *rest)


def test_list_tells_what_each_is_for(bittern) -> None:
    lines = certificate(bittern, "list").stdout.splitlines()
    assert len(lines) == 3
    listed = certificate(bittern, "list", "--json")
    assert {one["purpose"] for one in listed.json} == {"cups", "lns"}
    assert all(any(one["fingerprint"][:16] in line for line in lines) for one in listed.json)


def test_new_files_come_with_new_certificates_and_the_earlier_ones_stay(bittern) -> None:
    before = certificates_of(bittern)
    assert certificate(bittern, "renew", "--files", "second").exit_code == 0
    assert len(certificate(bittern, "list", "--json").json) == 4
    assert certificates_of(bittern)["lns"].fingerprint != before["lns"].fingerprint
    assert Path("first/tc.key").read_bytes() != Path("second/tc.key").read_bytes()
    assert Path("first/tc.trust").read_bytes() == Path("second/tc.trust").read_bytes()


def test_new_files_for_one_place_only(bittern) -> None:
    assert certificate(bittern, "renew", "--only", "lns", "--files", "second").exit_code == 0
    assert {one.stem for one in Path("second").iterdir()} == {"tc"}


def test_new_files_send_the_gateway_where_it_is_registered_to_go(bittern) -> None:
    bittern.done("gateway", "set", EUI, "--lns-uri", "wss://lns.example.com:1")
    certificate(bittern, "renew", "--files", "second")
    assert Path("second/tc.uri").read_text() == "wss://lns.example.com:1\n"


def test_files_that_are_there_are_not_replaced(bittern) -> None:
    key = Path("first/cups.key").read_bytes()
    assert certificate(bittern, "renew", "--files", "first").exit_code == 1
    assert Path("first/cups.key").read_bytes() == key
    assert len(certificate(bittern, "list", "--json").json) == 2


@pytest.mark.parametrize(("only", "marked"), [([], {"cups", "lns"}), (["--only", "lns"], {"lns"})])
def test_cups_is_told_to_renew(bittern, only: list[str], marked: set[str]) -> None:
    assert certificate(bittern, "renew", "--by-cups", *only).exit_code == 0
    assert {one.purpose for one in certificates_of(bittern).values() if one.renew} == marked


def test_cups_cannot_renew_what_cannot_ask_it(bittern) -> None:
    fingerprint = certificates_of(bittern)["cups"].fingerprint
    assert certificate(bittern, "deactivate", fingerprint).exit_code == 0
    done = certificate(bittern, "renew", "--by-cups")
    assert done.exit_code == 1
    assert "no certificate that lets it ask CUPS" in done.stderr
    assert not any(one.renew for one in certificates_of(bittern).values())


def test_cups_writes_no_files(bittern) -> None:
    assert certificate(bittern, "renew", "--by-cups", "--files", "x").exit_code == 2


def test_revoked_certificate_never_counts_again(bittern) -> None:
    fingerprint = certificates_of(bittern)["lns"].fingerprint
    done = certificate(bittern, "revoke", fingerprint, "--because", "stolen")
    assert done.exit_code == 0
    assert done.stderr.endswith(f"gateway {EUI} has no certificate left for the LNS\n")
    revoked = certificates_of(bittern)["lns"]
    assert (revoked.active, revoked.revoked_because) == (False, "stolen")
    assert revoked.revoked_at is not None
    again = certificate(bittern, "activate", fingerprint)
    assert (again.exit_code, again.stderr) == (
        1,
        f"bittern: certificate {fingerprint} is revoked, and that is final\n",
    )
    assert certificate(bittern, "revoke", fingerprint, "--because", "x").exit_code == 1
    assert certificates_of(bittern)["lns"] == revoked


def test_revocation_has_a_reason(bittern) -> None:
    fingerprint = certificates_of(bittern)["lns"].fingerprint
    assert certificate(bittern, "revoke", fingerprint).exit_code == 2


def test_deactivated_certificate_can_be_activated_by_its_first_digits(bittern) -> None:
    prefix = certificates_of(bittern)["cups"].fingerprint[:8].upper()
    certificate(bittern, "deactivate", prefix)
    assert not certificates_of(bittern)["cups"].active
    assert certificate(bittern, "activate", prefix).exit_code == 0
    assert certificates_of(bittern)["cups"].active


@pytest.mark.parametrize(("prefix", "exit_code"), [("abcdefg", 2), ("0" * 64, 1)])
def test_certificate_must_be_named_well(bittern, prefix: str, exit_code: int) -> None:
    assert certificate(bittern, "deactivate", prefix).exit_code == exit_code


def test_certificate_of_another_gateway_is_not_touched(bittern) -> None:
    other = EUI[:-1] + "2"
    bittern.done("gateway", "add", other, "--files", "other")
    fingerprint = certificates_of(bittern, other)["lns"].fingerprint
    assert certificate(bittern, "revoke", fingerprint, "--because", "x").exit_code == 1
    assert certificates_of(bittern, other)["lns"].active


def test_certificate_of_an_outside_authority_is_registered(bittern, tmp_path: Path) -> None:
    file = outside(tmp_path / "cert.pem")
    assert certificate(bittern, "register", "--file", file).exit_code == 0
    found = certificates_of(bittern)["any"]
    assert (
        found.fingerprint
        == x509.load_pem_x509_certificate(file.read_bytes()).fingerprint(hashes.SHA256()).hex()
    )
    assert (found.pem.encode(), found.active, found.authority) == (file.read_bytes(), True, "")
    assert certificate(bittern, "register", "--file", file).exit_code == 1  # once


def test_certificate_of_ours_is_taken_in_again_after_its_gateway_was_removed(bittern) -> None:
    bittern.done("gateway", "remove", EUI)
    bittern.done("gateway", "add", EUI, "--files", "second")
    assert certificate(bittern, "register", "--file", "first/tc.crt", "--inactive").exit_code == 0
    found = certificates_of(bittern)["any"]
    assert (found.pem, found.active) == ("", False)
    assert found.authority == certificates_of(bittern)["lns"].authority


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"days": -1}, "expired"),
        ({"count": 2}, "2 certificates"),
        ({"count": 0}, "no certificate in PEM form"),
    ],
)
def test_file_that_could_let_nobody_in_is_wrong_usage(
    bittern, tmp_path: Path, made: dict[str, int], words: str
) -> None:
    done = certificate(bittern, "register", "--file", outside(tmp_path / "cert.pem", **made))
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())
    assert "any" not in certificates_of(bittern)


@pytest.mark.parametrize(
    "extension",
    [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    ],
)
def test_authority_and_server_are_no_gateways(
    bittern, tmp_path: Path, extension: x509.ExtensionType
) -> None:
    file = outside(tmp_path / "cert.pem", (extension, True))
    assert certificate(bittern, "register", "--file", file).exit_code == 2
    assert "any" not in certificates_of(bittern)


def test_unknown_gateway_has_no_certificates(bittern) -> None:
    done = bittern("gateway", "certificate", "list", "0016c001ff00000f")
    assert (done.exit_code, done.stderr) == (1, "bittern: no gateway 0016c001ff00000f\n")
