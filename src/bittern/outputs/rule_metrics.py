"""What rules measure, for Prometheus: the values that `cloudwatchMetric` was given.

Delivery is at least once: after a crash a value may be counted twice. The figures begin anew with
each start of the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

SERIES = 10_000
"""At most so many; whoever measures more has put what changes into a name."""
LABELS = ("namespace", "name", "unit")


class Series(NamedTuple):
    """What a value is of."""

    namespace: str
    name: str
    unit: str


class _Values:
    __slots__ = ("at", "count", "last", "total")

    def __init__(self) -> None:
        self.count, self.total, self.last, self.at = 0, 0.0, 0.0, float("-inf")


class RuleMetrics(Collector):
    """Register it beside the server's own figures."""

    def __init__(self, limit: int = SERIES) -> None:
        self._limit = limit
        self._series: dict[Series, _Values] = {}

    def add(self, series: Series, value: float, at: float) -> bool:
        """`at` in seconds since 1970. False: there are too many series already."""
        values = self._series.get(series)
        if values is None:
            if len(self._series) >= self._limit:
                return False
            values = self._series[series] = _Values()
        values.count += 1
        values.total += value
        if at >= values.at:
            values.last, values.at = value, at
        return True

    def collect(self) -> Iterator[Metric]:
        summary = SummaryMetricFamily(
            "bittern_rule_metric", "Values that rules measured.", labels=LABELS
        )
        last = GaugeMetricFamily(
            "bittern_rule_metric_last", "The latest value that a rule measured.", labels=LABELS
        )
        for series, values in sorted(self._series.items()):
            summary.add_metric(series, count_value=values.count, sum_value=values.total)
            last.add_metric(series, values.last)
        yield summary
        yield last
