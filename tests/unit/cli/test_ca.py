from __future__ import annotations

import time

import msgspec
import pytest

from bittern.testing.examples import CONNECTION
from bittern.types import EUI64, GatewayEUI, Instant

EUI, OTHER = "0016c001ff000001", "0016c001ff000002"


@pytest.fixture(autouse=True)
def _two_gateways(bittern) -> None:
    for eui in (EUI, OTHER):
        bittern.done("gateway", "add", eui, "--only", "lns", "--files", f"first/{eui}")


def certificates_of(bittern, eui: str):
    gateway = GatewayEUI(EUI64.from_hex(eui))
    return bittern.stored(lambda store: store.certificates_of(gateway))


def move(bittern, eui: str) -> None:
    """New files, carried there; then it connects."""
    bittern.done("gateway", "certificate", "renew", eui, "--only", "lns", "--files", f"new/{eui}")
    newest = max(certificates_of(bittern, eui), key=lambda one: one.created_at)
    connection = msgspec.structs.replace(
        CONNECTION, certificate=newest.fingerprint, changed_at=Instant(time.time())
    )
    gateway = GatewayEUI(EUI64.from_hex(eui))
    bittern.stored(lambda store: store.put_gateway_state(gateway, connection))


def stage(bittern) -> str:
    return str(bittern.done("ca", "show", "--json").json["stage"])


def test_show_tells_the_authority(bittern) -> None:
    shown = bittern.done("ca", "show", "--json").json
    (authority,) = shown["authorities"]
    assert (authority["role"], authority["issues"], authority["presented"]) == (
        "current",
        True,
        True,
    )
    told = bittern.done("ca", "show").stdout
    assert authority["fingerprint"] in told
    assert authority["subject"] in told
    assert "settled" in told


def test_pem_is_what_gateways_trust(bittern) -> None:
    with open(f"first/{EUI}/tc.trust") as file:
        assert bittern.done("ca", "show", "--pem").stdout == file.read()


def test_rotation_waits_for_every_gateway(bittern) -> None:
    bittern.done("ca", "rotate", "--yes")
    move(bittern, EUI)
    shown = bittern.done("ca", "show", "--json").json
    assert {one["eui"]: one["moved"] for one in shown["gateways"]} == {EUI: True, OTHER: False}
    done = bittern("ca", "rotate", "--yes")
    assert done.exit_code == 1
    assert f"{OTHER} was never seen" in done.stderr
    assert EUI not in done.stderr
    assert stage(bittern) == "introduced"
    lines = bittern.done("ca", "show").stdout.splitlines()
    assert lines[-2].split() == [EUI, "yes"]
    assert lines[-1].split()[:3] == [OTHER, "no", "was"]


def test_three_steps_end_with_the_next_authority_alone(bittern) -> None:
    (first,) = bittern.done("ca", "show", "--json").json["authorities"]
    bittern.done("ca", "rotate", "--yes")
    (_, following) = bittern.done("ca", "show", "--json").json["authorities"]
    for eui in (EUI, OTHER):
        move(bittern, eui)
    bittern.done("ca", "rotate", "--yes")
    assert stage(bittern) == "presented"
    assert all(one.active for eui in (EUI, OTHER) for one in certificates_of(bittern, eui))
    bittern.done("ca", "rotate", "--yes")
    (last,) = bittern.done("ca", "show", "--json").json["authorities"]
    assert last["fingerprint"] == following["fingerprint"] != first["fingerprint"]
    for eui in (EUI, OTHER):
        found = {one.authority: one for one in certificates_of(bittern, eui)}
        retired = found[first["fingerprint"]]
        assert (retired.active, retired.revoked_because) == (False, "authority retired")
        assert retired.revoked_at is not None
        assert found[last["fingerprint"]].active


def test_force_leaves_gateways_behind(bittern) -> None:
    for _ in range(3):
        done = bittern.done("ca", "rotate", "--yes", "--force")
    assert "will need new files by hand: 2" in done.stderr
    assert stage(bittern) == "settled"
    assert not any(one.active for one in certificates_of(bittern, EUI))


def test_certificate_from_before_authorities_were_noted_is_of_an_earlier_one(bittern) -> None:
    (certificate,) = certificates_of(bittern, EUI)
    unnoted = msgspec.structs.replace(certificate, authority="", purpose="any")
    bittern.stored(lambda store: store.replace_certificate(unnoted))
    bittern.done("ca", "rotate", "--yes")
    assert not bittern.done("ca", "show", "--json").json["gateways"][0]["moved"]
    for _ in range(2):
        bittern.done("ca", "rotate", "--yes", "--force")
    assert not certificates_of(bittern, EUI)[0].active


def test_certificate_of_an_outside_authority_outlives_ours(bittern) -> None:
    (certificate,) = certificates_of(bittern, EUI)
    foreign = msgspec.structs.replace(certificate, authority="", pem="somebody's")
    bittern.stored(lambda store: store.replace_certificate(foreign))
    for _ in range(3):
        bittern.done("ca", "rotate", "--yes", "--force")
    assert certificates_of(bittern, EUI) == [foreign]


@pytest.mark.parametrize(("answer", "after"), [("n\n", "settled"), ("y\n", "introduced")])
def test_a_person_is_asked_before_a_step(bittern, answer: str, after: str) -> None:
    done = bittern("ca", "rotate", stdin=answer)
    assert "go on?" in done.stderr
    assert done.exit_code == (0 if answer == "y\n" else 1)
    assert stage(bittern) == after


def test_authority_is_not_made_where_nothing_of_bittern_is(bittern, tmp_path) -> None:
    done = bittern("ca", "show", "--data-dir", tmp_path / "elsewhere")
    assert done.exit_code == 1
    assert not (tmp_path / "elsewhere").exists()
