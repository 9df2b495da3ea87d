from __future__ import annotations

import pytest

from bittern.errors import ExternalCallFailed, RuleLimitExceeded
from bittern.rules.context import Context, ExternalCall
from bittern.rules.evaluation import Environment, Waiting, advance, settle
from bittern.rules.limits import MAX_CALLS, MAX_STEPS

FIRST, SECOND = ExternalCall("f", (1,)), ExternalCall("f", (2,))


def environment(**circumstances: object) -> Environment:
    return Environment(Context(**circumstances), {}, None, ())  # type: ignore[arg-type]


def test_an_evaluation_waits_for_answers_and_goes_on() -> None:
    outcome = advance(environment(), lambda env: [env.ask(FIRST), env.ask(SECOND)])
    assert isinstance(outcome, Waiting)
    assert outcome.calls == (FIRST,)
    outcome = outcome.resume(["one"])
    assert isinstance(outcome, Waiting)
    assert outcome.calls == (SECOND,)
    assert outcome.resume(["two"]) == ["one", "two"]


def test_the_same_call_is_asked_once() -> None:
    outcome = advance(environment(), lambda env: [env.ask(FIRST), env.ask(FIRST)])
    assert isinstance(outcome, Waiting)
    assert outcome.resume([5]) == [5, 5]


def test_answers_are_as_many_as_calls() -> None:
    outcome = advance(environment(), lambda env: env.ask(FIRST))
    assert isinstance(outcome, Waiting)
    with pytest.raises(ValueError, match="longer"):
        outcome.resume([1, 2])


def test_a_call_that_failed_is_raised_where_it_was_made() -> None:
    outcome = advance(environment(), lambda env: env.ask(FIRST))
    assert isinstance(outcome, Waiting)
    with pytest.raises(ExternalCallFailed, match="away"):
        outcome.resume([ExternalCallFailed("away")])


def test_settling_answers_by_the_context() -> None:
    context = Context(resolve=lambda call: call.arguments[0])
    outcome = advance(environment(), lambda env: [env.ask(FIRST), env.ask(SECOND)])
    assert settle(outcome, context) == [1, 2]


def test_calls_are_bounded() -> None:
    context = Context(resolve=lambda call: 0)

    def run(env: Environment) -> None:
        for n in range(MAX_CALLS + 1):
            env.ask(ExternalCall("f", (n,)))

    with pytest.raises(RuleLimitExceeded, match=f"more than {MAX_CALLS} calls"):
        settle(advance(environment(), run), context)


def test_steps_are_bounded() -> None:
    env = environment()
    for _ in range(MAX_STEPS):
        env.step()
    with pytest.raises(RuleLimitExceeded):
        env.step()
    env.restart([])
    env.step()


def test_what_was_drawn_stays_when_an_evaluation_is_resumed() -> None:
    drawn = iter(range(100))

    def run(env: Environment) -> list[object]:
        first = [env.draw(7, lambda _: next(drawn)), env.draw(7, lambda _: next(drawn))]
        return [*first, env.draw(9, lambda _: next(drawn)), env.ask(FIRST)]

    outcome = advance(environment(), run)
    assert isinstance(outcome, Waiting)
    assert outcome.resume(["a"]) == [0, 1, 2, "a"]
    assert next(drawn) == 3


def test_a_variable_is_computed_once_and_only_if_needed() -> None:
    seen: list[object] = []
    env = Environment(
        Context(), {"a": 1}, None, (lambda scope, _: seen.append(scope), lambda *_: 1 / 0)
    )
    env.variable(0)
    env.variable(0)
    assert seen == [{"a": 1}]


def test_the_message_as_bytes_is_what_came_or_is_made_of_it() -> None:
    assert Environment(Context(), {"a": 1}, b'{ "a": 1 }', ()).raw == b'{ "a": 1 }'
    assert Environment(Context(), {"a": 1}, None, ()).raw == b'{"a":1}'


def test_too_deep_a_message_is_an_error_of_the_rule() -> None:
    def run(_: Environment) -> None:
        raise RecursionError

    with pytest.raises(RuleLimitExceeded, match="nested too deeply"):
        advance(environment(), run)
