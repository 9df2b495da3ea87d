from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.dynamodb_v2 import KIND, DynamoDbV2Form, DynamoDbV2Output
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message

Make = Callable[..., Message]
PARAMETERS = {"putItem": {"tableName": "uplinks"}}


@pytest.fixture
def dynamodb(stubbed_aws: Any) -> Any:
    return stubbed_aws("dynamodb")


@pytest.fixture
def output(dynamodb: Any) -> DynamoDbV2Output:
    form = read(PARAMETERS, DynamoDbV2Form)
    return DynamoDbV2Output("rule/1", form, Aws(calls=1), connect=dynamodb.connect)


def put(**columns: object) -> dict[str, Any]:
    return {"PutRequest": {"Item": columns}}


async def test_each_attribute_is_a_column(
    dynamodb: Any, output: DynamoDbV2Output, make_message: Make
) -> None:
    items = [put(id={"S": "a"}, x={"N": "1.5"}), put(id={"S": "b"})]
    dynamodb.answers("batch_write_item", {}, RequestItems={"uplinks": items})
    async with output:
        messages = [make_message('{"id": "a", "x": 1.5}'), make_message('{"id": "b"}', device=2)]
        assert await output.publish(messages) == {}
    dynamodb.done()


async def test_items_of_one_device_go_one_after_the_other(
    dynamodb: Any, output: DynamoDbV2Output, make_message: Make
) -> None:
    for number in ("1", "2"):
        items = [put(id={"N": number})]
        dynamodb.answers("batch_write_item", {}, RequestItems={"uplinks": items})
    async with output:
        assert await output.publish([make_message('{"id": 1}'), make_message('{"id": 2}')]) == {}
    dynamodb.done()


async def test_what_the_table_left_is_tried_again(
    dynamodb: Any, output: DynamoDbV2Output, make_message: Make
) -> None:
    left = {"uplinks": [put(id={"N": "2"})]}
    dynamodb.answers("batch_write_item", {"UnprocessedItems": left})
    async with output:
        messages = [make_message(f'{{"id": {number}}}', device=number) for number in (1, 2, 3)]
        failures = await output.publish(messages)
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryUnavailable)


async def test_what_the_table_left_in_other_digits_is_tried_again_with_all(
    dynamodb: Any, output: DynamoDbV2Output, make_message: Make
) -> None:
    left = {"uplinks": [put(id={"N": "2"})]}
    dynamodb.answers("batch_write_item", {"UnprocessedItems": left})
    async with output:
        with pytest.raises(DeliveryUnavailable):
            await output.publish([make_message('{"id": 2.0}'), make_message('{"id":1}', device=2)])


async def test_one_bad_item_spoils_no_other(
    dynamodb: Any, output: DynamoDbV2Output, make_message: Make
) -> None:
    dynamodb.fails("batch_write_item", "ValidationException")
    dynamodb.fails("batch_write_item", "ValidationException")
    dynamodb.answers("batch_write_item", {})
    async with output:
        messages = [make_message('{"x": 1}'), make_message('{"id": 1}', device=2)]
        failures = await output.publish(messages)
    assert list(failures) == [0]
    assert isinstance(failures[0], DeliveryRejected)
    dynamodb.done()


@pytest.mark.parametrize("payload", ["[1]", "7", "not JSON"])
async def test_what_has_no_attributes_is_rejected(
    output: DynamoDbV2Output, make_message: Make, payload: str
) -> None:
    async with output:
        failures = await output.publish([make_message(payload)])
    assert isinstance(failures[0], DeliveryRejected)


def test_the_table_is_a_template() -> None:
    assert KIND.templates(PARAMETERS) == {"putItem.tableName": "uplinks"}


def test_parameters_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(RuleError, match="tableName"):
        checked({"dynamoDBv2": {"tableName": "uplinks"}})
    with pytest.raises(RuleError, match="tableName"):
        checked({"dynamoDBv2": {"putItem": {"tableName": ""}}})
