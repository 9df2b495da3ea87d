"""Summary metrics: whether the server keeps them for an account, and what it has kept.

A query that cannot be answered fails by itself, with its reason; the others of the same request
are answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import ApiError
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, moment, wrong
from bittern.api.operations.devices import device_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.api.summary_metrics import METRICS, PERIODS, Metric, aggregated, beginning
from bittern.errors import BitternError
from bittern.store import summaries
from bittern.store.notes import Note
from bittern.store.summaries import DAY_S, Summary, Wanted
from bittern.types import Instant

MOST_QUERIES = 100
MOST_PERIODS = 1000
"""That one query may be about."""
_MESSAGE = 256
"""Characters of an error, as the model has it."""


class _Failed(BitternError):
    """One query cannot be answered."""


async def get_configuration(services: Services, call: Call, parameters: Parameters) -> Answer:
    status = "Enabled" if await _enabled(services, call) else "Disabled"
    return {"SummaryMetric": {"Status": status}}


async def update_configuration(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays. What was kept stays too, until it is too old."""
    status = parameters.get("SummaryMetric", {}).get("Status")
    if status is None:
        return
    body = msgspec.json.encode(Wanted(enabled=status == "Enabled")).decode()
    await services.store.put_notes(
        Note(account=call.account, kind="metrics", name=summaries.SETTING, at=call.now, body=body)
    )
    services.notify.metrics()


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    queries = parameters.get("SummaryMetricQueries", [])
    if len(queries) > MOST_QUERIES:
        raise wrong(
            "summaryMetricQueries", f"Member must have length less than or equal to {MOST_QUERIES}"
        )
    enabled = await _enabled(services, call)
    return {
        "SummaryMetricQueryResults": [
            await _result(services, call, query, enabled) for query in queries
        ]
    }


async def _enabled(services: Services, call: Call) -> bool:
    note = await services.store.note(call.account, "metrics", summaries.SETTING)
    return summaries.wanted_of(note).enabled


async def _result(
    services: Services, call: Call, query: Mapping[str, Any], enabled: bool
) -> Answer:
    try:
        if not enabled:
            raise _Failed("summary metrics are not enabled: see UpdateMetricConfiguration")
        return {**query, "QueryStatus": "Succeeded", **await _answered(services, call, query)}
    except (_Failed, ApiError) as error:
        text = error.message if isinstance(error, ApiError) else str(error)
        return {**query, "QueryStatus": "Failed", "Error": text[:_MESSAGE]}


async def _answered(services: Services, call: Call, query: Mapping[str, Any]) -> Answer:
    for name in ("MetricName", "AggregationPeriod", "StartTimestamp", "EndTimestamp"):
        if name not in query:
            raise _Failed(f"{name} is missing")
    metric, period_s = METRICS[query["MetricName"]], PERIODS[query["AggregationPeriod"]]
    start, end = query["StartTimestamp"].timestamp(), query["EndTimestamp"].timestamp()
    if start >= end:
        raise _Failed("StartTimestamp is not before EndTimestamp")
    if end - start > MOST_PERIODS * period_s:
        raise _Failed(f"the time is longer than {MOST_PERIODS} times AggregationPeriod")
    subject = await _subject(services, call, query, metric)
    hours = await _hours(services, call, subject, beginning(start, period_s), end)
    found = aggregated(hours, metric, period_s)
    return {
        "Timestamps": [moment(Instant(at)) for at, _ in found],
        "Values": [values for _, values in found],
        "Unit": metric.unit,
    }


async def _subject(services: Services, call: Call, query: Mapping[str, Any], metric: Metric) -> str:
    """The id of what is asked about."""
    given = [(one.get("name"), one.get("value", "")) for one in query.get("Dimensions", ())]
    if [name for name, _ in given] != ([metric.dimension] if metric.dimension else []):
        wanted = f"exactly one of name {metric.dimension}" if metric.dimension else "none"
        raise _Failed(f"the metric has other Dimensions: {wanted}")
    if metric.dimension is None:
        return summaries.ACCOUNT
    of = device_of if metric.dimension == "DeviceId" else gateway_of
    return (await of(services, call, given[0][1])).id


async def _hours(
    services: Services, call: Call, subject: str, start: float, end: float
) -> list[tuple[Instant, Summary]]:
    """Those that begin within the time, in order."""
    start = max(start, DAY_S)  # before that nothing was, and no date is before the first one
    if start >= end:
        return []
    last, day_before = (summaries.note_name(subject, at) for at in (end, start - DAY_S))
    most = int((end - start) // DAY_S) + 2
    notes = await services.store.notes(call.account, "summary", day_before, most)
    return [
        (at, one)
        for note in notes
        if note.name <= last
        for at, one in summaries.hours_of(note)
        if start <= at < end
    ]
