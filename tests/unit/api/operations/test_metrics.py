from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bittern.api.front import Front
from bittern.api.operations import Notify, handlers
from bittern.api.summary_metrics import METRICS
from bittern.store import summaries
from bittern.store.notes import Note
from bittern.store.summaries import Summary
from bittern.types import Instant

HOUR = datetime(2026, 1, 2, 3, tzinfo=UTC)
NOBODY = "00000000-0000-4000-8000-000000000000"
ACCOUNT = "123456789012"


def enable(client: Any, status: str = "Enabled") -> Any:
    return client.update_metric_configuration(SummaryMetric={"Status": status})


def status(client: Any) -> Any:
    return client.get_metric_configuration()["SummaryMetric"]["Status"]


def kept(api: Any, subject: str, *days: tuple[datetime, dict[int, Summary]]) -> None:
    """As the keeper keeps it."""
    notes = [
        Note(
            account=ACCOUNT,
            kind="summary",
            name=summaries.note_name(subject, day.timestamp()),
            at=Instant(day.timestamp()),
            body=summaries.day_text(hours),
        )
        for day, hours in days
    ]
    asyncio.run(api.store.put_notes(*notes))


def query(name: str, *dimension: str, **more: Any) -> dict[str, Any]:
    return {
        "QueryId": "q",
        "MetricName": name,
        "AggregationPeriod": "OneHour",
        "StartTimestamp": HOUR,
        "EndTimestamp": HOUR + timedelta(hours=2),
        **(
            {"Dimensions": [dict(zip(("name", "value"), dimension, strict=True))]}
            if dimension
            else {}
        ),
        **more,
    }


def asked(client: Any, *queries: dict[str, Any]) -> Any:
    return client.get_metrics(SummaryMetricQueries=list(queries))["SummaryMetricQueryResults"]


def failed(client: Any, one: dict[str, Any]) -> str:
    [result] = asked(client, one)
    assert result["QueryStatus"] == "Failed"
    assert {name: result[name] for name in one} == one
    assert not {"Timestamps", "Values", "Unit"} & result.keys()
    error: str = result["Error"]
    return error


def test_metrics_are_off_until_an_account_enables_them(api: Any) -> None:
    assert status(api.wireless) == "Disabled"
    done = enable(api.wireless)
    assert done["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert (status(api.wireless), status(api.other)) == ("Enabled", "Disabled")
    api.wireless.update_metric_configuration()
    api.wireless.update_metric_configuration(SummaryMetric={})
    assert status(api.wireless) == "Enabled"
    enable(api.wireless, "Disabled")
    assert status(api.wireless) == "Disabled"


def test_a_status_must_be_known(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        enable(api.wireless, "Perhaps")


def test_a_query_fails_while_metrics_are_off(api: Any) -> None:
    assert "not enabled" in failed(api.wireless, query("AwsAccountDeviceCount"))


def test_what_was_kept_is_told_in_order(api: Any) -> None:
    enable(api.wireless)
    device, gateway = api.device()["Id"], api.gateway()
    kept(
        api,
        device,
        (HOUR - timedelta(days=1), {4: Summary(uplinks=9)}),
        (HOUR, {2: Summary(uplinks=9), 3: Summary(uplinks=1), 4: Summary(uplinks=2)}),
        (HOUR, {5: Summary(uplinks=9), 3: Summary(uplinks=1), 4: Summary(uplinks=2)}),
    )
    kept(api, gateway, (HOUR, {3: Summary(rssi_dbm={-90: 3, -80: 1})}))
    first, second = asked(
        api.wireless,
        query("DeviceUplinkCount", "DeviceId", device),
        query("GatewayRSSI", "GatewayId", gateway, QueryId="r"),
    )
    assert (first["QueryId"], first["QueryStatus"], first["Unit"]) == ("q", "Succeeded", "Count")
    assert first["Timestamps"] == [HOUR, HOUR + timedelta(hours=1)]
    assert [one["Sum"] for one in first["Values"]] == [1, 2]
    assert first["Dimensions"] == [{"name": "DeviceId", "value": device}]
    assert (second["QueryId"], second["Unit"]) == ("r", "dBm")
    [values] = second["Values"]
    assert values.keys() == {"Min", "Max", "Sum", "Avg", "Std", "P90"}
    assert (values["Min"], values["Max"], values["Avg"]) == (-90, -80, -87.5)


def test_days_and_weeks_join_hours(api: Any) -> None:
    enable(api.wireless)
    for day in range(9):
        kept(
            api,
            summaries.ACCOUNT,
            (HOUR + timedelta(days=day), {3: Summary(uplinks=day), 9: Summary(uplinks=1)}),
        )
    times = {"StartTimestamp": HOUR, "EndTimestamp": HOUR + timedelta(days=9)}
    days, weeks = (
        asked(api.wireless, query("AwsAccountUplinkCount", AggregationPeriod=period, **times))[0]
        for period in ("OneDay", "OneWeek")
    )
    midnight = HOUR.replace(hour=0)
    assert days["Timestamps"] == [midnight + timedelta(days=day) for day in range(9)]
    assert [one["Sum"] for one in days["Values"]] == [day + 1 for day in range(9)]
    monday = midnight - timedelta(days=4)
    assert weeks["Timestamps"] == [monday, monday + timedelta(days=7)]
    assert [one["Sum"] for one in weeks["Values"]] == [6, 39]


def test_every_metric_is_answered(api: Any) -> None:
    enable(api.wireless)
    named = {"DeviceId": api.device()["Id"], "GatewayId": api.gateway(), None: ""}
    for subject in (named["DeviceId"], named["GatewayId"], summaries.ACCOUNT):
        kept(
            api,
            subject,
            (
                HOUR,
                {
                    3: Summary(
                        uplinks=1, rssi_dbm={-80: 1}, snr_quarters={4: 1}, devices=1, gateways=1
                    )
                },
            ),
        )
    results = asked(
        api.wireless,
        *(
            query(name, *([metric.dimension, named[metric.dimension]] if metric.dimension else []))
            for name, metric in METRICS.items()
        ),
    )
    assert [one["QueryStatus"] for one in results] == ["Succeeded"] * len(METRICS)
    for one in results:
        count = 0 if "Roaming" in one["MetricName"] else 1
        assert (len(one["Timestamps"]), len(one["Values"])) == (count, count), one["MetricName"]


def test_nothing_was_kept(api: Any) -> None:
    enable(api.wireless)
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    for times in (
        {},
        {"StartTimestamp": long_ago, "EndTimestamp": long_ago + timedelta(hours=1)},
        {
            "EndTimestamp": datetime(1970, 1, 1, 1, tzinfo=UTC),
            "StartTimestamp": datetime(1970, 1, 1, tzinfo=UTC),
        },
    ):
        [result] = asked(api.wireless, query("AwsAccountUplinkCount", **times))
        assert (result["QueryStatus"], result["Timestamps"], result["Values"]) == (
            "Succeeded",
            [],
            [],
        )
    assert api.wireless.get_metrics()["SummaryMetricQueryResults"] == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"MetricName": None}, "MetricName is missing"),
        ({"AggregationPeriod": None}, "AggregationPeriod is missing"),
        ({"StartTimestamp": None}, "StartTimestamp is missing"),
        ({"EndTimestamp": None}, "EndTimestamp is missing"),
        ({"EndTimestamp": HOUR}, "not before"),
        ({"EndTimestamp": HOUR + timedelta(hours=1001)}, "longer than 1000"),
        ({"Dimensions": None}, "DeviceId"),
        ({"Dimensions": [{"name": "GatewayId", "value": NOBODY}]}, "DeviceId"),
        ({"Dimensions": [{"name": "DeviceId", "value": NOBODY}] * 2}, "DeviceId"),
        ({"Dimensions": [{"name": "DeviceId", "value": NOBODY}]}, NOBODY),
        ({"Dimensions": [{"name": "DeviceId"}]}, "does not exist"),
        ({"MetricName": "AwsAccountDeviceCount"}, "none"),
    ],
)
def test_a_query_fails_by_itself_and_says_why(
    api: Any, change: dict[str, Any], reason: str
) -> None:
    enable(api.wireless)
    device = api.device()["Id"]
    good = query("DeviceUplinkCount", "DeviceId", device)
    bad = {name: value for name, value in (good | change).items() if value is not None}
    assert reason in failed(api.wireless, bad)
    assert [one["QueryStatus"] for one in asked(api.wireless, bad, good)] == ["Failed", "Succeeded"]


def test_another_accounts_device_does_not_exist(api: Any) -> None:
    enable(api.other)
    device = api.device()["Id"]
    assert "does not exist" in failed(api.other, query("DeviceRSSI", "DeviceId", device))


def test_queries_are_bounded_and_their_names_known(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        asked(api.wireless, *[query("AwsAccountDeviceCount")] * 101)
    with refused("ValidationException"):
        asked(api.wireless, query("DeviceHappiness"))


def test_whoever_keeps_summaries_is_told_of_a_change(api: Any) -> None:
    told: list[int] = []
    services = dataclasses.replace(api.services, notify=Notify(metrics=lambda: told.append(1)))
    api.front = Front(handlers(services), api.front._credentials, region="eu-west-1")
    client = api.client()
    enable(client)
    client.update_metric_configuration()
    assert told == [1]
