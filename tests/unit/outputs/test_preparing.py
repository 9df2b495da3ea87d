from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.config import Configuration
from bittern.errors import RuleError, SqlParseException
from bittern.outputs.kinds import Surroundings
from bittern.outputs.preparing import checked_rule, checking, preparing
from bittern.store.rule_records import RuleRecord
from bittern.types import Instant

ACTION = {"republish": {"roleArn": "arn:aws:iam::000000000000:role/r", "topic": "a/${b}"}}


def test_an_action_is_made_ready_by_its_kind(output: Any, tmp_path: Any) -> None:
    around = Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.5
    )
    prepared = preparing(around)(ACTION)
    assert prepared.kind == "republish"
    assert prepared.templates["topic"] == "a/${b}"
    assert prepared.make("lane").name == "lane"


@pytest.mark.parametrize("prepare", [checking])
def test_what_is_no_action_is_refused(prepare: Any) -> None:
    with pytest.raises(RuleError, match="no action 'fax'"):
        prepare({"fax": {}})
    assert prepare(ACTION).kind == "republish"
    with pytest.raises(AssertionError, match="only checked"):
        prepare(ACTION).make("lane")


def test_a_rule_is_checked_as_a_whole() -> None:
    rule = RuleRecord(name="r", sql="SELECT * FROM 'a'", actions=(ACTION,), created_at=Instant(0.0))
    assert checked_rule(rule).actions[0].kind == "republish"
    with pytest.raises(SqlParseException):
        checked_rule(msgspec.structs.replace(rule, sql="SELECT"))
