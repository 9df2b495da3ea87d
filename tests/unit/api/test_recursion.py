from __future__ import annotations

from collections.abc import Callable

from bittern.api.model import Shape, service
from bittern.api.recursion import compiled_once

Count = Callable[[object], int]


def shape(name: str) -> Shape:
    return service("iotwireless").shape(name)


def test_a_shape_is_compiled_once() -> None:
    made: list[str] = []
    memo: dict[str, Count] = {}

    def make(shape: Shape, memo: dict[str, Count]) -> Count:
        made.append(shape.name)
        return lambda value: 1

    first = compiled_once(shape("TagList"), memo, make)
    assert compiled_once(shape("TagList"), memo, make) is first
    assert made == ["TagList"]


def test_a_shape_that_holds_itself_is_called_for_what_it_holds() -> None:
    def make(shape: Shape, memo: dict[str, Count]) -> Count:
        inner = compiled_once(shape, memo, make)
        return lambda value: 1 + sum(inner(one) for one in value)  # type: ignore[attr-defined]

    assert compiled_once(shape("TagList"), {}, make)([[], [[]]]) == 4


def test_where_there_is_nothing_to_do_nothing_is_done() -> None:
    held: list[Count | None] = []

    def make(shape: Shape, memo: dict[str, Count | None]) -> Count | None:
        held.append(compiled_once(shape, memo, make))
        return None

    assert compiled_once(shape("TagList"), {}, make) is None
    assert held[0] is not None and held[0]("anything") is None
