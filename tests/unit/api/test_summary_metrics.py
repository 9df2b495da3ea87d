from __future__ import annotations

import statistics as reference

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.api.model import service
from bittern.api.summary_metrics import METRICS, PERIODS, aggregated, beginning, statistics
from bittern.store.summaries import Summary
from bittern.types import Instant

FRIDAY = 1_767_312_000.0  # 2026-01-02T00:00:00Z
MONDAY = FRIDAY - 4 * 86_400


def hours(*found: tuple[float, Summary]) -> list[tuple[Instant, Summary]]:
    return [(Instant(FRIDAY + at * 3600), one) for at, one in found]


def test_every_metric_and_period_of_the_model_is_known() -> None:
    shapes = service("iotwireless").operation("GetMetrics").input
    assert shapes is not None
    query = shapes.members["SummaryMetricQueries"].member
    assert set(METRICS) == set(query.members["MetricName"].enum)
    assert set(PERIODS) == set(query.members["AggregationPeriod"].enum)


def test_periods_begin_with_hours_days_and_mondays() -> None:
    at = FRIDAY + 3 * 3600 + 17
    assert beginning(at, PERIODS["OneHour"]) == FRIDAY + 3 * 3600
    assert beginning(at, PERIODS["OneDay"]) == FRIDAY
    assert beginning(at, PERIODS["OneWeek"]) == MONDAY
    assert beginning(MONDAY, PERIODS["OneWeek"]) == MONDAY


def test_signals_are_those_of_every_reception() -> None:
    found = hours(
        (0, Summary(rssi_dbm={-80: 1, -90: 2}, snr_quarters={29: 3})),
        (1, Summary(rssi_dbm={-100: 1})),
        (24, Summary(uplinks=1)),
    )
    [(at, values)] = aggregated(found, METRICS["DeviceRSSI"], PERIODS["OneDay"])
    assert at == FRIDAY
    assert values == {
        "Min": -100,
        "Max": -80,
        "Sum": -360,
        "Avg": -90,
        "Std": pytest.approx(7.0710678),
        "P90": -80,
    }
    by_hour = aggregated(found, METRICS["GatewaySNR"], PERIODS["OneHour"])
    assert [(at, values["Avg"]) for at, values in by_hour] == [(FRIDAY, 7.25)]


def test_counts_are_those_of_each_hour() -> None:
    found = hours(*((hour, Summary(uplinks=hour)) for hour in range(4)), (24, Summary()))
    friday, saturday = aggregated(found, METRICS["AwsAccountUplinkCount"], PERIODS["OneDay"])
    assert (friday[1]["Min"], friday[1]["Max"], friday[1]["Sum"], friday[1]["Avg"]) == (
        0,
        3,
        6,
        1.5,
    )
    assert saturday == (FRIDAY + 86_400, dict.fromkeys(friday[1], 0.0))


def test_losses_are_a_part_of_what_was_sent() -> None:
    found = hours((0, Summary(uplinks=3, lost=1)), (1, Summary()), (2, Summary(lost=2)))
    [(_, values)] = aggregated(found, METRICS["DeviceUplinkLostRate"], PERIODS["OneDay"])
    assert (values["Min"], values["Max"], values["Avg"]) == (25, 100, 62.5)


def test_counts_of_what_there_is_need_to_have_been_looked_at() -> None:
    found = hours((0, Summary(devices=3, active_devices=1)), (1, Summary()))
    [(_, values)] = aggregated(found, METRICS["AwsAccountDeviceCount"], PERIODS["OneDay"])
    assert values["Sum"] == 3
    [(_, values)] = aggregated(found, METRICS["AwsAccountActiveDeviceCount"], PERIODS["OneDay"])
    assert values["Max"] == 1


def test_nothing_roams() -> None:
    found = hours((0, Summary(uplinks=3, downlinks=2, rssi_dbm={-80: 1})))
    for name, metric in METRICS.items():
        if "Roaming" in name:
            assert aggregated(found, metric, 3600) == []


@given(st.lists(st.integers(-200, 100), min_size=1, max_size=60))
def test_how_often_a_value_was_seen_is_as_good_as_seeing_it(values: list[int]) -> None:
    told = statistics([(value, values.count(value)) for value in set(values)])
    assert told["Min"] == min(values)
    assert told["Max"] == max(values)
    assert told["Sum"] == sum(values)
    assert told["Avg"] == pytest.approx(reference.fmean(values))
    assert told["Std"] == pytest.approx(reference.pstdev(values), abs=1e-9)
    assert sum(value <= told["P90"] for value in values) >= 0.9 * len(values)
    assert sum(value < told["P90"] for value in values) < 0.9 * len(values)
