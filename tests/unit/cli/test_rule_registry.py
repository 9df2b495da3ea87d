from __future__ import annotations

import json
from pathlib import Path

import pytest

from bittern.store.records import DEFAULT_ACCOUNT

REPUBLISH = {"republish": {"roleArn": "arn:aws:iam::000000000000:role/r", "topic": "plant/up"}}
PAYLOAD = {
    "sql": "SELECT * WHERE WirelessMetadata.LoRaWAN.FPort = 2",
    "actions": [REPUBLISH],
    "ruleDisabled": True,
    "description": "ours",
    "errorAction": REPUBLISH,
}


@pytest.fixture
def added(bittern) -> None:
    bittern.done("rule", "add", "plant", "--sql", "SELECT *", "--action", json.dumps(REPUBLISH))


def test_a_rule_is_added_by_options(bittern, added: None) -> None:
    (rule,) = bittern.stored(lambda store: store.rules(DEFAULT_ACCOUNT))
    assert (rule.name, rule.sql, rule.actions, rule.enabled) == (
        "plant",
        "SELECT *",
        (REPUBLISH,),
        True,
    )


def test_a_rule_is_added_as_aws_defines_it(bittern, tmp_path: Path) -> None:
    (tmp_path / "rule.json").write_text(json.dumps(PAYLOAD))
    done = bittern.done("rule", "add", "plant", "--file", tmp_path / "rule.json")
    assert "rule plant added: 1 action (republish)" in done.stderr
    shown = bittern.done("rule", "show", "plant").json
    assert shown.pop("createdAt").endswith("Z")
    assert shown == PAYLOAD | {"ruleName": "plant", "awsIotSqlVersion": "2016-03-23"}


def test_what_cannot_work_is_refused_with_its_place(bittern) -> None:
    action = json.dumps(REPUBLISH)
    done = bittern("rule", "add", "r", "--sql", "SELECT uper(a) AS b", "--action", action)
    assert done.exit_code == 1
    assert "line 1, column 8: unknown function uper" in done.stderr
    done = bittern("rule", "add", "r", "--sql", "SELECT *", "--action", '{"fax": {}}')
    assert (done.exit_code, "no action 'fax'" in done.stderr) == (1, True)
    done = bittern("rule", "add", "a-b", "--sql", "SELECT *", "--action", action)
    assert (done.exit_code, "letters, digits and _" in done.stderr) == (1, True)


def test_a_rule_needs_a_statement_and_an_action(bittern, tmp_path: Path) -> None:
    assert bittern("rule", "add", "r", "--sql", "SELECT *").exit_code == 2
    assert bittern("rule", "add", "r", "--sql", "SELECT *", "--action", "{").exit_code == 2
    (tmp_path / "rule.json").write_text('{"sql": "SELECT *", "acts": []}')
    assert bittern("rule", "add", "r", "--file", tmp_path / "rule.json").exit_code == 2


def test_a_rule_is_listed_set_and_removed(bittern, added: None) -> None:
    lines = bittern.done("rule", "list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["NAME", "ENABLED", "ACTIONS"],
        ["plant", "yes", "republish"],
    ]
    bittern.done("rule", "set", "plant", "--sql", "SELECT a", "--description", "other")
    (rule,) = bittern.done("rule", "list", "--json").json
    assert (rule["sql"], rule["description"], rule["actions"]) == ("SELECT a", "other", [REPUBLISH])
    bittern.done("destination", "add", "plant", "--rule", "plant")
    done = bittern.done("rule", "remove", "plant")
    assert "destinations that still name it: plant" in done.stderr
    assert bittern.done("rule", "list", "--json").json == []


def test_a_rule_is_disabled_and_enabled(bittern, added: None) -> None:
    bittern.done("rule", "disable", "plant")
    assert bittern.done("rule", "show", "plant").json["ruleDisabled"] is True
    bittern.done("rule", "enable", "plant")
    assert bittern.done("rule", "show", "plant").json["ruleDisabled"] is False


@pytest.mark.parametrize("verb", ["show", "remove", "enable", "set"])
def test_a_rule_that_is_not_there_is_told(bittern, added: None, verb: str) -> None:
    done = bittern("rule", verb, "other")
    assert (done.exit_code, done.stderr) == (1, "bittern: no rule other\n")
