"""What is true of every operation, in tables over all that are offered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_asking import (
    ALL,
    DENIED,
    EVERYTHING,
    SUCCEEDING,
    Name,
    allow,
    call,
    caller,
    each,
    model,
    refusal,
)
from api_cases import CASES, OWN
from api_world import ACCOUNT, OTHER_ACCOUNT, World


def test_every_operation_that_is_offered_has_a_case() -> None:
    assert [name for name in ALL if name not in CASES] == []


@each([name for name in SUCCEEDING if name in CASES])
def test_it_succeeds_with_the_status_of_the_model(world: World, name: Name) -> None:
    answer = call(caller(world.api, name, EVERYTHING), name, CASES[name](world).parameters)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == model(name).status
    output = model(name).output
    assert set(output.required_members if output else ()) <= answer.keys()


@each(ALL)
def test_a_policy_that_denies_it_is_obeyed(world: World, name: Name) -> None:
    asked = CASES[name](world)
    denial = {"Effect": "Deny", "Action": model(name).action, "Resource": asked.resource}
    told = refusal(caller(world.api, name, EVERYTHING, denial), name, asked.parameters)
    assert (told.code in DENIED, told.status) == (True, 403), told
    assert model(name).action in told.message


@each(SUCCEEDING)
def test_a_policy_that_allows_it_on_its_resources_suffices(world: World, name: Name) -> None:
    asked = CASES[name](world)
    suffices = allow(model(name).action, asked.resource, *asked.beside)
    call(caller(world.api, name, suffices), name, asked.parameters)


@each(ALL)
def test_a_policy_about_anything_else_does_not(world: World, name: Name) -> None:
    asked = CASES[name](world)
    resources = (asked.resource, *asked.beside)
    others = [[allow(f"{model(name).action}s", "*")]]
    if asked.resource != "*":
        others += [
            [
                allow(
                    model(name).action,
                    *(one for one in resources if one != left_out),
                    f"{left_out}0",
                )
            ]
            for left_out in resources
        ]
    for statements in others:
        told = refusal(caller(world.api, name, *statements), name, asked.parameters)
        assert told.code in DENIED, told


@each(ALL)
def test_another_account_learns_nothing(
    world: World, name: Name, tmp_path: Path, authority: Any
) -> None:
    """It is told the same as if there were nothing of the kind anywhere."""
    asked = CASES[name](world)
    there = caller(world.api, name, EVERYTHING, account=OTHER_ACCOUNT)
    if asked.foreign == OWN:
        answer = call(there, name, asked.parameters)
        assert ACCOUNT not in repr(answer)
        return
    nowhere = caller(type(world.api)(authority), name, EVERYTHING, account=OTHER_ACCOUNT)
    told = refusal(there, name, asked.parameters)
    assert told == refusal(nowhere, name, asked.parameters)
    assert told.code == asked.foreign
