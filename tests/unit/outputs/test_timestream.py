from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message
from bittern.outputs.timestream import KIND, TimestreamForm, TimestreamOutput, measure

Make = Callable[..., Message]
PARAMETERS = {
    "databaseName": "site",
    "tableName": "uplinks",
    "dimensions": [{"name": "device", "value": "${DevEui}"}],
}
STAMP = {"timestamp": {"value": "${at}", "unit": "SECONDS"}}


@pytest.fixture
def timestream(stubbed_aws: Any) -> Any:
    return stubbed_aws("timestream-write")


def made(timestream: Any, **more: object) -> TimestreamOutput:
    return TimestreamOutput(
        "rule/1",
        read(PARAMETERS | more, TimestreamForm),
        Aws(calls=1),
        connect=timestream.connect,
        now=lambda: 1.5,
    )


def record(name: str, value: str, kind: str, **more: str) -> dict[str, Any]:
    return {
        "MeasureName": name,
        "MeasureValue": value,
        "MeasureValueType": kind,
        "Dimensions": [{"Name": "device", "Value": "d1"}],
        **({"Time": "1500000", "TimeUnit": "MICROSECONDS"} | more),
    }


async def test_each_attribute_is_a_record(timestream: Any, make_message: Make) -> None:
    timestream.answers(
        "write_records",
        {},
        DatabaseName="site",
        TableName="uplinks",
        Records=[record("t", "21.5", "DOUBLE"), record("n", "7", "BIGINT")],
    )
    async with made(timestream) as output:
        message = make_message('{"t": 21.5, "n": 7, "none": null}', dimensions__0__value="d1")
        assert await output.publish([message]) == {}
    timestream.done()


async def test_no_two_messages_have_the_same_time(timestream: Any, make_message: Make) -> None:
    timestream.answers(
        "write_records",
        {},
        DatabaseName="site",
        TableName="uplinks",
        Records=[record("n", str(n), "BIGINT", Time=str(1_500_000 + n)) for n in range(3)],
    )
    async with made(timestream) as output:
        messages = [make_message(f'{{"n": {n}}}', dimensions__0__value="d1") for n in range(3)]
        assert await output.publish(messages) == {}
    timestream.done()


async def test_a_message_may_say_its_time(timestream: Any, make_message: Make) -> None:
    timestream.answers(
        "write_records",
        {},
        DatabaseName="site",
        TableName="uplinks",
        Records=[record("n", "7", "BIGINT", Time="99", TimeUnit="SECONDS")],
    )
    async with made(timestream, **STAMP) as output:
        message = make_message('{"n": 7}', dimensions__0__value="d1", timestamp__value="99")
        assert await output.publish([message]) == {}
    timestream.done()


async def test_records_that_were_refused_reject_their_messages(
    timestream: Any, make_message: Make
) -> None:
    timestream.fails(
        "write_records",
        "RejectedRecordsException",
        419,
        RejectedRecords=[{"RecordIndex": 2, "Reason": "older than the table keeps"}],
    )
    async with made(timestream) as output:
        failures = await output.publish([make_message('{"a": 1, "b": 2}') for _ in range(2)])
    assert list(failures) == [1]
    assert "older than the table keeps" in str(failures[1])


async def test_a_busy_service_is_tried_again(timestream: Any, make_message: Make) -> None:
    timestream.fails("write_records", "ThrottlingException")
    async with made(timestream) as output:
        failures = await output.publish([make_message()])
    assert isinstance(failures[0], DeliveryUnavailable)


@pytest.mark.parametrize("payload", ["[1]", "{}", '{"a": null}', "x"])
async def test_what_measures_nothing_is_rejected(
    timestream: Any, make_message: Make, payload: str
) -> None:
    async with made(timestream) as output:
        failures = await output.publish([make_message(payload)])
    assert isinstance(failures[0], DeliveryRejected)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "BOOLEAN", "true"),
        (7, "BIGINT", "7"),
        (1e-9, "DOUBLE", "1e-09"),
        ("x", "VARCHAR", "x"),
        ({"a": [1]}, "VARCHAR", '{"a":[1]}'),
    ],
)
def test_values_keep_their_types(value: object, kind: str, text: str) -> None:
    expected = {"MeasureName": "m", "MeasureValue": text, "MeasureValueType": kind}
    assert measure("m", value) == expected


def test_names_and_values_are_templates() -> None:
    assert KIND.templates(PARAMETERS | STAMP) == {
        "databaseName": "site",
        "tableName": "uplinks",
        "dimensions.0.name": "device",
        "dimensions.0.value": "${DevEui}",
        "timestamp.value": "${at}",
        "timestamp.unit": "SECONDS",
    }


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"dimensions": []}, "dimensions"),
        ({"dimensions": [{"name": "time", "value": "x"}]}, r"dimensions\[0\].name"),
        ({"dimensions": [{"name": "a:b", "value": "x"}]}, r"dimensions\[0\].name"),
        ({"timestamp": {"value": "1", "unit": "DAYS"}}, "timestamp.unit"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(RuleError, match=problem):
        checked({"timestream": PARAMETERS | more})
