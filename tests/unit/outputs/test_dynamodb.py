from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.dynamodb import KIND, DynamoDbForm, DynamoDbOutput
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message

Make = Callable[..., Message]
PARAMETERS = {
    "tableName": "uplinks",
    "roleArn": "arn:aws:iam::123456789012:role/r",
    "hashKeyField": "device",
    "hashKeyValue": "${DevEui}",
    "rangeKeyField": "at",
    "rangeKeyValue": "${timestamp()}",
    "rangeKeyType": "NUMBER",
    "operation": "${operation}",
}
KEY = {"device": {"S": "d1"}, "at": {"N": "5"}}
PAYLOAD = {"M": {"x": {"N": "1"}}}
FILLED = {"hashKeyValue": "d1", "rangeKeyValue": "5"}


@pytest.fixture
def dynamodb(stubbed_aws: Any) -> Any:
    return stubbed_aws("dynamodb")


def made(dynamodb: Any, **more: object) -> DynamoDbOutput:
    form = read(PARAMETERS | more, DynamoDbForm)
    return DynamoDbOutput("rule/1", form, Aws(calls=1), connect=dynamodb.connect)


async def test_a_message_is_put_by_its_key(dynamodb: Any, make_message: Make) -> None:
    dynamodb.answers("put_item", {}, TableName="uplinks", Item={**KEY, "payload": PAYLOAD})
    async with made(dynamodb) as output:
        message = make_message('{"x": 1}', operation="INSERT", **FILLED)
        assert await output.publish([message]) == {}
    dynamodb.done()


async def test_what_is_no_json_is_binary(dynamodb: Any, make_message: Make) -> None:
    dynamodb.answers("put_item", {}, TableName="uplinks", Item={**KEY, "data_raw": {"B": b"\xff"}})
    async with made(dynamodb, payloadField="data") as output:
        message = make_message(b"\xff", operation="INSERT", **FILLED)
        assert await output.publish([message]) == {}
    dynamodb.done()


async def test_an_item_is_updated_or_deleted(dynamodb: Any, make_message: Make) -> None:
    dynamodb.answers(
        "update_item",
        {},
        TableName="uplinks",
        Key=KEY,
        UpdateExpression="SET #payload = :payload",
        ExpressionAttributeNames={"#payload": "payload"},
        ExpressionAttributeValues={":payload": PAYLOAD},
    )
    dynamodb.answers("delete_item", {}, TableName="uplinks", Key=KEY)
    async with made(dynamodb) as output:
        messages = [make_message(operation=name, **FILLED) for name in ("UPDATE", "DELETE")]
        assert await output.publish(messages) == {}
    dynamodb.done()


async def test_an_unknown_operation_and_a_wrong_key_are_rejected(
    dynamodb: Any, make_message: Make
) -> None:
    dynamodb.fails("put_item", "ValidationException")
    async with made(dynamodb) as output:
        messages = [make_message(operation=name, **FILLED) for name in ("UPSERT", "INSERT")]
        failures = await output.publish(messages)
    assert all(isinstance(failures[place], DeliveryRejected) for place in (0, 1))


async def test_a_busy_table_is_tried_again(dynamodb: Any, make_message: Make) -> None:
    dynamodb.fails("put_item", "ProvisionedThroughputExceededException")
    async with made(dynamodb) as output:
        failures = await output.publish([make_message(operation="INSERT", **FILLED)])
    assert isinstance(failures[0], DeliveryUnavailable)


def test_all_but_the_types_are_templates() -> None:
    assert set(KIND.templates(PARAMETERS)) == set(PARAMETERS) - {"roleArn", "rangeKeyType"}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"rangeKeyValue": None}, "rangeKeyValue"),
        ({"operation": "UPSERT"}, "operation"),
        ({"hashKeyType": "BINARY"}, "hashKeyType"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(RuleError, match=problem):
        checked({"dynamoDB": PARAMETERS | more})
