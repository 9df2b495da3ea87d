"""Faults that the event loop reports on its own.

A peer that goes in the middle of a TLS handshake is told of by the `Acceptor`, with its address.
The loop reports it once more, and uvloop gives an exception's class for the exception, which the
log could not format.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any


def tell_faults_of_ours(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`."""
    fault = context.get("exception")
    if isinstance(fault, type) and issubclass(fault, BaseException):
        fault = context["exception"] = fault()
    is_of_the_peer = isinstance(fault, ConnectionError | ssl.SSLError | TimeoutError)
    if is_of_the_peer and "handshake" in str(context.get("message", "")).lower():
        return
    loop.default_exception_handler(context)
