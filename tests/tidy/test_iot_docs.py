"""`docs/iot.md` names every operation of `iot` and `iot-data` that is offered, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bittern.api.operations import offered, things
from bittern.api.operations.common import MOST_TAGS
from bittern.api.operations.rule_actions import HIDDEN
from bittern.store.records import DEFAULT_ACCOUNT

TEXT = (Path(__file__).parents[2] / "docs/iot.md").read_text(encoding="utf-8")


def test_every_operation_that_is_offered_is_named_and_no_other() -> None:
    tables = re.findall(r"^(?:`[A-Z]\w+`[ \n]?)+$", TEXT, re.MULTILINE)
    named = [name for table in tables for name in re.findall(r"`(\w+)`", table)]
    assert len(named) == len(set(named))
    assert set(named) == {name for of, name in offered() if of in ("iot", "iot-data")}


def test_what_it_says_of_limits_is_so() -> None:
    assert f"up to {things.MOST_ATTRIBUTES} attributes" in TEXT
    assert f"policies, {MOST_TAGS} for each" in TEXT
    assert f"`{HIDDEN}`" in TEXT
    assert DEFAULT_ACCOUNT in TEXT


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([\w.-]+)\)", TEXT):
        assert (Path(__file__).parents[2] / "docs" / link).is_file()
