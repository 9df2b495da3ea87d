"""`timestream`: each attribute of a message becomes a record of its own, with the dimensions.

Up to 100 records go in a call; a message has at most as many. Booleans, whole numbers, other
numbers and texts keep their type, objects and arrays are written as JSON, and what is null is left
out. Without ``timestamp`` a message has the time at which it is sent, in microseconds, no two of
them the same: of a measure there is one value at a time, and the service refuses a second.
Timestream for LiveAnalytics is offered to accounts that have used it before June 2025;
elsewhere an endpoint of one's own takes its place. Needs ``timestream:WriteRecords`` and, for
AWS's own endpoints, ``timestream:DescribeEndpoints``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_errors import AwsRejected
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.in_order import Fates, Room, in_batches, of_owners
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

RECORDS = 100
"""Amazon Timestream API Reference, WriteRecords."""
DIMENSIONS = 128
UNITS = ("SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS")
RESERVED = ("measure_name", "measure_value", "time")
"""AWS IoT Developer Guide, "Timestream": names that dimensions do not have."""

Record = dict[str, Any]


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: str


class Timestamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: str
    unit: str = "MILLISECONDS"


class TimestreamForm(Form, frozen=True, kw_only=True):
    database_name: str
    table_name: str
    dimensions: tuple[Dimension, ...]
    timestamp: Timestamp | None = None


class TimestreamOutput(AwsOutput):
    service = "timestream-write"

    def __init__(
        self,
        name: str,
        form: TimestreamForm,
        settings: Aws,
        *,
        connect: Connect = connect,
        now: Callable[[], float] = time.time,
    ):
        super().__init__(name, settings, connect=connect)
        self._form = form
        self._now = now
        self._latest_us = 0

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        records: list[Record] = []
        owners: list[int] = []
        for place, message in enumerate(messages):
            try:
                its = self._records(message)
            except DeliveryRejected as rejection:
                fates[place] = rejection
                continue
            records += its
            owners += [place] * len(its)
        found = await in_batches(
            range(len(records)),
            partial(self._call, [self._table(messages[owner]) for owner in owners], records),
            room=Room(RECORDS, size=RECORDS),
            size=lambda number: 1,
            receiver=lambda number: self._table(messages[owners[number]]),
        )
        return of_owners(found, owners, fates)

    async def _call(
        self, tables: Sequence[tuple[str, str]], records: Sequence[Record], numbers: Sequence[int]
    ) -> Failures:
        database, table = tables[numbers[0]]
        try:
            await self.client.call(
                "write_records",
                DatabaseName=database,
                TableName=table,
                Records=[records[number] for number in numbers],
            )
        except AwsRejected as rejection:
            if rejection.code != "RejectedRecordsException":
                raise
            return {
                numbers[one["RecordIndex"]]: AwsRejected(one.get("Reason", rejection.reason))
                for one in rejection.details.get("RejectedRecords", ())
            }
        return {}

    def _table(self, message: Message) -> tuple[str, str]:
        form = self._form
        return (
            filled(message, "databaseName", form.database_name),
            filled(message, "tableName", form.table_name),
        )

    def _records(self, message: Message) -> list[Record]:
        try:
            attributes = msgspec.json.decode(message.payload)
        except msgspec.DecodeError:
            attributes = None
        if not isinstance(attributes, dict):
            raise DeliveryRejected("not a JSON object, and measures are attributes")
        measured = [pair for pair in attributes.items() if pair[1] is not None]
        if not 0 < len(measured) <= RECORDS:
            raise DeliveryRejected(f"1 to {RECORDS} attributes, this has {len(measured)}")
        common = {"Dimensions": self._dimensions(message), **self._time(message)}
        return [{**measure(name, value), **common} for name, value in measured]

    def _dimensions(self, message: Message) -> list[dict[str, str]]:
        return [
            {
                "Name": filled(message, f"dimensions.{place}.name", one.name),
                "Value": filled(message, f"dimensions.{place}.value", one.value),
            }
            for place, one in enumerate(self._form.dimensions)
        ]

    def _time(self, message: Message) -> dict[str, str]:
        stamp = self._form.timestamp
        if stamp is None:
            self._latest_us = max(int(self._now() * 1_000_000), self._latest_us + 1)
            return {"Time": str(self._latest_us), "TimeUnit": "MICROSECONDS"}
        unit = filled(message, "timestamp.unit", stamp.unit)
        if unit not in UNITS:
            raise DeliveryRejected(f"timestamp.unit is one of {', '.join(UNITS)}: {unit!r}")
        return {"Time": filled(message, "timestamp.value", stamp.value), "TimeUnit": unit}


def measure(name: str, value: Any) -> Record:
    """The name, the value and its type."""
    match value:
        case bool():
            kind, text = "BOOLEAN", str(value).lower()
        case int():
            kind, text = "BIGINT", str(value)
        case float():
            kind, text = "DOUBLE", repr(value)
        case str():
            kind, text = "VARCHAR", value
        case _:
            kind, text = "VARCHAR", msgspec.json.encode(value).decode()
    return {"MeasureName": name, "MeasureValue": text, "MeasureValueType": kind}


def check(parameters: Parameters) -> None:
    form = read(parameters, TimestreamForm)
    if not 1 <= len(form.dimensions) <= DIMENSIONS:
        raise ValueError(f"dimensions: 1 to {DIMENSIONS}")
    for place, one in enumerate(form.dimensions):
        _check_dimension(f"dimensions[{place}].name", one.name)
    unit = form.timestamp.unit if form.timestamp else UNITS[0]
    if unit not in UNITS and "${" not in unit:
        raise ValueError(f"timestamp.unit: one of {', '.join(UNITS)}")


def _check_dimension(where: str, name: str) -> None:
    if "${" in name:
        return
    if not name or name in RESERVED or name.startswith(("ts_", "measure_value")) or ":" in name:
        raise ValueError(f"{where}: {name!r} is no name of a dimension")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> TimestreamOutput:
    return TimestreamOutput(name, read(parameters, TimestreamForm), surroundings.configuration.aws)


KIND = Kind(
    name="timestream",
    check=check,
    templates=lambda parameters: templates(
        parameters,
        "databaseName",
        "tableName",
        "dimensions.*.name",
        "dimensions.*.value",
        "timestamp.value",
        "timestamp.unit",
    ),
    make=make,
)
