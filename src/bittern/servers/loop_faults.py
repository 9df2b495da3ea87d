"""Faults that the event loop reports on its own.

A peer that goes in the middle of a TLS handshake is told of by the `Acceptor`, with its address.
The loop reports it once more, and where aiofastnet or uvloop do so they give an exception's class
for the exception, which the log could not format.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


def tell_faults_of_ours(loop: asyncio.AbstractEventLoop) -> None:
    """From now on; they go to whom they went to before. Once is enough."""
    before = loop.get_exception_handler()
    if not isinstance(before, _OfOurs):
        loop.set_exception_handler(_OfOurs(before))


@dataclass(frozen=True, slots=True)
class _OfOurs:
    """An exception handler of the event loop."""

    before: Handler | None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if fault is ConnectionResetError:  # of aiofastnet, with whatever message
            return
        if isinstance(fault, type) and issubclass(fault, BaseException):
            fault = fault()
            context = {**context, "exception": fault}
        if _is_told_already(fault, str(context.get("message", ""))):
            return
        if self.before is not None:
            self.before(loop, context)
        else:
            loop.default_exception_handler(context)


def _is_told_already(fault: object, message: str) -> bool:
    is_of_the_peer = isinstance(fault, ConnectionError | ssl.SSLError | TimeoutError)
    return is_of_the_peer and "handshake" in message.lower()
