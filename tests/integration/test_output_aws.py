"""Every kind of action for AWS, against a server that speaks like AWS."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

sys.path.insert(0, str(Path(__file__).parent))
from aws_services import ACCOUNT, MISSING, OWN, REASON, REGION, Moto, message, output_of
from output_chaos import free_port

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Failures, Message

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(MISSING), reason=REASON),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moto() -> AsyncIterator[Moto]:
    async with Moto(free_port()) as running:
        yield running


async def publish(moto: Moto, folder: Path, action: dict[str, Any], *messages: Message) -> Failures:
    async with output_of(action, moto.url, folder) as output:
        failures = await output.publish(messages)
        assert output.statistics()["delivered"] == len(messages) - len(failures)
        return failures


async def test_objects_are_in_their_bucket(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.client("s3")
    s3.create_bucket(Bucket="uplinks", CreateBucketConfiguration={"LocationConstraint": REGION})
    action = {"s3": {"bucketName": "uplinks", "key": "${k}", "cannedAcl": "public-read"}}
    messages = [message("ü", number, key=f"a/{number} ü") for number in range(20)]
    assert await publish(moto, tmp_path, action, *messages) == {}
    found = s3.get_object(Bucket="uplinks", Key="a/7 ü")
    assert found["Body"].read().decode() == "ü"
    assert found["Metadata"] == {"bittern-message-id": "m7"}
    grants = s3.get_object_acl(Bucket="uplinks", Key="a/7 ü")["Grants"]
    assert "READ" in {grant["Permission"] for grant in grants}


async def test_queues_take_text_and_base64(moto: Moto, tmp_path: Path) -> None:
    sqs = moto.client("sqs")
    url = sqs.create_queue(QueueName="uplinks")["QueueUrl"]
    for use, payload in ((False, "text"), (True, "ÿ")):
        action = {"sqs": {"queueUrl": url, "useBase64": use}}
        assert await publish(moto, tmp_path, action, message(payload, 1)) == {}
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    bodies = {one["Body"] for one in found}
    assert bodies == {"text", base64.b64encode("ÿ".encode()).decode()}
    ids = {one["MessageAttributes"]["Bittern-Message-Id"]["StringValue"] for one in found}
    assert ids == {"m1"}


async def test_topics_take_raw_and_structured_messages(moto: Moto, tmp_path: Path) -> None:
    sns, sqs = moto.client("sns"), moto.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    url = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarms")
    raw = {"sns": {"targetArn": topic}}
    assert await publish(moto, tmp_path, raw, message("text", 1), message("more", 2)) == {}
    structured = {"sns": {"targetArn": topic, "messageFormat": "JSON"}}
    payload = json.dumps({"default": "d", "sqs": "for queues"})
    assert await publish(moto, tmp_path, structured, message(payload, 3)) == {}
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {json.loads(one["Body"])["Message"] for one in found} >= {"text", "more"}
    assert len(found) == 3


async def test_records_of_a_stream_are_in_order(moto: Moto, tmp_path: Path) -> None:
    kinesis = moto.client("kinesis")
    kinesis.create_stream(StreamName="uplinks", ShardCount=1)
    messages = [message(str(number), number, device=number % 3) for number in range(30)]
    action = {"kinesis": {"streamName": "uplinks"}}
    assert await publish(moto, tmp_path, action, *messages) == {}
    [shard] = kinesis.list_shards(StreamName="uplinks")["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName="uplinks", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    for key in {record["PartitionKey"] for record in records}:
        numbers = [int(record["Data"]) for record in records if record["PartitionKey"] == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


async def test_a_delivery_stream_writes_separated_records(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    moto.client("firehose").create_delivery_stream(
        DeliveryStreamName="uplinks",
        S3DestinationConfiguration={
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r",
            "BucketARN": "arn:aws:s3:::lake",
        },
    )
    action = {"firehose": {"deliveryStreamName": "uplinks", "separator": "\n", "batchMode": True}}
    assert await publish(moto, tmp_path, action, message("[1, 2]", 1), message("3", 2)) == {}
    [found] = s3.list_objects_v2(Bucket="lake")["Contents"]
    assert s3.get_object(Bucket="lake", Key=found["Key"])["Body"].read() == b"1\n2\n3\n"


async def test_items_are_put_updated_and_deleted(moto: Moto, tmp_path: Path) -> None:
    dynamodb = table(moto, "by-key")
    action = {
        "dynamoDB": {
            "tableName": "by-key",
            "hashKeyField": "id",
            "hashKeyValue": "${id}",
            "operation": "${op}",
        }
    }
    messages = [
        message('{"t": 1.50}', 1, hashKeyValue="a", operation="INSERT"),
        message('{"t": 2}', 2, hashKeyValue="a", operation="UPDATE"),
        message("x", 3, hashKeyValue="b", operation="INSERT"),
        message("x", 4, hashKeyValue="b", operation="DELETE"),
        message("[]", 5, hashKeyValue="", operation="INSERT"),
    ]
    failures = await publish(moto, tmp_path, action, *messages)
    assert list(failures) == [4]
    assert isinstance(failures[4], DeliveryRejected)
    assert dynamodb.scan(TableName="by-key")["Items"] == [
        {"id": {"S": "a"}, "payload": {"M": {"t": {"N": "2"}}}}
    ]


async def test_attributes_are_columns_and_the_last_of_a_device_stays(
    moto: Moto, tmp_path: Path
) -> None:
    dynamodb = table(moto, "columns")
    action = {"dynamoDBv2": {"putItem": {"tableName": "columns"}}}
    messages = [
        message(f'{{"id": "d{number % 4}", "n": {number}, "nested": [null]}}', number, number % 4)
        for number in range(40)
    ]
    bad = message('{"no": "key"}', 40, device=9)
    failures = await publish(moto, tmp_path, action, *messages, bad)
    assert list(failures) == [40]
    items = {one["id"]["S"]: one for one in dynamodb.scan(TableName="columns")["Items"]}
    assert {name: one["n"]["N"] for name, one in items.items()} == {
        "d0": "36",
        "d1": "37",
        "d2": "38",
        "d3": "39",
    }
    assert items["d0"]["nested"] == {"L": [{"NULL": True}]}


async def test_measures_are_records(moto: Moto, tmp_path: Path) -> None:
    timestream = moto.client("timestream-write")
    timestream.create_database(DatabaseName="site")
    timestream.create_table(DatabaseName="site", TableName="uplinks")
    action = {
        "timestream": {
            "databaseName": "site",
            "tableName": "uplinks",
            "dimensions": [{"name": "device", "value": "${d}"}],
        }
    }
    one = message('{"t": 21.5, "ok": true}', 1, dimensions__0__value="d1")
    assert await publish(moto, tmp_path, action, *[one] * 60) == {}
    action["timestream"]["tableName"] = "missing"
    failures = await publish(moto, tmp_path, action, one)
    assert isinstance(failures[0], DeliveryRejected)


async def test_a_log_group_takes_events(moto: Moto, tmp_path: Path) -> None:
    logs = moto.client("logs")
    logs.create_log_group(logGroupName="/site/uplinks")
    action = {"cloudwatchLogs": {"logGroupName": "/site/uplinks"}}
    assert await publish(moto, tmp_path, action, message("one", 1), message("two", 2)) == {}
    found = logs.filter_log_events(logGroupName="/site/uplinks")["events"]
    assert [one["message"] for one in found] == ["one", "two"]


@pytest.mark.parametrize(
    "action",
    [
        {"s3": {"bucketName": "missing", "key": "k"}},
        {"sqs": {"queueUrl": "http://127.0.0.1/123456789012/missing"}},
        {"sns": {"targetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:missing"}},
        {"kinesis": {"streamName": "missing"}},
        {"firehose": {"deliveryStreamName": "missing"}},
        {"dynamoDB": {"tableName": "missing", "hashKeyField": "id", "hashKeyValue": "x"}},
        {"dynamoDBv2": {"putItem": {"tableName": "missing"}}},
        {"lambda": {"functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:missing"}},
        {"cloudwatchLogs": {"logGroupName": "missing"}},
    ],
    ids=lambda action: next(iter(action)),
)
async def test_what_is_not_there_rejects(
    moto: Moto, tmp_path: Path, action: dict[str, Any]
) -> None:
    failures = await publish(moto, tmp_path, action, message('{"id": "x"}', 1))
    assert isinstance(failures[0], DeliveryRejected)


async def test_a_service_that_is_away_is_unavailable(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    output = output_of({"s3": {"bucketName": "uplinks", "key": "k"}}, url, tmp_path)
    async with output:
        with pytest.raises(DeliveryUnavailable, match="put_object"):
            await output.publish([message("1", 1)])
    assert not output.health().working


async def test_only_a_certificate_of_a_known_authority_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    authority = trustme.CA()
    ca, certificate, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(ca))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    action = {"sns": {"targetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:missing"}}
    async with Moto(free_port(), "-s", "-c", str(certificate), "-k", str(key)) as moto:
        url = moto.url.replace("http:", "https:")
        async with output_of(action, url, tmp_path, ca) as output:
            failures = await output.publish([message("1", 1)])
        assert isinstance(failures[0], DeliveryRejected)  # By the service: it was reached.
        async with output_of(action, url, tmp_path) as output:
            with pytest.raises(DeliveryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await output.publish([message("1", 1)])


def table(moto: Moto, name: str) -> Any:
    dynamodb = moto.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return dynamodb
