"""How much deliveries hold in memory, and how fast they go."""

from __future__ import annotations

import msgspec

from bittern.outputs.backoff import Backoff
from bittern.outputs.lane import Limits


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and pace. Times are in seconds."""

    capacity: int = 20_000
    """Messages of the outbox in memory; further ones wait in the store."""
    page: int = 1000
    """Messages read back from the store at once."""
    lane_capacity: int = 2000
    """Messages that a lane is owed by itself, in memory."""
    strike_interval_s: float = 0.02
    """Least time between two strikings-off: what arrived meanwhile shares a transaction."""
    publish_limit_s: float = 60.0
    """An output that has not answered for so long is unavailable."""
    drain_s: float = 10.0
    """At an orderly stop, time for what is in memory to go out."""
    relieve_s: float = 1.0
    """How often the memory is looked after."""
    anchor_after_s: float = 10.0
    """What an output is owed that has been unavailable for so long moves into the store, where
    there are other outputs."""
    retention_s: float = 30.0
    """How often the disk budget is looked after."""
    give_up_s: float = 72 * 3600.0
    """A message that is older and fails again is given up."""
    route_age_s: float = 10.0
    """A destination is looked up again when it was last looked up so long ago."""
    failures_logged: int = 10
    """Messages given up that are logged one by one in `log_again_s`; others are counted."""
    log_again_s: float = 900.0
    asked_at_once: int = 64
    """Devices whose rules wait for answers from outside."""
    backoff: Backoff = Backoff()
    limits: Limits = Limits()
