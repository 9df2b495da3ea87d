"""What outputs to services have in common: a time limit, a health, counts.

A kind derives from `ServiceOutput` and says how to send a batch. Anything that the client libraries
raise is put into the two words that deliveries know by the kind itself.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message

CALL_LIMIT_S = 30.0
"""Time for one batch. Below the dispatcher's own limit, so that the reason is told here."""


class ServiceOutput(ABC):
    """An `Output`. Starts without its receiver, and connects when there is something to send."""

    def __init__(self, name: str, *, limit_s: float = CALL_LIMIT_S) -> None:
        self.name = name
        self._limit_s = limit_s
        self._health = Health(True, "nothing sent yet")
        self.delivered = 0
        self.rejected = 0
        self.failed = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of connections. Nothing is under way any more."""

    @abstractmethod
    async def send(self, messages: Sequence[Message]) -> Failures:
        """As `Output.publish`; whoever calls it limits its time."""

    async def publish(self, messages: Sequence[Message]) -> Failures:
        try:
            async with asyncio.timeout(self._limit_s):
                failures = await self.send(messages)
        except TimeoutError:
            self._unavailable(len(messages), f"no answer within {self._limit_s:g} s")
            raise DeliveryUnavailable(self._health.detail) from None
        except DeliveryUnavailable as unavailable:
            self._unavailable(len(messages), unavailable.reason)
            raise
        self._count(len(messages), failures)
        return failures or NO_FAILURES

    def health(self) -> Health:
        return self._health

    def statistics(self) -> Mapping[str, int]:
        return {"delivered": self.delivered, "rejected": self.rejected, "failed": self.failed}

    def _unavailable(self, count: int, reason: str) -> None:
        self.failed += count
        self._health = Health(False, reason)

    def _count(self, count: int, failures: Failures) -> None:
        rejected = [f for f in failures.values() if isinstance(f, DeliveryRejected)]
        later = [f for f in failures.values() if not isinstance(f, DeliveryRejected)]
        self.rejected += len(rejected)
        self.failed += len(later)
        self.delivered += count - len(failures)
        if len(failures) < count:
            self._health = Health(True, "delivering")
        elif later:
            self._health = Health(False, later[-1].reason)
        elif rejected:
            self._health = Health(False, f"rejected: {rejected[-1].reason}")
