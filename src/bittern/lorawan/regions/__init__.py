"""Regions by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from bittern.lorawan.regions.au915 import AU915
from bittern.lorawan.regions.cn470 import CN470, CN470_20B, CN470_26A, CN470_26B
from bittern.lorawan.regions.cn470_96 import CN470_96
from bittern.lorawan.regions.cn779 import CN779
from bittern.lorawan.regions.eu433 import EU433
from bittern.lorawan.regions.eu868 import EU868
from bittern.lorawan.regions.history import as_of, own_data_rates
from bittern.lorawan.regions.in865 import IN865
from bittern.lorawan.regions.kr920 import KR920
from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.regions.ru864 import RU864
from bittern.lorawan.regions.us915 import US915
from bittern.lorawan.versions import MacVersion

_PLANS: tuple[Plan, ...] = (
    EU868,
    US915,
    AU915,
    AS923_1,
    AS923_2,
    AS923_3,
    AS923_4,
    EU433,
    CN470,
    CN779,
    RU864,
    KR920,
    IN865,
    # What AWS has no name for.
    CN470_20B,
    CN470_26A,
    CN470_26B,
    CN470_96,
)


def names() -> tuple[str, ...]:
    """As AWS writes them, and behind these the other plans of CN470."""
    return tuple(plan.name for plan in _PLANS)


def plan(name: str, revision: RegionalParameters | None = None) -> Plan:
    """The plan of a region, as people write it: ``EU868``, ``eu_863_870``, ``AS_923_1``, ``AS923``.

    As devices of ``revision`` have it; without, as in RP002-1.0.4. Raises ``ValueError`` that lists
    the known ones.
    """
    found = _BY_NAME.get(_plain(name))
    if found is None:
        raise ValueError(f"unknown region {name!r}; known are {', '.join(names())}")
    return found if revision is None else as_of(found, revision)


def plan_of_profile(name: str, revision: str, version: MacVersion) -> Plan:
    """The plan of devices whose profile names a region, a revision of the regional parameters or
    none (empty), and a version. Raises ``ValueError`` that lists the known regions or revisions.
    """
    return plan(name, RegionalParameters.parse(revision, version) if revision.strip() else None)


def renumbered(found: Plan) -> Mapping[int, int] | None:
    """The data rates of devices by the numbers that gateways give them, which have the newest
    tables; ``None`` for a plan that is the newest itself."""
    newest = plan(found.name)
    return None if found is newest else own_data_rates(found, newest)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings(known: Plan) -> list[str]:
    """EU868, EU863-870, EU863-870's first half EU863, and what else people write."""
    first_half = known.common_name.partition("-")[0]
    return [_plain(text) for text in (known.name, known.common_name, *known.aliases, first_half)]


def _by_name() -> dict[str, Plan]:
    """What would be a spelling of several plans is one of the first: AS923, CN470."""
    found: dict[str, Plan] = {}
    for known in _PLANS:
        for spelling in _spellings(known):
            found.setdefault(spelling, known)
    return found


_BY_NAME = _by_name()
