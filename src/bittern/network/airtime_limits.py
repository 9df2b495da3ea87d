"""How much a gateway may send where: by law, and by what its station allows itself."""

from __future__ import annotations

from typing import NamedTuple

from bittern.gateway.station_limits import pause_after
from bittern.lorawan.regions.plan import Plan

OBSERVED_S = 3600.0
"""A duty cycle is the share of any hour (ETSI EN 300 220-1 V3.1.1, 5.4)."""


class Limit(NamedTuple):
    """One bound on the time on air of one gateway in a part of the spectrum."""

    share: tuple[str, int]
    """What is counted together."""
    hourly_s: float | None = None
    """Seconds on air in any hour."""
    pause_factor: int = 0
    """After a transmission nothing is sent for this many times its airtime, from its beginning."""


class AirtimeLimits:
    """Of a gateway in the region of `plan`, told `station_region`."""

    def __init__(self, plan: Plan, station_region: str) -> None:
        self._plan = plan
        self._station_region = station_region
        self._known: dict[int, tuple[Limit, ...]] = {}

    def at(self, frequency_hz: int) -> tuple[Limit, ...]:
        """Every bound that a transmission at this frequency is under; none in most regions."""
        known = self._known.get(frequency_hz)
        if known is None:
            known = self._known[frequency_hz] = tuple(self._found(frequency_hz))
        return known

    def _found(self, frequency_hz: int) -> list[Limit]:
        found = []
        band = self._plan.duty_cycle_band(frequency_hz)
        if band is not None and band.duty_cycle < 1:
            hourly_s = band.duty_cycle * OBSERVED_S
            found.append(Limit(("band", band.min_hz), hourly_s=hourly_s))
        pause = pause_after(self._station_region, frequency_hz)
        if pause is not None:
            found.append(Limit(("station", pause.share), pause_factor=pause.factor))
        return found
