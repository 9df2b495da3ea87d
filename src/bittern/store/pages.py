"""Whole lists, page by page: no call of the store holds more than a page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def everything(
    page: Callable[..., Awaitable[list[T]]], key: Callable[[T], Any]
) -> AsyncIterator[T]:
    """What `page()` returns, then `page(after=key(last))` and so on until there is no more."""
    found = await page()
    while found:
        for one in found:
            yield one
        found = await page(after=key(found[-1]))
