"""Kinds of actions are found by their names, and what is none is named."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from bittern.errors import RuleError
from bittern.outputs import kinds
from bittern.outputs.kinds import MODULES, action_of, checked, kind


def offered() -> list[str]:
    return [name for name, module in MODULES.items() if find_spec(f"bittern.outputs.{module}")]


def test_every_kind_has_its_module() -> None:
    assert sorted(offered()) == sorted(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_kind_is_found_by_its_name(name: str) -> None:
    assert kind(name).name == name


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(RuleError, match="no action 'fax'; there are "):
        kind("fax")


@pytest.mark.parametrize("document", [{}, {"s3": {}, "sqs": {}}, {"s3": "bucket"}])
def test_an_action_is_one_kind_with_its_parameters(document: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        action_of(document)


def test_parameters_that_cannot_be_used_are_named_with_their_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(parameters: kinds.Parameters) -> None:
        raise ValueError("bucketName: missing")

    def nothing(*_: object) -> None:
        raise AssertionError

    broken = kinds.Kind(name="s3", check=check, templates=nothing, make=nothing)  # type: ignore[arg-type]
    monkeypatch.setattr(kinds, "kind", lambda name: broken)
    with pytest.raises(RuleError, match="s3: bucketName: missing"):
        checked({"s3": {}})
