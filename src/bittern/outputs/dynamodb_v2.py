"""`dynamoDBv2`: each message becomes an item, each of its attributes a column.

Up to 25 items go in a call. A call keeps no order among them ("BatchWriteItem" in the Amazon
DynamoDB API Reference), so it has one item of each device; the next goes when the one before has
arrived. Needs ``dynamodb:BatchWriteItem``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.dynamodb_values import AttributeValue, document, item
from bittern.outputs.in_order import Fates, Room, in_batches, in_waves
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

ROOM = Room(entries=25, size=16 * 1024 * 1024)
"""Amazon DynamoDB API Reference, BatchWriteItem."""
NOT_WRITTEN = DeliveryUnavailable("ProvisionedThroughputExceeded: the table left it unprocessed")


class PutItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    table_name: str


class DynamoDbV2Form(Form, frozen=True, kw_only=True):
    put_item: PutItem


class DynamoDbV2Output(AwsOutput):
    service = "dynamodb"

    def __init__(
        self, name: str, form: DynamoDbV2Form, settings: Aws, *, connect: Connect = connect
    ):
        super().__init__(name, settings, connect=connect)
        self._table_name = form.put_item.table_name

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        items = _items(messages, fates)
        return await in_waves(messages, partial(self._in_batches, messages, items)) | fates

    async def _in_batches(
        self,
        messages: Sequence[Message],
        items: dict[int, dict[str, AttributeValue]],
        places: Sequence[int],
    ) -> Fates:
        return await in_batches(
            [place for place in places if place in items],
            partial(self._call, messages, items),
            room=ROOM,
            size=lambda place: 2 * len(messages[place].payload),
            receiver=lambda place: self._table(messages[place]),
        )

    async def _call(
        self,
        messages: Sequence[Message],
        items: dict[int, dict[str, AttributeValue]],
        places: Sequence[int],
    ) -> Failures:
        table = self._table(messages[places[0]])
        puts: list[dict[str, Any]] = [{"PutRequest": {"Item": items[place]}} for place in places]
        answer = await self.client.call("batch_write_item", RequestItems={table: puts})
        left = answer.get("UnprocessedItems", {}).get(table, [])
        unwritten = [place for place, put in zip(places, puts, strict=True) if put in left]
        if len(unwritten) < len(left):
            # Written in other digits than ours: to write an item twice does no harm.
            unwritten = list(places)
        return dict.fromkeys(unwritten, NOT_WRITTEN)

    def _table(self, message: Message) -> str:
        return filled(message, "putItem.tableName", self._table_name)


def _items(messages: Sequence[Message], fates: Fates) -> dict[int, dict[str, AttributeValue]]:
    items: dict[int, dict[str, AttributeValue]] = {}
    for place, message in enumerate(messages):
        try:
            attributes = document(message.payload)
        except ValueError:
            attributes = None
        if isinstance(attributes, dict):
            items[place] = item(attributes)
        else:
            fates[place] = DeliveryRejected("not a JSON object, and columns are attributes")
    return items


def check(parameters: Parameters) -> None:
    if not read(parameters, DynamoDbV2Form).put_item.table_name:
        raise ValueError("putItem.tableName: not empty")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> DynamoDbV2Output:
    return DynamoDbV2Output(name, read(parameters, DynamoDbV2Form), surroundings.configuration.aws)


KIND = Kind(
    name="dynamoDBv2",
    check=check,
    templates=lambda parameters: templates(parameters, "putItem.tableName"),
    make=make,
)
