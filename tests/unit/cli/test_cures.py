from __future__ import annotations

import ast
from pathlib import Path

import pytest

import bittern
from bittern.cli.cures import CURED, cure
from bittern.types import EUI64, GatewayEUI, Refusal

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
SOURCE = Path(bittern.__file__).parent


def of_gateways() -> list[Refusal]:
    """In the enumeration those of frames come first."""
    every = list(Refusal)
    return every[every.index(Refusal.UNKNOWN_GATEWAY) :]


def named_in(folder: str) -> set[Refusal]:
    """Refusals that the modules of a package speak of."""
    return {
        Refusal[node.attr]
        for path in (SOURCE / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Refusal"
    }


@pytest.mark.parametrize("refusal", of_gateways())
def test_every_refusal_of_a_gateway_has_a_cure_of_one_sentence(refusal: Refusal) -> None:
    told = cure(refusal, EUI)
    assert told.endswith(".")
    assert "{" not in told
    assert len(told) < 250


@pytest.mark.parametrize("folder", ["gateway", "servers"])
def test_whatever_the_front_ends_refuse_for_has_a_cure(folder: str) -> None:
    assert named_in(folder) <= CURED


def test_cure_names_the_gateway() -> None:
    assert f"`bittern gateway add {EUI}`" in cure(Refusal.UNKNOWN_GATEWAY, EUI)


def test_refused_frame_has_no_cure_here() -> None:
    assert cure(Refusal.MIC_MISMATCH, EUI) == ""
