from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from bittern.outputs.rule_metrics import RuleMetrics, Series

ROOF = Series("site", "temperature", "None")


def exposed(metrics: RuleMetrics) -> list[str]:
    registry = CollectorRegistry()
    registry.register(metrics)
    return [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]


def test_values_are_counted_and_added_and_the_latest_stays() -> None:
    metrics = RuleMetrics()
    for value, at in ((20.0, 1.0), (22.0, 3.0), (21.0, 2.0)):
        assert metrics.add(ROOF, value, at)
    labels = '{name="temperature",namespace="site",unit="None"}'
    assert exposed(metrics) == [
        f"bittern_rule_metric_count{labels} 3.0",
        f"bittern_rule_metric_sum{labels} 63.0",
        f"bittern_rule_metric_last{labels} 22.0",
    ]


def test_what_a_rule_writes_into_a_name_cannot_break_the_page() -> None:
    metrics = RuleMetrics()
    metrics.add(Series('a"b\n', "\\", "None"), 1.0, 1.0)
    assert len(exposed(metrics)) == 3


def test_series_are_bounded() -> None:
    metrics = RuleMetrics(limit=1)
    assert metrics.add(ROOF, 1.0, 1.0)
    assert not metrics.add(ROOF._replace(name="other"), 1.0, 1.0)
    assert metrics.add(ROOF, 2.0, 2.0)
