"""Regions by name."""

from __future__ import annotations

import re

from bittern.lorawan.regions.eu868 import EU868
from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.regions.us915 import US915

_PLANS: tuple[Plan, ...] = (EU868, US915)


def names() -> tuple[str, ...]:
    """As AWS writes them."""
    return tuple(plan.name for plan in _PLANS)


def plan(name: str) -> Plan:
    """The plan of a region, as people write it: ``EU868``, ``eu_863_870``, ``EU863``.

    Raises ``ValueError`` that lists the known ones.
    """
    found = _BY_NAME.get(_plain(name))
    if found is None:
        raise ValueError(f"unknown region {name!r}; known are {', '.join(names())}")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings(known: Plan) -> set[str]:
    """EU868, EU863-870, EU863-870's first half EU863, and the station's."""
    first_half = known.common_name.partition("-")[0]
    return {_plain(text) for text in (known.name, known.common_name, first_half)} | {
        _plain(known.station_region)
    }


_BY_NAME = {spelling: known for known in _PLANS for spelling in _spellings(known)}
