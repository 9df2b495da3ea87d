from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, RuleError
from bittern.outputs.cloudwatch_metric import KIND, CloudwatchMetricForm, MetricOutput
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.outputs.rule_metrics import RuleMetrics, Series

Make = Callable[..., Message]
PARAMETERS = {
    "metricNamespace": "site",
    "metricName": "temperature",
    "metricValue": "${t}",
    "metricUnit": "None",
    "metricTimestamp": "${at}",
}


class Metrics(RuleMetrics):
    def __init__(self) -> None:
        super().__init__()
        self.added: list[tuple[Series, float, float]] = []
        self.full = False

    def add(self, series: Series, value: float, at: float) -> bool:
        self.added.append((series, value, at))
        return not self.full


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def output(metrics: Metrics) -> MetricOutput:
    form = read(PARAMETERS, CloudwatchMetricForm)
    return MetricOutput("rule/1", form, metrics, now=lambda: 9.0)


async def test_a_value_is_added(output: MetricOutput, metrics: Metrics, make_message: Make) -> None:
    async with output:
        messages = [
            make_message(metricValue="21.5", metricTimestamp="5", metricName="humidity"),
            make_message(metricValue="-1", metricTimestamp=""),
        ]
        assert await output.publish(messages) == {}
    assert metrics.added == [
        (Series("site", "humidity", "None"), 21.5, 5.0),
        (Series("site", "temperature", "None"), -1.0, 9.0),
    ]


async def test_a_clock_that_is_set_back_hides_no_value(
    metrics: Metrics, make_message: Make
) -> None:
    clock = iter((9.0, 5.0, 10.0))
    form = read(PARAMETERS, CloudwatchMetricForm)
    async with MetricOutput("rule/1", form, metrics, now=lambda: next(clock)) as output:
        messages = [make_message(metricValue="1", metricTimestamp="") for _ in range(3)]
        assert await output.publish(messages) == {}
    assert [at for _, _, at in metrics.added] == [9.0, 9.0, 10.0]


@pytest.mark.parametrize(
    "filled",
    [
        {"metricValue": "warm"},
        {"metricValue": "nan"},
        {"metricValue": "1", "metricTimestamp": "noon"},
        {"metricValue": "1", "metricUnit": "Kelvin"},
        {"metricValue": "1", "metricName": ""},
        {"metricValue": "1", "metricNamespace": "x" * 256},
    ],
)
async def test_what_measures_nothing_is_rejected(
    output: MetricOutput, metrics: Metrics, make_message: Make, filled: dict[str, str]
) -> None:
    failures = await output.publish([make_message(**({"metricTimestamp": ""} | filled))])
    assert isinstance(failures[0], DeliveryRejected)
    assert metrics.added == []


async def test_too_many_metrics_are_refused(
    output: MetricOutput, metrics: Metrics, make_message: Make
) -> None:
    metrics.full = True
    failures = await output.publish([make_message(metricValue="1", metricTimestamp="")])
    assert "too many" in str(failures[0])


def test_all_are_templates() -> None:
    assert KIND.templates(PARAMETERS) == PARAMETERS


@pytest.mark.parametrize(
    ("more", "problem"),
    [({"metricUnit": "Kelvin"}, "metricUnit"), ({"metricName": 1}, "metricName")],
)
def test_parameters_that_cannot_be_used_are_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(RuleError, match=problem):
        checked({"cloudwatchMetric": PARAMETERS | more})
