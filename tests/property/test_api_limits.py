"""Every limit of the model, of every operation: what is at it passes, what is beyond is refused."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bittern.api import validate
from bittern.api.errors import ApiError
from bittern.api.model import Operation, Shape, location
from bittern.api.parse import shown_path
from bittern.api.patterns import compiled

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_asking import ALL, Name, each, model
from api_cases import CASES
from api_world import World
from oracle import NOW, signed, understood

DEPTH = 7
"""Levels of members; the forest of rule actions has no more that are not the same again."""
NUMBERS = ("integer", "long", "float", "double")
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Limit:
    """A place in the parameters, and values just within and just beyond what is allowed there."""

    steps: Steps
    kind: str
    beyond: Any
    within: Any = None
    """None: nothing is said of it."""


def limits_of(operation: Operation) -> list[Limit]:
    return list(_limits(operation.input, (), ())) if operation.input is not None else []


def _limits(shape: Shape, steps: Steps, above: tuple[str, ...]) -> Iterator[Limit]:
    if len(above) > DEPTH or above.count(shape.name) > 1:
        return
    if steps and location(shape) not in ("uri", "header"):
        yield from _own(shape, steps)
    below = (*above, shape.name)
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            for name, member in shape.members.items():
                yield from _limits(member, (*steps, name), below)
        case "list":
            yield from _limits(shape.member, (*steps, 0), below)
        case "map":
            yield from _limits(shape.value, (*steps, "key"), below)


def _own(shape: Shape, steps: Steps) -> Iterator[Limit]:
    traits = shape.metadata
    low, high = traits.get("min"), traits.get("max")
    if shape.type_name in NUMBERS:
        if low is not None:
            yield Limit(steps, "min", low - 1, low)
        if high is not None:
            yield Limit(steps, "max", high + 1, high)
    elif shape.type_name == "string":
        yield from _of_text(shape, steps, low, high)


def _of_text(shape: Shape, steps: Steps, low: int | None, high: int | None) -> Iterator[Limit]:
    traits = shape.metadata
    expression = compiled(traits["pattern"]) if "pattern" in traits else None
    free = expression is None and "enum" not in traits
    if low:
        yield Limit(steps, "min", "a" * (low - 1), "a" * low if free else None)
    if high is not None and high < 100_000:
        yield Limit(steps, "max", "a" * (high + 1), "a" * high if free else None)
    if expression is not None and not expression.fullmatch("\n"):
        yield Limit(steps, "pattern", "\n")
    if traits.get("enum"):
        yield Limit(steps, "enum", f"{traits['enum'][0]}-not", traits["enum"][0])


def with_value(shape: Shape, before: Any, steps: Steps, value: Any) -> Any:
    """The same parameters with something at one place, and whatever has to be around it."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if shape.type_name == "list":
        return [with_value(shape.member, (before or [None])[0], rest, value)]
    below = shape.value if shape.type_name == "map" else shape.members[first]
    inner = (before or {}).get(first)
    kept = {} if getattr(shape, "is_tagged_union", False) else dict(before or {})
    return {**kept, first: with_value(below, inner, rest, value)}


def complaint(shape: Shape, steps: Steps) -> str:
    """How a problem at that place begins."""
    path: list[str] = []
    for step in steps:
        if shape.type_name == "list":
            path, shape = [*path, "1", "member"], shape.member
        elif shape.type_name == "map":
            path, shape = [*path, "value"], shape.value
        else:
            path, shape = [*path, str(step)], shape.members[step]
    return f"at '{shown_path(path)}' failed to satisfy constraint: "


INVALID = ("ValidationException", "InvalidRequestException")


def answered(api: Any, operation: Operation, parameters: Any) -> dict[str, Any]:
    response = asyncio.run(
        api.front.answer(signed(operation, parameters), now=NOW, request_id="r-1")
    )
    return understood(operation, response)


@each([name for name in ALL if limits_of(model(name))])
def test_what_is_beyond_a_limit_is_refused_as_the_model_has_it(
    api: Any, tmp_path: Path, name: Name
) -> None:
    operation = model(name)
    parameters = CASES[name](World(api, tmp_path)).parameters
    passed = []
    for limit in limits_of(operation):
        wrong = with_value(operation.input, parameters, limit.steps, limit.beyond)
        told = answered(api, operation, wrong).get("Error", {"Code": "", "Message": ""})
        said = complaint(operation.input, limit.steps) in told["Message"]
        if told["Code"] not in INVALID or not said:
            passed.append((limit, told))
    assert passed == []


@each([name for name in ALL if limits_of(model(name))])
def test_what_is_at_a_limit_is_not_refused_for_it(api: Any, tmp_path: Path, name: Name) -> None:
    operation = model(name)
    parameters = CASES[name](World(api, tmp_path)).parameters
    for limit in limits_of(operation):
        if limit.within is None:
            continue
        right = with_value(operation.input, parameters, limit.steps, limit.within)
        try:
            validate.check(operation, right)
        except ApiError as error:
            assert complaint(operation.input, limit.steps) not in error.message
