"""Whole lists, page by page."""

from __future__ import annotations

from bittern.store.pages import everything


async def test_every_page_is_asked_for_once_and_in_order() -> None:
    asked: list[str] = []

    async def page(after: str = "") -> list[str]:
        asked.append(after)
        return [letter for letter in "abcde" if letter > after][:2]

    assert [letter async for letter in everything(page, str)] == ["a", "b", "c", "d", "e"]
    assert asked == ["", "b", "d", "e"]


async def test_an_empty_list_is_one_question() -> None:
    async def page() -> list[str]:
        return []

    assert [one async for one in everything(page, str)] == []
