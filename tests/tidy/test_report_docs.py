"""What `docs/reports.md` says of metrics and settings is so."""

from __future__ import annotations

import re
from pathlib import Path

from bittern.api.operations import log_levels, metrics, network_analyzer, resource_positions
from bittern.api.summary_metrics import METRICS
from bittern.config import Configuration
from bittern.servers.summary_keeper import KEEP_S

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
PREFIXES = {"device": "Device", "gateway": "Gateway", "account": "AwsAccount"}


def test_every_metric_is_there_with_its_unit() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| `(\w+)` \| (\w+) \|", PAGE, re.MULTILINE)
    told = {PREFIXES[of] + name: unit for kinds, name, unit in rows for of in kinds.split(", ")}
    assert told == {name: metric.unit for name, metric in METRICS.items()}


def test_every_number_is_the_codes() -> None:
    configuration = Configuration()
    assert KEEP_S == 300
    for text in (
        f"for {configuration.network.summary_days:g} days",
        f"about {metrics.MOST_PERIODS} periods at most",
        f"holds {metrics.MOST_QUERIES} of them",
        f"`PutResourceLogLevel`, {log_levels.MOST_OF_ONE} in an account",
        f"{resource_positions.MOST_BYTES}\nbytes",
        f"{network_analyzer.MOST_RESOURCES} devices and gateways",
        f"and {network_analyzer.MOST_GROUPS} multicast groups",
        f"`{network_analyzer.DEFAULT_NAME}`",
    ):
        assert text in PAGE
