"""What Prometheus reads: the figures that components keep anyway, collected when it asks.

Nothing here is on the path of a frame. A component offers `statistics()`, a mapping of names to
numbers; `intake.statistics()["copies"]` becomes `bittern_intake_copies_total`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

Statistics = Callable[[], Mapping[str, float]]
Tally = Callable[[], Mapping[str, int]]

_LEVELS = frozenset(
    {
        "addresses_failing",
        "batches_under_way",
        "budget_bytes",
        "connections",
        "durable_sessions",
        "durable_sessions_behind",
        "full",
        "gathering",
        "head_lost",
        "in_flight",
        "in_memory",
        "kept",
        "kept_bytes",
        "lanes",
        "outputs_unavailable",
        "owed",
        "queued",
        "reading_back",
        "retained",
        "unacknowledged",
        "used_bytes",
        "watchers",
    }
)
"""Statistics that go up and down; every other one only grows while the process lives."""


class Figures(Collector):
    """All figures of the process. `tallies` are counted by one label: name, label, source;
    `levels` go up and down."""

    def __init__(
        self,
        *,
        version: str,
        statistics: Mapping[str, Statistics],
        tallies: Iterable[tuple[str, str, Tally]] = (),
        levels: Iterable[tuple[str, str, Tally]] = (),
    ) -> None:
        self._version = version
        self._statistics = dict(statistics)
        self._tallies = list(tallies)
        self._levels = list(levels)

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("bittern", "The running bittern.", {"version": self._version})
        for name, label, tally in self._tallies:
            yield _tallied(CounterMetricFamily, name, label, tally())
        for name, label, level in self._levels:
            yield _tallied(GaugeMetricFamily, name, label, level())
        for component, statistics in self._statistics.items():
            for name, value in statistics().items():
                yield _figure(component, name, value)


def registry(figures: Figures, *others: Collector) -> CollectorRegistry:
    """`figures`, what `others` collect (what rules measure), and what the system knows of the
    process: CPU seconds, memory, open files."""
    made = CollectorRegistry()
    for collector in (figures, *others):
        made.register(collector)
    ProcessCollector(registry=made)
    return made


def exposition(metrics: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Text and its content type, in the format that the `Accept` header asks for."""
    encoder, content_type = choose_encoder(accept)
    return encoder(metrics), content_type


def _tallied(
    kind: type[CounterMetricFamily | GaugeMetricFamily],
    name: str,
    label: str,
    counts: Mapping[str, int],
) -> Metric:
    family = kind(f"bittern_{name}", f"{_words(name)} by {label}.", labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([str(value)], count)
    return family


def _figure(component: str, name: str, value: float) -> Metric:
    full, text = f"bittern_{component}_{name}", f"{_words(component)}: {name.replace('_', ' ')}."
    if name in _LEVELS:
        return GaugeMetricFamily(full, text, value)
    return CounterMetricFamily(full, text, value)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
