"""Kinds of action for AWS through trouble: nothing is lost, and order holds where it can.

The receiver is closed, slow, frozen and open again, its answers are lost, it has too much to do, an
error of its own, and takes some entries of a batch and not others. `s3` and `sqs` have files of
their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aws_faults import Answer, Behind, Call, Faults, passing_on
from aws_services import ACCOUNT, MISSING, OWN, REASON, REGION, Moto, output_of, url_of
from chaos_proxy import Proxy
from output_chaos import Result, carry, check_arrivals, free_port, nothing_filled

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
with_moto = pytest.mark.skipif(bool(MISSING), reason=REASON)
DEVICES, EACH = 10, 40

Arrivals = list[tuple[int, int]]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)


@dataclass
class Way:
    """What is between an output and its service."""

    proxy: Proxy
    faults: Faults

    @property
    def troubles(self) -> list[Any]:
        return [
            self.proxy.restart,
            self.faults.throttle,
            self.proxy.slow,
            self.faults.take_a_part,
            self.proxy.be_busy,
            self.faults.break_down,
            self.proxy.lose_answers,
            self.proxy.restart,
        ]

    @property
    def spoiled(self) -> dict[str, int]:
        return {
            name: count
            for name, count in {**self.proxy.spoiled, **self.faults.spoiled}.items()
            if name != "open"
        }


@asynccontextmanager
async def way_to(behind: Behind, busy: str) -> AsyncIterator[Way]:
    async with (
        Faults(free_port(), behind, busy) as faults,
        Proxy(free_port(), faults.port) as proxy,
    ):
        yield Way(proxy, faults)


async def through_trouble(
    action: dict[str, Any],
    way: Way,
    folder: Path,
    fill: Callable[[int, int], Mapping[str, str]] = nothing_filled,
    more: list[Any] | None = None,
) -> Result:
    """Every message is delivered, and each trouble was met."""
    async with output_of(action, url_of(way.proxy.port), folder) as output:
        result = await carry(
            output,
            devices=DEVICES,
            each=EACH,
            fill=fill,
            troubles=[*way.troubles, *(more or [])],
            pause_s=0.14,
            within_s=180,
        )
        assert output.health().working
    assert result.rejected == []
    assert result.delivered == DEVICES * EACH
    assert all(count for name, count in way.spoiled.items() if name != "closed"), way.spoiled
    return result


@dataclass
class Case:
    """A kind. `ordered`: the receiver keeps the order of a device."""

    action: dict[str, Any]
    prepare: Callable[[Moto], None]
    arrived: Callable[[Moto], Arrivals]
    busy: str = "ThrottlingException"
    ordered: bool = True
    fill: Callable[[int, int], Mapping[str, str]] = nothing_filled


def document(text: str | bytes) -> tuple[int, int]:
    found = json.loads(text)
    return found["device"], found["n"]


def topic(suffix: str) -> Case:
    """A queue subscribes to it."""
    name = f"uplinks{suffix}"

    def prepare(moto: Moto) -> None:
        sns, fifo = moto.client("sns"), {"FifoQueue": "true"} if suffix else {}
        arn = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if suffix else {})
        moto.client("sqs").create_queue(QueueName=name, Attributes=fifo)
        sns.subscribe(
            TopicArn=arn["TopicArn"],
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            Attributes={"RawMessageDelivery": "true"},
        )

    def arrived(moto: Moto) -> Arrivals:
        sqs = moto.client("sqs")
        url, found = sqs.get_queue_url(QueueName=name)["QueueUrl"], []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [document(one["Body"]) for one in messages]
            handles = [one["ReceiptHandle"] for one in messages]
            sqs.delete_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(at), "ReceiptHandle": one} for at, one in enumerate(handles)],
            )
        return found

    action = {"sns": {"targetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"}}
    return Case(action, prepare, arrived, busy="ThrottledException", ordered=bool(suffix))


def stream() -> Case:
    """Two shards; a record's place in one is its sequence number."""

    def prepare(moto: Moto) -> None:
        moto.client("kinesis").create_stream(StreamName="uplinks", ShardCount=2)

    def arrived(moto: Moto) -> Arrivals:
        kinesis, found = moto.client("kinesis"), []
        for shard in kinesis.list_shards(StreamName="uplinks")["Shards"]:
            iterator = kinesis.get_shard_iterator(
                StreamName="uplinks", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            records = kinesis.get_records(ShardIterator=iterator, Limit=10_000)["Records"]
            assert records
            found += [document(record["Data"]) for record in records]
        return found

    action = {"kinesis": {"streamName": "uplinks"}}
    return Case(action, prepare, arrived, busy="ProvisionedThroughputExceededException")


def delivery_stream() -> Case:
    """Objects in a bucket, of which the service promises no order."""

    def prepare(moto: Moto) -> None:
        configuration = {"LocationConstraint": REGION}
        moto.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration=configuration)
        moto.client("firehose").create_delivery_stream(
            DeliveryStreamName="uplinks",
            S3DestinationConfiguration={
                "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r",
                "BucketARN": "arn:aws:s3:::lake",
            },
        )

    def arrived(moto: Moto) -> Arrivals:
        s3, found = moto.client("s3"), []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="lake"):
            for one in page["Contents"]:
                body = s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read()
                found += [document(line) for line in body.splitlines()]
        return found

    action = {"firehose": {"deliveryStreamName": "uplinks", "separator": "\n"}}
    return Case(action, prepare, arrived, busy="ServiceUnavailableException", ordered=False)


def table(action: dict[str, Any], read: Callable[[Any], tuple[int, int]], **more: Any) -> Case:
    """One item of each device; the table's stream tells its changes in their order."""

    def prepare(moto: Moto) -> None:
        number = "N" if "dynamoDBv2" in action else "S"
        moto.client("dynamodb").create_table(
            TableName="uplinks",
            AttributeDefinitions=[{"AttributeName": "device", "AttributeType": number}],
            KeySchema=[{"AttributeName": "device", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )

    def arrived(moto: Moto) -> Arrivals:
        dynamodb, streams = moto.client("dynamodb"), moto.client("dynamodbstreams")
        arn = dynamodb.describe_table(TableName="uplinks")["Table"]["LatestStreamArn"]
        shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: Arrivals = []
        while records := streams.get_records(ShardIterator=iterator, Limit=1000):
            images = [one["dynamodb"]["NewImage"] for one in records["Records"]]
            # moto updates an item that is not there by putting its key first.
            found += [read(image) for image in images if len(image) > 1]
            iterator = records.get("NextShardIterator")
            if not records["Records"] or iterator is None:
                break
        last = {read(item) for item in dynamodb.scan(TableName="uplinks")["Items"]}
        assert last == {(device, EACH - 1) for device in range(DEVICES)}
        return found

    return Case(action, prepare, arrived, busy="ProvisionedThroughputExceededException", **more)


def keyed(operation: str) -> Case:
    return table(
        {
            "dynamoDB": {
                "tableName": "uplinks",
                "hashKeyField": "device",
                "hashKeyValue": "${device}",
                "operation": operation,
            }
        },
        lambda item: (int(item["device"]["S"]), int(item["payload"]["M"]["n"]["N"])),
        fill=lambda device, number: {"hashKeyValue": str(device)},
    )


def columns() -> Case:
    return table(
        {"dynamoDBv2": {"putItem": {"tableName": "uplinks"}}},
        lambda item: (int(item["device"]["N"]), int(item["n"]["N"])),
    )


def log_group() -> Case:
    def prepare(moto: Moto) -> None:
        moto.client("logs").create_log_group(logGroupName="uplinks")

    def arrived(moto: Moto) -> Arrivals:
        logs, found = moto.client("logs"), []
        [only] = logs.describe_log_streams(logGroupName="uplinks")["logStreams"]
        asked = {"logGroupName": "uplinks", "logStreamName": only["logStreamName"]}
        token = None
        while True:
            more: dict[str, str] = {"nextToken": token} if token else {}
            page = logs.get_log_events(**asked, startFromHead=True, **more)
            found += [document(one["message"]) for one in page["events"]]
            if page["nextForwardToken"] == token:
                return found
            token = page["nextForwardToken"]

    return Case({"cloudwatchLogs": {"logGroupName": "uplinks"}}, prepare, arrived)


CASES = {
    "sns": topic(""),
    "sns.fifo": topic(".fifo"),
    "kinesis": stream(),
    "firehose": delivery_stream(),
    "dynamoDB INSERT": keyed("INSERT"),
    "dynamoDB UPDATE": keyed("UPDATE"),
    "dynamoDBv2": columns(),
    "cloudwatchLogs": log_group(),
}


@with_moto
@pytest.mark.parametrize("name", CASES)
async def test_nothing_is_lost_in_trouble(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    async with Moto(free_port()) as moto, aiohttp.ClientSession() as session:
        await asyncio.to_thread(case.prepare, moto)
        async with way_to(passing_on(moto.url, session), case.busy) as way:
            result = await through_trouble(
                case.action, way, tmp_path, case.fill, more=[moto.freeze]
            )
        arrived = await asyncio.to_thread(case.arrived, moto)
    disorder = out_of_order(arrived)
    copies = check_arrivals(arrived if case.ordered else sorted(arrived), DEVICES, EACH)
    tell(capsys, name, result, copies, disorder, way)


def out_of_order(arrived: Arrivals) -> int:
    """First copies behind a later one of their device."""
    latest, count = dict.fromkeys(range(DEVICES), -1), 0
    for device, number in dict.fromkeys(arrived):
        count += number < latest[device]
        latest[device] = max(latest[device], number)
    return count


def tell(
    capsys: pytest.CaptureFixture[str],
    name: str,
    result: Result,
    copies: int,
    disorder: int,
    way: Way,
) -> None:
    with capsys.disabled():
        print(f"\n{name}: {result}; {copies} copies, {disorder} out of order; {way.spoiled}")


class Functions:
    """A service of functions that keeps what it is invoked with: AWS's answers at once, too."""

    def __init__(self) -> None:
        self.invoked: Arrivals = []

    async def __call__(self, call: Call) -> Answer:
        assert call.path == "/2015-03-31/functions/decode/invocations"
        assert call.headers["X-Amz-Invocation-Type"] == "Event"
        self.invoked.append(document(call.body))
        return Answer(202, b"")


async def test_every_message_invokes_its_function_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = Functions()
    async with way_to(functions, "TooManyRequestsException") as way:
        result = await through_trouble({"lambda": {"functionArn": "decode"}}, way, tmp_path)
    copies = check_arrivals(functions.invoked, DEVICES, EACH)
    tell(capsys, "lambda", result, copies, out_of_order(functions.invoked), way)


class Measures:
    """Timestream's rule: of dimensions, name and time there is one value, and the first one stays
    (Amazon Timestream API Reference, WriteRecords, RejectedRecordsException)."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, int], str] = {}
        self.written: Arrivals = []

    async def __call__(self, call: Call) -> Answer:
        assert call.operation == "WriteRecords"
        records = json.loads(call.body)["Records"]
        refused = []
        for index, record in enumerate(records):
            [dimension] = record["Dimensions"]
            per_s = {"MILLISECONDS": 10**3, "MICROSECONDS": 10**6}[record["TimeUnit"]]
            at = int(record["Time"]) * 10**9 // per_s
            key = (dimension["Value"], record["MeasureName"], at)
            value = record["MeasureValue"]
            if self.values.setdefault(key, value) != value:
                refused.append({"RecordIndex": index, "Reason": "another value at that time"})
            elif record["MeasureName"] == "n":
                self.written.append((int(dimension["Value"]), int(value)))
        if refused:
            told = {"__type": "RejectedRecordsException", "RejectedRecords": refused}
            return Answer(419, json.dumps(told).encode())
        return Answer(200, b"{}")


async def test_every_measure_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measures = Measures()
    action = {
        "timestream": {
            "databaseName": "site",
            "tableName": "uplinks",
            "dimensions": [{"name": "device", "value": "${device}"}],
        }
    }
    async with way_to(measures, "ThrottlingException") as way:
        result = await through_trouble(
            action, way, tmp_path, lambda device, number: {"dimensions.0.value": str(device)}
        )
    copies = check_arrivals(measures.written, DEVICES, EACH)
    times: dict[int, list[int]] = {}
    for device, name, at in measures.values:
        if name == "n":
            times.setdefault(int(device), []).append(at)
    assert all(its == sorted(its) for its in times.values())
    tell(capsys, "timestream", result, copies, out_of_order(measures.written), way)
