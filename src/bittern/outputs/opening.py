"""Outputs that are opened when there is something for them, and that take their time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Failures, Health, Message, Output

log = logging.getLogger(__name__)


class Opening:
    """Wraps an output whose connection is made with its first batch, and made again if that
    failed: a receiver that is away delays nothing but what is for it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lock = asyncio.Lock()
        self._is_open = False
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._output.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closed = True
        async with self._lock:
            if self._is_open:
                self._is_open = False
                await self._output.__aexit__(None, None, None)

    async def publish(self, messages: Sequence[Message]) -> Failures:
        async with self._lock:
            if self._is_closed:
                raise DeliveryUnavailable("closed")
            if not self._is_open:
                await self._output.__aenter__()
                self._is_open = True
        return await self._output.publish(messages)

    def health(self) -> Health:
        if not self._is_open:
            return Health(True, "not needed so far")
        return self._output.health()

    def statistics(self) -> Mapping[str, int]:
        return self._output.statistics()


class Gone:
    """Stands for the output of an action that is no longer there."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        rejection = DeliveryRejected("its action is no longer there")
        return {place: rejection for place in range(len(messages))}

    def health(self) -> Health:
        return Health(True, "gone")

    def statistics(self) -> Mapping[str, int]:
        return {}
