from __future__ import annotations

from typing import Any

import pytest

from bittern.config import Configuration
from bittern.errors import RuleError
from bittern.outputs.kinds import Surroundings
from bittern.outputs.preparing import checking, preparing

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
