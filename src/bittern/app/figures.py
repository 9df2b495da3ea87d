"""What the server says of itself: its figures and its health."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from bittern import __version__
from bittern.network.core import Network
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.port import Health
from bittern.servers.api import ApiShell
from bittern.servers.http import Check
from bittern.servers.lns import LnsServer
from bittern.servers.metrics import Figures
from bittern.store.ports.outbox import OutboxStore


def figures_of(
    network: Network,
    lns: LnsServer,
    dispatcher: Dispatcher,
    api: ApiShell,
    statistics: Mapping[str, Callable[[], Mapping[str, float]]],
) -> Figures:
    """`statistics` are those of the other components, by name."""

    def front_end() -> Mapping[str, float]:
        figures = msgspec.structs.asdict(lns.statistics())
        return {name: value for name, value in figures.items() if name != "refusals"}

    def front_end_refusals() -> Mapping[str, int]:
        return {str(refusal): count for refusal, count in lns.statistics().refusals.items()}

    return Figures(
        version=__version__,
        statistics={"lns": front_end, **statistics},
        tallies=[
            ("events", "event", lambda: network.journal.events),
            ("refusals", "refusal", lambda: network.journal.refusals),
            ("mac_problems", "problem", lambda: network.journal.mac_problems),
            # With those that are counted but not told one by one.
            ("lns_refusals", "refusal", front_end_refusals),
            ("api_refused", "error", lambda: api.refused),
            ("lane_delivered", "lane", lambda: _of_lanes(dispatcher, "delivered")),
            ("lane_failed", "lane", lambda: _of_lanes(dispatcher, "failed")),
            ("lane_retried", "lane", lambda: _of_lanes(dispatcher, "retried")),
        ],
        levels=[
            ("lane_in_memory", "lane", lambda: _of_lanes(dispatcher, "in_memory")),
            ("lane_available", "lane", lambda: _of_lanes(dispatcher, "available")),
        ],
    )


def _of_lanes(dispatcher: Dispatcher, name: str) -> dict[str, int]:
    """One of `LaneStatistics`, by lane."""
    return {lane: int(getattr(one, name)) for lane, one in dispatcher.lanes().items()}


def store_check(store: OutboxStore) -> Check:
    """It works if it answers."""

    async def check() -> Health:
        return Health(True, f"{await store.owed_count()} messages owed")

    return check


def at_once(health: Callable[[], Health]) -> Check:
    """Of a part that knows how it is."""

    async def check() -> Health:
        return health()

    return check
