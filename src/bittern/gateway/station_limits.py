"""The duty cycle that a Basics Station keeps by itself, and without a word.

After each transmission it pauses: in EU868 in all of a band, elsewhere on the channel alone. A
frame that falls into a pause goes in its other window, or nowhere. The bands are the station's own,
three in number, and stricter than the law's: what is neither in 869.4 to 869.65 MHz nor in one of
the two ranges of 1 % counts as 0.1 %, 867 MHz with its five customary channels too.
"""

from __future__ import annotations

from typing import NamedTuple

_EU868_NAMES = frozenset(("EU868", "EU863"))
_BY_CHANNEL = {"KR920": 50, "AS923-1": 10, "AS923JP": 10}


class Pause(NamedTuple):
    """Nothing more is sent in ``share`` until ``factor`` times the airtime has passed, counted from
    the beginning of the transmission."""

    share: int
    """Frequencies of the same share pause together."""
    factor: int


def pause_after(station_region: str, frequency_hz: int) -> Pause | None:
    """``station_region`` is the region's name in ``router_config``. None: no pause."""
    if station_region in _EU868_NAMES:
        factor = _eu868_factor(frequency_hz)
        return Pause(factor, factor)
    factor = _BY_CHANNEL.get(station_region, 0)
    return Pause(frequency_hz, factor) if factor else None


def _eu868_factor(frequency_hz: int) -> int:
    if 869_400_000 <= frequency_hz <= 869_650_000:
        return 10
    if 868_000_000 <= frequency_hz <= 868_600_000 or 869_700_000 <= frequency_hz <= 870_000_000:
        return 100
    return 1000
