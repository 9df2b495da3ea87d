"""`cloudwatchMetric`: each message is a value of a metric that Prometheus reads here.

In ``/metrics`` it is ``bittern_rule_metric_count`` and ``_sum`` and ``bittern_rule_metric_last``,
with the labels ``namespace``, ``name`` and ``unit``. Nothing goes to AWS.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from bittern.errors import DeliveryRejected
from bittern.outputs.in_order import Fates
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message
from bittern.outputs.rule_metrics import RuleMetrics, Series
from bittern.outputs.service import ServiceOutput

_SIZES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
          "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count")  # fmt: skip
_RATES = tuple(f"{size}/Second" for size in _SIZES)
UNITS = frozenset(("Seconds", "Microseconds", "Milliseconds", "Percent", "None", *_SIZES, *_RATES))
"""Amazon CloudWatch API Reference, MetricDatum."""
NAME_CHARACTERS = 255


class CloudwatchMetricForm(Form, frozen=True, kw_only=True):
    metric_namespace: str
    metric_name: str
    metric_value: str
    metric_unit: str
    metric_timestamp: str | None = None


class MetricOutput(ServiceOutput):
    def __init__(
        self,
        name: str,
        form: CloudwatchMetricForm,
        metrics: RuleMetrics,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name)
        self._form = form
        self._metrics = metrics
        self._now = now
        self._latest = float("-inf")

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        for place, message in enumerate(messages):
            try:
                self._add(message)
            except DeliveryRejected as rejection:
                fates[place] = rejection
        return fates

    def _add(self, message: Message) -> None:
        form = self._form
        stamp = filled(message, "metricTimestamp", form.metric_timestamp or "")
        series = Series(
            _name(filled(message, "metricNamespace", form.metric_namespace), "metricNamespace"),
            _name(filled(message, "metricName", form.metric_name), "metricName"),
            _unit(filled(message, "metricUnit", form.metric_unit)),
        )
        value = _number(filled(message, "metricValue", form.metric_value), "metricValue")
        at = _number(stamp, "metricTimestamp") if stamp else self._time()
        if not self._metrics.add(series, value, at):
            raise DeliveryRejected("too many metrics: a name holds what changes with each message")

    def _time(self) -> float:
        """Never before that of the last message: a clock that is set back hides no value."""
        self._latest = max(self._latest, self._now())
        return self._latest


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DeliveryRejected(f"{where}: not a number: {text[:40]!r}")
    return value


def _name(text: str, where: str) -> str:
    if not 0 < len(text) <= NAME_CHARACTERS:
        raise DeliveryRejected(f"{where}: 1 to {NAME_CHARACTERS} characters")
    return text


def _unit(text: str) -> str:
    if text not in UNITS:
        raise DeliveryRejected(f"metricUnit: no unit of CloudWatch: {text[:40]!r}")
    return text


def check(parameters: Parameters) -> None:
    form = read(parameters, CloudwatchMetricForm)
    if form.metric_unit not in UNITS and "${" not in form.metric_unit:
        raise ValueError(f"metricUnit: one of {', '.join(sorted(UNITS))}")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> MetricOutput:
    return MetricOutput(name, read(parameters, CloudwatchMetricForm), surroundings.metrics)


KIND = Kind(
    name="cloudwatchMetric",
    check=check,
    templates=lambda parameters: templates(
        parameters,
        "metricNamespace",
        "metricName",
        "metricValue",
        "metricUnit",
        "metricTimestamp",
    ),
    make=make,
)
