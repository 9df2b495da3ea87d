"""What compiled expressions do. Each function here makes one from those below it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from bittern.errors import ExternalCallFailed
from bittern.rules.context import Context, ExternalCall
from bittern.rules.evaluation import Environment, Evaluate, Pending
from bittern.rules.functions.collections import get
from bittern.rules.limits import bounded
from bittern.rules.operators import Operator
from bittern.rules.values import UNDEFINED, boolean, equal

Step = Callable[[dict[str, object], object, Environment], None]
"""Adds a column to a result."""


def constant(value: object) -> Evaluate:
    return lambda scope, environment: value


def message() -> Evaluate:
    return lambda scope, environment: scope


def raw_message_as_base64() -> Evaluate:
    def evaluate(scope: object, environment: Environment) -> object:
        bounded(len(environment.raw) * 4 // 3)
        return base64.b64encode(environment.raw).decode()

    return evaluate


def path(names: tuple[str, ...]) -> Evaluate:
    """Of values only an Object takes a String in brackets; every other one raises."""
    if len(names) == 1:
        return _member(*names)

    def evaluate(scope: Any, environment: Environment) -> object:
        try:
            for name in names:
                scope = scope[name]
        except (KeyError, TypeError):
            return UNDEFINED
        return scope

    return evaluate


def _member(name: str) -> Evaluate:
    return lambda scope, environment: (
        scope.get(name, UNDEFINED) if isinstance(scope, dict) else UNDEFINED
    )


def members(owner: Evaluate, names: tuple[str, ...]) -> Evaluate:
    """The path behind an expression: ``get(…).a.b``."""
    follow = path(names)
    return lambda scope, environment: follow(owner(scope, environment), environment)


def item(owner: Evaluate, position: Evaluate) -> Evaluate:
    return lambda scope, environment: get(owner(scope, environment), position(scope, environment))


def variable(index: int) -> Evaluate:
    return lambda scope, environment: environment.variable(index)


def binary(left: Evaluate, operator: Operator, right: Evaluate) -> Evaluate:
    return lambda scope, environment: operator(left(scope, environment), right(scope, environment))


def equals_constant(left: Evaluate, constant: object) -> Evaluate:
    """``path = 1``, the usual condition: the same as `binary`, in half the time."""
    kind = type(constant)
    assert kind in (int, str)

    def evaluate(scope: object, environment: Environment) -> object:
        value = left(scope, environment)
        return value == constant if type(value) is kind else equal(value, constant)

    return evaluate


def conjunction(operands: tuple[Evaluate, ...]) -> Evaluate:
    """``AND``: false decides, wherever it stands; else what is no Boolean makes it Undefined."""
    return _logical(operands, decisive=False)


def disjunction(operands: tuple[Evaluate, ...]) -> Evaluate:
    """``OR``: true decides, also beside a field that the message does not have.

    "Operators" gives Undefined only where both sides are no Booleans.
    """
    return _logical(operands, decisive=True)


def _logical(operands: tuple[Evaluate, ...], *, decisive: bool) -> Evaluate:
    def evaluate(scope: object, environment: Environment) -> object:
        outcome: object = not decisive
        for operand in operands:
            value = boolean(operand(scope, environment))
            if value is decisive:
                return decisive
            if value is None:
                outcome = UNDEFINED
        return outcome

    return evaluate


def negation(operand: Evaluate) -> Evaluate:
    def evaluate(scope: object, environment: Environment) -> object:
        value = boolean(operand(scope, environment))
        return UNDEFINED if value is None else not value

    return evaluate


def case(
    subject: Evaluate, branches: tuple[tuple[Evaluate, Evaluate], ...], otherwise: Evaluate
) -> Evaluate:
    """The first branch that equals; Undefined if the subject is ("Case statements", Note)."""

    def evaluate(scope: object, environment: Environment) -> object:
        value = subject(scope, environment)
        if value is UNDEFINED:
            return UNDEFINED
        for candidate, outcome in branches:
            if equal(value, candidate(scope, environment)) is True:
                return outcome(scope, environment)
        return otherwise(scope, environment)

    return evaluate


def array_literal(items: tuple[Evaluate, ...]) -> Evaluate:
    """An item that is Undefined is left out too."""

    def evaluate(scope: object, environment: Environment) -> object:
        found = [one(scope, environment) for one in items]
        return [one for one in found if one is not UNDEFINED]

    return evaluate


def call(implementation: Callable[..., object], arguments: tuple[Evaluate, ...]) -> Evaluate:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda scope, environment: implementation(only(scope, environment))
    return lambda scope, environment: implementation(
        *[one(scope, environment) for one in arguments]
    )


def call_with_context(
    implementation: Callable[..., object], arguments: tuple[Evaluate, ...]
) -> Evaluate:
    return lambda scope, environment: implementation(
        environment.context, *[one(scope, environment) for one in arguments]
    )


def drawing_call(implementation: Callable[[Context], object], site: int) -> Evaluate:
    return lambda scope, environment: environment.draw(site, implementation)


def external_call(name: str, arguments: tuple[Evaluate, ...]) -> Evaluate:
    """Undefined, without asking, if an argument is."""

    def evaluate(scope: object, environment: Environment) -> object:
        values = tuple(one(scope, environment) for one in arguments)
        if any(one is UNDEFINED for one in values):
            return UNDEFINED
        return environment.ask(ExternalCall(name, values))

    return evaluate


def get_or_default(expression: Evaluate, default: Evaluate) -> Evaluate:
    """The default for Null, for Undefined, and where a call outside failed."""

    def evaluate(scope: object, environment: Environment) -> object:
        try:
            value = expression(scope, environment)
        except ExternalCallFailed:
            value = UNDEFINED
        if value is None or value is UNDEFINED:
            return default(scope, environment)
        return value

    return evaluate


def nested(project: Evaluate, source: Evaluate, condition: Evaluate | None) -> Evaluate:
    """A query over an Array gives an Array; over an Object, what it selects of that one.

    Names inside mean members of the element, never of the message around it.
    """

    def wanted(element: object, environment: Environment) -> bool:
        environment.step()
        return condition is None or boolean(condition(element, environment)) is True

    def evaluate(scope: object, environment: Environment) -> object:
        elements = source(scope, environment)
        if isinstance(elements, dict):
            return project(elements, environment) if wanted(elements, environment) else UNDEFINED
        if not isinstance(elements, list):
            return UNDEFINED
        found = [project(one, environment) for one in elements if wanted(one, environment)]
        return [one for one in found if one is not UNDEFINED]

    return evaluate


def merged(value: Evaluate) -> Step:
    """``*``, or an object literal without a name: its members are columns."""

    def step(made: dict[str, object], scope: object, environment: Environment) -> None:
        found = value(scope, environment)
        if isinstance(found, dict):
            made.update(found)

    return step


def named(alias: tuple[str, ...], value: Evaluate) -> Step:
    *above, name = alias

    def step(made: dict[str, object], scope: object, environment: Environment) -> None:
        found = value(scope, environment)
        if found is not UNDEFINED:
            (_opened(made, above) if above else made)[name] = found

    return step


def _opened(made: dict[str, object], above: list[str]) -> dict[str, object]:
    """The object in which a dotted alias ends. Objects on the way are copied, not written to."""
    for name in above:
        inner = made.get(name)
        made[name] = opened = dict(inner) if isinstance(inner, dict) else {}
        made = opened
    return made


def columns(steps: tuple[Step, ...]) -> Evaluate:
    """Later columns take the place of earlier ones of their name."""

    def evaluate(scope: object, environment: Environment) -> object:
        made: dict[str, object] = {}
        for step in steps:
            step(made, scope, environment)
        return made

    return evaluate


def plain_columns(star: bool, pairs: tuple[tuple[str, Evaluate], ...]) -> Evaluate:
    """The same for the usual selection: ``*`` first, if at all, and columns of one name each.

    What is Undefined is left out, as JSON would. Without ``*`` it is an object literal as well.
    """

    def evaluate(scope: object, environment: Environment) -> object:
        made = dict(scope) if star and isinstance(scope, dict) else {}
        for name, value in pairs:
            found = value(scope, environment)
            if found is not UNDEFINED:
                made[name] = found
        return made

    return evaluate


def patient_columns(steps: tuple[Step, ...]) -> Evaluate:
    """The same, going on where a column has to wait, so that all calls are known at once."""

    def evaluate(scope: object, environment: Environment) -> object:
        made: dict[str, object] = {}
        waiting = False
        for step in steps:
            try:
                step(made, scope, environment)
            except Pending:
                waiting = True
        if waiting:
            raise Pending
        return made

    return evaluate
