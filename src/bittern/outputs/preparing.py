"""Makes actions of rules ready by their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.outputs.actions import Prepare, Prepared, ReadyRule
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.port import Output, RuleRecord


def preparing(surroundings: Surroundings) -> Prepare:
    """What the router asks for each action of a rule."""

    def prepare(document: Mapping[str, Any]) -> Prepared:
        kind, parameters = checked(document)

        def make(name: str) -> Output:
            return kind.make(name, parameters, surroundings)

        return Prepared(
            kind=kind.name,
            parameters=parameters,
            templates=kind.templates(parameters),
            make=make,
        )

    return prepare


def checking(document: Mapping[str, Any]) -> Prepared:
    """The same for somebody who makes no outputs: is the action one?"""
    kind, parameters = checked(document)

    def make(name: str) -> Output:
        raise AssertionError(f"{name} is only checked")

    return Prepared(
        kind=kind.name, parameters=parameters, templates=kind.templates(parameters), make=make
    )


def checked_rule(record: RuleRecord) -> ReadyRule:
    """What every way to make a rule asks of it. Raises `RuleError`, with the place in the SQL
    where it is there that something is wrong."""
    return ReadyRule(record, checking)
