from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bittern.app.figures import at_once, figures_of, store_check
from bittern.errors import StoreUnavailable
from bittern.outputs.port import Health
from bittern.servers.lns_hub import LnsStatistics
from bittern.servers.metrics import exposition, registry
from bittern.testing.memory_store import MemoryStore
from bittern.types import Refusal


def parts() -> dict[str, Any]:
    network = Mock()
    network.journal.events = Counter({"joined": 2})
    network.journal.refusals = Counter({"mic mismatch": 3})
    network.journal.mac_problems = Counter()
    lanes = {"mqtt": Mock(delivered=5, failed=1, retried=2, in_memory=7, available=True)}
    return {
        "network": network,
        "lns": Mock(statistics=lambda: LNS),
        "dispatcher": Mock(lanes=lambda: lanes),
        "api": Mock(refused=Counter({"AccessDeniedException": 4})),
        "statistics": {"intake": lambda: {"copies": 9}},
    }


def samples() -> dict[str, float]:
    """What Prometheus reads: `name/label` and its value."""
    text, _ = exposition(registry(figures_of(**parts())), "")
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.startswith("bittern_info")
    }


LNS = LnsStatistics(
    connections=6,
    connections_opened=10,
    discoveries=1,
    failed_handshakes=0,
    messages_in=20,
    messages_out=30,
    uplinks=15,
    refusals={Refusal.UNKNOWN_GATEWAY: 8},
)


def test_every_component_has_its_figures() -> None:
    found = samples()
    assert found["bittern_intake_copies_total"] == 9
    assert found["bittern_lns_connections"] == 6
    assert found["bittern_lns_uplinks_total"] == 15


def test_what_is_told_apart_is_counted_by_its_kind() -> None:
    found = samples()
    assert {name: count for name, count in found.items() if "/" in name} == {
        "bittern_events_total/joined": 2,
        "bittern_refusals_total/mic mismatch": 3,
        "bittern_lns_refusals_total/unknown_gateway": 8,
        "bittern_api_refused_total/AccessDeniedException": 4,
        "bittern_lane_delivered_total/mqtt": 5,
        "bittern_lane_failed_total/mqtt": 1,
        "bittern_lane_retried_total/mqtt": 2,
        "bittern_lane_in_memory/mqtt": 7,
        "bittern_lane_available/mqtt": 1,
    }


async def test_a_store_that_answers_works() -> None:
    assert await store_check(MemoryStore())() == Health(True, "0 messages owed")


async def test_a_store_that_does_not_answer_says_why() -> None:
    async def away() -> int:
        raise StoreUnavailable("disk full")

    with pytest.raises(StoreUnavailable):
        await store_check(Mock(owed_count=away))()


async def test_a_part_that_knows_how_it_is_is_asked() -> None:
    assert await at_once(lambda: Health(False, "away"))() == Health(False, "away")
