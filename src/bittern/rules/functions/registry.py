"""What a function of the language is: its name, its arguments and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bittern.rules.context import Context
from bittern.rules.values import UNDEFINED, Number, number, text

Implementation = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Function:
    """``arguments`` are the documented names; those from ``least`` on may be left out."""

    name: str
    arguments: tuple[str, ...]
    least: int
    implementation: Implementation
    """Takes the values of the arguments; `with_context` ones take the `Context` first."""

    repeats: bool = False
    """The last argument may come any number of times."""

    with_context: bool = False
    external: bool = False
    since_2016: bool = False
    """Not in version 2015-10-08."""

    counts: frozenset[int] = frozenset()
    """How many arguments there may be, where that is not simply from least to most."""

    usage: str = ""
    """The signature, where it is not simply the arguments in order."""

    literal: frozenset[int] = frozenset()
    """Positions at which only a String literal may stand: modes and schemes."""

    def takes(self, count: int) -> bool:
        if self.counts:
            return count in self.counts
        return count >= self.least and (self.repeats or count <= len(self.arguments))

    @property
    def signature(self) -> str:
        if self.usage:
            return self.usage
        required = ", ".join(self.arguments[: self.least])
        optional = "".join(f"[, {name}]" for name in self.arguments[self.least :])
        return f"{self.name}({required}{optional}{', …' if self.repeats else ''})".replace(
            "([, ", "(["
        )


def function(name: str, arguments: str, implementation: Implementation, **rest: Any) -> Function:
    """``arguments`` as one text: names by blanks, those that may be left out behind a ``?``."""
    required, _, optional = arguments.partition("?")
    names = (*required.split(), *optional.split())
    return Function(name, names, len(required.split()), implementation, **rest)


def of_text(implementation: Callable[[str], object]) -> Implementation:
    """Converts the argument to a String; Undefined if it has none ("Conversions", to string)."""

    def call(value: object) -> object:
        found = text(value)
        return UNDEFINED if found is None else implementation(found)

    return call


def of_texts(implementation: Callable[..., object]) -> Implementation:
    """The same for any number of arguments, all of them Strings."""

    def call(*arguments: object) -> object:
        found = [text(one) for one in arguments]
        return UNDEFINED if None in found else implementation(*found)

    return call


def of_number(implementation: Callable[[Number], object]) -> Implementation:
    """Converts the argument to a number; Undefined if it is none."""

    def call(value: object) -> object:
        found = number(value)
        return UNDEFINED if found is None else implementation(found)

    return call


def of_context(implementation: Callable[[Context], object]) -> Implementation:
    """A property of the message; Undefined where the message has none."""

    def call(context: Context) -> object:
        found = implementation(context)
        return UNDEFINED if found is None else found

    return call
