"""One evaluation: what it knows, what it has asked for, and how it waits and goes on.

The engine is synchronous and pure. Where a statement calls a function that somebody outside has to
answer, the evaluation ends with `Waiting`; resumed with the answers, it starts again from the top
and finds them. What was drawn by chance is drawn once, so that a second pass takes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from bittern.errors import ExternalCallFailed, RuleLimitExceeded
from bittern.rules import document
from bittern.rules.context import Context, ExternalCall
from bittern.rules.limits import MAX_CALLS, MAX_STEPS, Weight

T = TypeVar("T")
Evaluate = Callable[[object, "Environment"], object]
"""A compiled expression: of the value that names are looked up in, and of the environment."""

_UNSET = object()


class Pending(Exception):
    """An answer is missing: the pass cannot go on here. Never leaves the engine."""


class _Memory:
    """What outlives a pass, and what is counted within one. Few statements need any."""

    __slots__ = ("answers", "draws", "visits", "wanted")

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.wanted: dict[str, ExternalCall] = {}
        self.draws: dict[tuple[int, int], object] = {}
        self.visits: dict[int, int] = {}


class Environment:
    """Of one message. ``root`` is the message, which is ``raw`` if it came as bytes."""

    __slots__ = ("_known", "_raw", "_setters", "_steps", "_values", "context", "root")

    def __init__(
        self, context: Context, root: object, raw: bytes | None, setters: tuple[Evaluate, ...]
    ) -> None:
        self.context = context
        self.root = root
        self._raw = raw
        self._setters = setters
        self._steps = 0
        self._values = [_UNSET] * len(setters)
        self._known: _Memory | None = None

    @property
    def _memory(self) -> _Memory:
        if self._known is None:
            self._known = _Memory()
        return self._known

    @property
    def wanted(self) -> tuple[ExternalCall, ...]:
        """What this pass has asked for in vain."""
        return tuple(self._memory.wanted.values())

    def restart(self, answers: Sequence[object]) -> None:
        """For the next pass, with answers to what was wanted, in that order."""
        memory = self._memory
        memory.answers.update(zip(memory.wanted, answers, strict=True))
        memory.wanted.clear()
        memory.visits.clear()
        self._steps = 0
        self._values = [_UNSET] * len(self._setters)

    @property
    def raw(self) -> bytes:
        """The message as it came, or as JSON if it was given as a value."""
        if self._raw is None:
            self._raw = document.to_json(self.root)
        return self._raw

    def variable(self, index: int) -> object:
        """Computed when it is first needed."""
        value = self._values[index]
        if value is _UNSET:
            value = self._setters[index](self.root, self)
            # A variable can be used often: its size is what others grow by.
            Weight().add(value)
            self._values[index] = value
        return value

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise RuleLimitExceeded(f"nested queries look at more than {MAX_STEPS} elements")

    def draw(self, site: int, implementation: Callable[[Context], object]) -> object:
        """`site` is the place in the statement; a nested query may come there several times."""
        memory = self._memory
        visit = memory.visits[site] = memory.visits.get(site, -1) + 1
        if (site, visit) not in memory.draws:
            memory.draws[site, visit] = implementation(self.context)
        return memory.draws[site, visit]

    def ask(self, call: ExternalCall) -> object:
        """Raises `Pending`, or `ExternalCallFailed` if that is the answer."""
        key, memory = call.key, self._memory
        if key not in memory.answers:
            if len(memory.answers) + len(memory.wanted) >= MAX_CALLS:
                raise RuleLimitExceeded(f"more than {MAX_CALLS} calls for one message")
            memory.wanted[key] = call
            raise Pending
        answer = memory.answers[key]
        if isinstance(answer, ExternalCallFailed):
            raise answer
        return answer


class Waiting(msgspec.Struct, Generic[T], frozen=True):
    """What has to be answered before there is a result. The calls may be made concurrently."""

    calls: tuple[ExternalCall, ...]
    _environment: Environment
    _run: Callable[[Environment], T]

    def resume(self, answers: Sequence[object]) -> T | Waiting[T]:
        """`answers` in the order of `calls`: values, or `ExternalCallFailed` for a call that did.

        There may be more to answer: an argument of one call may be the answer to another.
        """
        self._environment.restart(answers)
        return advance(self._environment, self._run)


def advance(environment: Environment, run: Callable[[Environment], T]) -> T | Waiting[T]:
    try:
        return run(environment)
    except Pending:
        return Waiting(environment.wanted, environment, run)
    except RecursionError:
        raise RuleLimitExceeded("the message is nested too deeply") from None


def settle(outcome: T | Waiting[T], context: Context) -> T:
    """The result, with every call answered by ``context.resolve``."""
    while isinstance(outcome, Waiting):
        outcome = outcome.resume([_resolved(call, context) for call in outcome.calls])
    return outcome


def _resolved(call: ExternalCall, context: Context) -> object:
    try:
        return context.resolve(call)
    except ExternalCallFailed as failure:
        return failure
