"""What `docs/terraform.md` says of types and properties is so in the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bittern.api.cloud_control.types import TYPES, ResourceType
from bittern.api.model import service
from bittern.config.settings import Api

TEXT = (Path(__file__).parents[2] / "docs/terraform.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:3] for line in TEXT.splitlines() if line.startswith("| `")][1:]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def names(of: ResourceType, shape: Any) -> set[str]:
    """Of properties in a structure, however deep."""
    found: set[str] = set()
    for name, member in of.properties_of(shape).items():
        inner = member.member if member.type_name == "list" else member
        below = names(of, inner) if inner.type_name == "structure" else set()
        found |= {name} | below
    return found


def test_every_type_is_in_the_table() -> None:
    told = [name for first, _ in ROWS for name in quoted(first)]
    assert [f"AWS::IoTWireless::{name}" for name in told] == [
        of.name for of in sorted(TYPES, key=lambda of: told.index(of.name.rpartition("::")[2]))
    ]
    assert len(told) == len(TYPES) == 9


def test_what_never_changes_can_be_given_and_not_be_updated() -> None:
    by_name = {of.name.rpartition("::")[2]: of for of in TYPES}
    for first, second in ROWS:
        fixed = set(quoted(second)) - {"LoRaWAN", "Tags", "Pending"}
        for of in map(by_name.__getitem__, quoted(first)):
            assert fixed <= names(of, of.create.input)
            if of.update is not None:
                inside = of.properties_of(of.changeable.get("LoRaWAN"))
                changeable = of.changeable.keys() | inside.keys()
                assert not fixed & changeable, of.name
    without = {name for name, of in by_name.items() if of.update is None}
    assert without == set(quoted(next(first for first, second in ROWS if "but `Tags`" in second)))


def test_other_words_are_those_of_the_code() -> None:
    every = {name for of in TYPES for name in names(of, of.create.input)}
    every |= {link.property for of in TYPES for link in of.links}
    extra = TEXT.partition("Properties of the API that")[2].partition("- `ThingArn`")[0]
    assert set(quoted(extra)) - {"awscc"} <= every
    errors = service("cloudcontrol").errors
    assert {word for word in quoted(TEXT) if word.endswith("Exception")} <= errors.keys()
    assert f'region                    = "{Api().region}"' in TEXT
