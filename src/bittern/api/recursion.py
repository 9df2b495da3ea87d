"""Compiling shapes that may hold themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bittern.api.model import Shape

Compiled = TypeVar("Compiled", bound=Callable[..., Any] | None)


def compiled_once(
    shape: Shape, memo: dict[str, Compiled], make: Callable[[Shape, dict[str, Compiled]], Compiled]
) -> Compiled:
    """What `make` compiles the shape to, kept in `memo` by the shape's name.

    While a shape is compiled its name stands for it: what it holds gets a function that calls what
    it will have become. That may be None, where there is nothing to do.
    """
    if shape.name not in memo:
        memo[shape.name] = _later(shape.name, memo)
        memo[shape.name] = make(shape, memo)
    return memo[shape.name]


def _later(name: str, memo: dict[str, Compiled]) -> Any:
    def later(*arguments: Any) -> Any:
        compiled = memo[name]
        return None if compiled is None else compiled(*arguments)

    return later
