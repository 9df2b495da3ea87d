from __future__ import annotations

import pytest

from bittern.errors import ExternalCallFailed
from bittern.rules import closures
from bittern.rules.closures import constant, message, path
from bittern.rules.context import Context
from bittern.rules.evaluation import Environment, Evaluate, Pending
from bittern.rules.values import UNDEFINED

ENV = Environment(Context(), {}, None, ())


def never(scope: object, environment: Environment) -> object:
    raise AssertionError("evaluated")


def failing(scope: object, environment: Environment) -> object:
    raise ExternalCallFailed("away")


def waiting(scope: object, environment: Environment) -> object:
    raise Pending


@pytest.mark.parametrize(
    ("names", "scope", "expected"),
    [
        (("a",), {"a": 1}, 1),
        (("a", "b", "c"), {"a": {"b": {"c": 2}}}, 2),
        (("a", "b"), {"a": None}, UNDEFINED),
        (("a",), [1], UNDEFINED),
        (("a", "b"), {}, UNDEFINED),
        (("a",), b"raw", UNDEFINED),
    ],
)
def test_paths(names: tuple[str, ...], scope: object, expected: object) -> None:
    assert path(names)(scope, ENV) == expected


@pytest.mark.parametrize("decisive", [True, False])
def test_a_decisive_operand_ends_the_evaluation(decisive: bool) -> None:
    make = closures.disjunction if decisive else closures.conjunction
    assert make((constant(UNDEFINED), constant(decisive), never))(None, ENV) is decisive
    assert make((constant(UNDEFINED), constant(not decisive)))(None, ENV) is UNDEFINED
    assert make((constant(not decisive), constant(not decisive)))(None, ENV) is not decisive


def test_only_the_branch_that_is_taken_is_evaluated() -> None:
    branches: tuple[tuple[Evaluate, Evaluate], ...] = (
        (constant(1), never),
        (constant(2), constant("b")),
        (never, never),
    )
    assert closures.case(constant(2), branches, never)(None, ENV) == "b"


def test_a_default_is_evaluated_only_if_it_is_needed() -> None:
    assert closures.get_or_default(constant(0), never)(None, ENV) == 0
    assert closures.get_or_default(failing, constant(1))(None, ENV) == 1


def test_an_external_call_with_undefined_asks_nobody() -> None:
    assert closures.external_call("f", (constant(UNDEFINED), never)[:1])(None, ENV) is UNDEFINED
    with pytest.raises(Pending):
        closures.external_call("f", (constant(1),))(None, ENV)


def test_columns_that_wait_do_not_keep_others_from_asking() -> None:
    seen: list[object] = []

    def asking(scope: object, environment: Environment) -> object:
        seen.append(scope)
        raise Pending

    steps = (closures.named(("a",), waiting), closures.named(("b",), asking))
    with pytest.raises(Pending):
        closures.patient_columns(steps)("scope", ENV)
    assert seen == ["scope"]


def test_a_dotted_alias_does_not_write_into_the_message() -> None:
    inner = {"x": 1}
    steps = (closures.merged(message()), closures.named(("o", "y"), constant(2)))
    assert closures.columns(steps)({"o": inner}, ENV) == {"o": {"x": 1, "y": 2}}
    assert inner == {"x": 1}


def test_selecting_does_not_change_the_message() -> None:
    scope = {"a": 1}
    steps = (closures.merged(message()), closures.named(("a",), constant(2)))
    assert closures.columns(steps)(scope, ENV) == {"a": 2}
    assert scope == {"a": 1}
