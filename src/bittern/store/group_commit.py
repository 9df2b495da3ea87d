"""Calls that arrive close together are committed together, by one thread.

A commit costs a write to the disk whether it holds one call or a hundred. So the first call waits
`window_s` for others, and whatever arrives while a commit is under way makes up the next one. The
event loop collects the calls and hears the outcomes, each with one hop per group; the thread only
ever sees whole groups. All state but the queue between them belongs to the loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from bittern.errors import StoreUnavailable

Call = TypeVar("Call")
Outcome = Any
"""What a call returns, or the exception that it raises."""

Waiting = list["asyncio.Future[Any]"]

logger = logging.getLogger("bittern.store")


class GroupCommitStatistics(NamedTuple):
    groups: int
    """Tried since the start, whatever became of them."""
    calls: int
    """In those groups."""
    waiting: int
    """Calls that no group has taken up yet."""


class GroupCommit(Generic[Call]):
    """Hands groups of calls to `commit`, which returns one outcome for each, in order.

    `commit` raises `StoreUnavailable` when nothing of the group was stored. `rest` runs on the
    thread after each group, when its callers have been told: housekeeping that nobody waits for.
    """

    def __init__(
        self,
        commit: Callable[[list[Call]], list[Outcome]],
        *,
        window_s: float,
        most_waiting: int,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._commit = commit
        self._rest = rest
        self._window_s = window_s
        self._most_waiting = most_waiting
        self._calls: list[Call] = []
        self._waiting: Waiting = []
        self._first_at = 0.0
        self._committing = False
        self._closed = True
        self._handed: SimpleQueue[tuple[list[Call], Waiting] | None] = SimpleQueue()
        self._groups = 0
        self._settled = 0

    def open(self) -> None:
        """On the event loop that will make the calls."""
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self._closed = False

    async def close(self) -> None:
        """After every call that was made has its outcome."""
        if self._closed:
            return
        self._closed = True
        await self._idle.wait()
        self._handed.put(None)
        await asyncio.to_thread(self._thread.join)

    def submit(self, call: Call) -> asyncio.Future[Any]:
        """The outcome of `call`. Raises `StoreUnavailable` when closed or overloaded."""
        if self._closed:
            raise StoreUnavailable("it is closed")
        if len(self._calls) >= self._most_waiting:
            raise StoreUnavailable(f"{self._most_waiting} writes wait already")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._calls.append(call)
        self._waiting.append(future)
        if len(self._calls) == 1:
            self._first_at = self._loop.time()
            if not self._committing:
                self._idle.clear()
                self._loop.call_later(self._window_s, self._begin)
        return future

    def statistics(self) -> GroupCommitStatistics:
        return GroupCommitStatistics(self._groups, self._settled, len(self._calls))

    def _begin(self) -> None:
        self._committing = True
        self._handed.put((self._calls, self._waiting))
        self._calls, self._waiting = [], []

    def _finish(self, waiting: Waiting, outcomes: list[Outcome]) -> None:
        for future, outcome in zip(waiting, outcomes, strict=True):
            if future.done():  # its caller gave up waiting
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._groups += 1
        self._settled += len(waiting)
        self._committing = False
        if not self._calls:
            self._idle.set()
            return
        due = self._first_at + self._window_s
        if due <= self._loop.time():
            self._begin()
        else:
            self._loop.call_at(due, self._begin)

    def _run(self) -> None:
        """The thread."""
        while (group := self._handed.get()) is not None:
            calls, waiting = group
            outcomes = self._outcomes(calls)
            try:
                self._loop.call_soon_threadsafe(self._finish, waiting, outcomes)
            except RuntimeError:  # the loop has ended: nobody waits any more
                return
            self._rest()

    def _outcomes(self, calls: list[Call]) -> list[Outcome]:
        try:
            return self._commit(calls)
        except StoreUnavailable as unavailable:
            # One for each caller: a raised exception collects the traceback of who awaited it.
            return [StoreUnavailable(unavailable.reason) for _ in calls]
        except Exception as error:  # the thread serves all callers and must outlive one mistake
            logger.exception("store writer failed")
            return [StoreUnavailable(f"{type(error).__name__} in the writer") for _ in calls]
