"""`dynamoDB`: each message is put into an item by a key, its payload into one column.

A payload of JSON becomes a map, a list or a scalar; any other one is written as binary, into a
column whose name has ``_raw`` behind. Items of one device are written one after the other. Needs
``dynamodb:PutItem``, ``UpdateItem`` and ``DeleteItem``, as far as ``operation`` asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.dynamodb_values import AttributeValue, attribute_value, document
from bittern.outputs.in_order import one_by_one
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

KeyType = Literal["STRING", "NUMBER"]
OPERATIONS = ("INSERT", "UPDATE", "DELETE")


class DynamoDbForm(Form, frozen=True, kw_only=True):
    table_name: str
    hash_key_field: str
    hash_key_value: str
    hash_key_type: KeyType = "STRING"
    range_key_field: str | None = None
    range_key_value: str | None = None
    range_key_type: KeyType = "STRING"
    payload_field: str = "payload"
    operation: str = "INSERT"


class DynamoDbOutput(AwsOutput):
    service = "dynamodb"

    def __init__(self, name: str, form: DynamoDbForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        return await one_by_one(messages, partial(self._write, messages), self.client.at_once)

    async def _write(self, messages: Sequence[Message], place: int) -> None:
        message = messages[place]
        operation = filled(message, "operation", self._form.operation)
        table = {"TableName": filled(message, "tableName", self._form.table_name)}
        key = self._key(message)
        if operation == "INSERT":
            column, value = self._column(message)
            await self.client.call("put_item", **table, Item={column: value, **key})
        elif operation == "UPDATE":
            await self.client.call("update_item", **table, Key=key, **self._update(message))
        elif operation == "DELETE":
            await self.client.call("delete_item", **table, Key=key)
        else:
            raise DeliveryRejected(f"operation is one of {', '.join(OPERATIONS)}: {operation!r}")

    def _key(self, message: Message) -> dict[str, AttributeValue]:
        form = self._form
        name = filled(message, "hashKeyField", form.hash_key_field)
        value = filled(message, "hashKeyValue", form.hash_key_value)
        key = {name: _key_value(value, form.hash_key_type)}
        if form.range_key_field is not None:
            name = filled(message, "rangeKeyField", form.range_key_field)
            value = filled(message, "rangeKeyValue", form.range_key_value or "")
            key[name] = _key_value(value, form.range_key_type)
        return key

    def _column(self, message: Message) -> tuple[str, AttributeValue]:
        name = filled(message, "payloadField", self._form.payload_field)
        try:
            return name, attribute_value(document(message.payload))
        except ValueError:
            return f"{name}_raw", {"B": message.payload}

    def _update(self, message: Message) -> dict[str, Any]:
        column, value = self._column(message)
        return {
            "UpdateExpression": "SET #payload = :payload",
            "ExpressionAttributeNames": {"#payload": column},
            "ExpressionAttributeValues": {":payload": value},
        }


def _key_value(text: str, kind: KeyType) -> AttributeValue:
    """Whether `text` is a number is the table's to judge."""
    return {"N" if kind == "NUMBER" else "S": text}


def check(parameters: Parameters) -> None:
    form = read(parameters, DynamoDbForm)
    if (form.range_key_field is None) != (form.range_key_value is None):
        raise ValueError("rangeKeyField and rangeKeyValue come together")
    if form.operation not in OPERATIONS and "${" not in form.operation:
        raise ValueError(f"operation: one of {', '.join(OPERATIONS)}")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> DynamoDbOutput:
    return DynamoDbOutput(name, read(parameters, DynamoDbForm), surroundings.configuration.aws)


KIND = Kind(
    name="dynamoDB",
    check=check,
    templates=lambda parameters: templates(
        parameters,
        "tableName",
        "hashKeyField",
        "hashKeyValue",
        "rangeKeyField",
        "rangeKeyValue",
        "payloadField",
        "operation",
    ),
    make=make,
)
