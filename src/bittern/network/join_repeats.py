"""Answers to requests that may come again: what got lost on the way is not used up twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

KEPT = 10_000
KEPT_S = 60.0
"""A device waits six seconds, and its network no longer."""

T = TypeVar("T")


class Repeats(Generic[T]):
    """The same key has the same answer for a while; what ended in an exception is made anew."""

    def __init__(self, now: Callable[[], float], kept: int = KEPT) -> None:
        self._now = now
        self._kept = kept
        self._answers: dict[bytes, tuple[float, asyncio.Task[T]]] = {}

    def __len__(self) -> int:
        return len(self._answers)

    async def answer(self, key: bytes, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """A task of its own makes it: who asks may go away, and come back for what was begun."""
        self._forget()
        known = self._answers.get(key)
        if known is None:
            making = asyncio.create_task(make(), name="answer a join")
            making.add_done_callback(partial(self._ended, key))
            known = self._answers[key] = self._now(), making
        return await asyncio.shield(known[1])

    def _ended(self, key: bytes, making: asyncio.Task[T]) -> None:
        known = self._answers.get(key)
        failed = making.cancelled() or making.exception() is not None
        if failed and known is not None and known[1] is making:
            del self._answers[key]

    def _forget(self) -> None:
        """The oldest come first."""
        too_old = self._now() - KEPT_S
        while self._answers:
            key, (at, _) = next(iter(self._answers.items()))
            if at > too_old and len(self._answers) < self._kept:
                return
            del self._answers[key]
