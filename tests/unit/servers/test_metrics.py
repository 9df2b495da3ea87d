from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from bittern.outputs.rule_metrics import RuleMetrics, Series
from bittern.servers.metrics import Figures, exposition, registry
from bittern.types import Refusal


def samples(metrics: CollectorRegistry) -> dict[str, float]:
    text, _ = exposition(metrics, "")
    return {
        sample.name + "".join(f"/{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def types(metrics: CollectorRegistry) -> dict[str, str]:
    text, _ = exposition(metrics, "")
    return {family.name: family.type for family in text_string_to_metric_families(text.decode())}


def figures(**statistics: dict[str, float]) -> Figures:
    return Figures(
        version="1.2.3",
        statistics={name: (lambda its=its: its) for name, its in statistics.items()},
    )


def test_figures_are_named_after_their_component() -> None:
    found = samples(registry(figures(intake={"copies": 3, "gathering": 2})))
    assert found["bittern_intake_copies_total"] == 3
    assert found["bittern_intake_gathering"] == 2


def test_what_goes_up_and_down_is_a_gauge_and_all_else_a_counter() -> None:
    found = types(registry(figures(intake={"copies": 3, "gathering": 2})))
    assert found["bittern_intake_copies"] == "counter"
    assert found["bittern_intake_gathering"] == "gauge"


def test_figures_are_read_when_asked_for() -> None:
    statistics: dict[str, float] = {"copies": 1}
    metrics = registry(figures(intake=statistics))
    statistics["copies"] = 2
    assert samples(metrics)["bittern_intake_copies_total"] == 2


def test_tallies_have_a_label() -> None:
    refusals = Counter({Refusal.MIC_MISMATCH: 4})
    tallied = Figures(
        version="1.2.3", statistics={}, tallies=[("refusals", "reason", lambda: refusals)]
    )
    assert samples(registry(tallied))["bittern_refusals_total/mic_mismatch"] == 4


def test_version_and_the_process_itself_are_told() -> None:
    found = samples(registry(figures()))
    assert found["bittern_info/1.2.3"] == 1
    assert found["process_resident_memory_bytes"] > 0


def test_openmetrics_is_spoken_to_who_asks_for_it() -> None:
    text, content_type = exposition(
        registry(figures()), "application/openmetrics-text; version=1.0.0"
    )
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_what_rules_measure_is_beside_the_own_figures() -> None:
    measured = RuleMetrics()
    measured.add(Series("site", "temperature", "None"), 21.5, 1.0)
    found = samples(registry(figures(intake={"copies": 3}), measured))
    assert found["bittern_rule_metric_last/temperature/site/None"] == 21.5
    assert found["bittern_intake_copies_total"] == 3
