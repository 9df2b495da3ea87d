from __future__ import annotations

import msgspec
import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.store import rule_codec
from bittern.testing.examples import RULE, dead_letter, delivery


def test_a_rule_comes_back_from_its_row(vault: KeyRing) -> None:
    row = rule_codec.rule_to_row(RULE, vault)
    assert row[:2] == (RULE.account, RULE.name)
    assert rule_codec.rule_from_row(row, vault) == RULE


def test_actions_of_a_rule_are_sealed_for_that_rule(vault: KeyRing) -> None:
    header = {"key": "Authorization", "value": "Bearer abc"}
    action = {"http": {"url": "https://meters.example", "headers": [header]}}
    rule = msgspec.structs.replace(RULE, actions=(action,), error_action=action)
    row = rule_codec.rule_to_row(rule, vault)
    assert "Bearer" not in str(row)
    assert rule_codec.rule_from_row(row, vault) == rule
    with pytest.raises(SealBroken):
        rule_codec.rule_from_row((row[0], "other", *row[2:]), vault)


def test_a_rule_of_an_earlier_version_has_its_actions_in_the_clear(vault: KeyRing) -> None:
    fields = msgspec.structs.asdict(RULE)
    record = {name: fields[name] for name in fields if name not in ("account", "name")}
    row = (RULE.account, RULE.name, msgspec.json.encode(record).decode(), None)
    assert rule_codec.rule_from_row(row, vault) == RULE


def test_what_is_owed_in_a_lane_is_sealed_for_that_lane(vault: KeyRing) -> None:
    owed = delivery(1, sequence=4, lane="a/b/0/http")
    row = rule_codec.lane_message_to_row(owed, vault)
    assert owed.document not in row[-1]
    assert rule_codec.lane_message_from_row(row, vault) == owed
    moved = (row[0], "a/b/1/http", *row[2:])
    with pytest.raises(SealBroken):
        rule_codec.lane_message_from_row(moved, vault)


def test_a_dead_letter_comes_back_from_its_row(vault: KeyRing) -> None:
    row = rule_codec.dead_letter_to_row(dead_letter(3), vault)
    assert dead_letter().document not in row[-1]
    assert rule_codec.dead_letter_from_row((8, *row), vault) == dead_letter(3, sequence=8)
