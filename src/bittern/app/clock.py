"""The time that frames are scheduled by."""

from __future__ import annotations

import time

from bittern.network.ports import Clock
from bittern.types import Instant


def steady_utc() -> Clock:
    """UTC that never jumps while frames wait for their windows: read once, then counted on."""
    offset = time.time() - time.monotonic()
    return lambda: Instant(offset + time.monotonic())
