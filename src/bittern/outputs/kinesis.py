"""`kinesis`: each message becomes a record of a data stream, up to 500 in a call.

A call keeps no order among its records ("PutRecords" in the Amazon Kinesis API Reference), so it
has one record of each device; the next goes when the one before has arrived. Order then holds
within a partition key; without ``partitionKey`` that is the device. Needs ``kinesis:PutRecords``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bittern.config import Aws
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_errors import of_code
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.in_order import Fates, Room, in_batches, in_waves
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

ROOM = Room(entries=500, size=5 * 1024 * 1024)
"""Amazon Kinesis API Reference, PutRecords."""
KEY_CHARACTERS = 256


class KinesisForm(Form, frozen=True, kw_only=True):
    stream_name: str
    partition_key: str | None = None


class KinesisOutput(AwsOutput):
    service = "kinesis"

    def __init__(self, name: str, form: KinesisForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        return await in_waves(messages, partial(self._in_batches, messages))

    async def _in_batches(self, messages: Sequence[Message], places: Sequence[int]) -> Fates:
        return await in_batches(
            places,
            partial(self._call, messages),
            room=ROOM,
            size=lambda place: len(messages[place].payload) + KEY_CHARACTERS,
            receiver=lambda place: self._stream(messages[place]),
        )

    async def _call(self, messages: Sequence[Message], places: Sequence[int]) -> Failures:
        answer = await self.client.call(
            "put_records",
            StreamName=self._stream(messages[places[0]]),
            Records=[
                {"Data": messages[place].payload, "PartitionKey": self._key(messages[place])}
                for place in places
            ],
        )
        return {
            place: of_code(record["ErrorCode"], record.get("ErrorMessage", ""))
            for place, record in zip(places, answer["Records"], strict=True)
            if record.get("ErrorCode")
        }

    def _stream(self, message: Message) -> str:
        return filled(message, "streamName", self._form.stream_name)

    def _key(self, message: Message) -> str:
        key = filled(message, "partitionKey", self._form.partition_key or "")
        return key or str(message.device or "bittern")


def check(parameters: Parameters) -> None:
    if not read(parameters, KinesisForm).stream_name:
        raise ValueError("streamName: not empty")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> KinesisOutput:
    return KinesisOutput(name, read(parameters, KinesisForm), surroundings.configuration.aws)


KIND = Kind(
    name="kinesis",
    check=check,
    templates=lambda parameters: templates(parameters, "streamName", "partitionKey"),
    make=make,
)
