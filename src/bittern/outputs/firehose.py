"""`firehose`: each message becomes a record of a delivery stream, up to 500 in a call.

With ``batchMode`` a payload that is an array becomes one record for each of its elements, at most
500. ``separator`` ends each record. Records go out in order, and the service writes them nearly
so: it promises no order. Needs ``firehose:PutRecordBatch``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_errors import of_code
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.in_order import Fates, Room, in_batches, of_owners
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

ROOM = Room(entries=500, size=4 * 1024 * 1024)
"""Amazon Data Firehose API Reference, PutRecordBatch."""


class FirehoseForm(Form, frozen=True, kw_only=True):
    delivery_stream_name: str
    separator: Literal["\n", "\t", "\r\n", ","] | None = None
    batch_mode: bool = False


class FirehoseOutput(AwsOutput):
    service = "firehose"

    def __init__(self, name: str, form: FirehoseForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, connect=connect)
        self._form = form
        self._end = (form.separator or "").encode()

    async def send(self, messages: Sequence[Message]) -> Failures:
        """Records, and the position of the message that each is of."""
        fates: Fates = {}
        records: list[bytes] = []
        owners: list[int] = []
        for place, message in enumerate(messages):
            try:
                its = self._records(message.payload)
            except DeliveryRejected as rejection:
                fates[place] = rejection
                continue
            records += its
            owners += [place] * len(its)
        found = await in_batches(
            range(len(records)),
            partial(self._call, records, [self._stream(messages[owner]) for owner in owners]),
            room=ROOM,
            size=lambda number: len(records[number]),
            receiver=lambda number: self._stream(messages[owners[number]]),
        )
        return of_owners(found, owners, fates)

    async def _call(
        self, records: Sequence[bytes], streams: Sequence[str], numbers: Sequence[int]
    ) -> Failures:
        answer = await self.client.call(
            "put_record_batch",
            DeliveryStreamName=streams[numbers[0]],
            Records=[{"Data": records[number]} for number in numbers],
        )
        return {
            number: of_code(one["ErrorCode"], one.get("ErrorMessage", ""))
            for number, one in zip(numbers, answer["RequestResponses"], strict=True)
            if one.get("ErrorCode")
        }

    def _stream(self, message: Message) -> str:
        return filled(message, "deliveryStreamName", self._form.delivery_stream_name)

    def _records(self, payload: bytes) -> list[bytes]:
        if self._form.batch_mode:
            elements = elements_of(payload)
            if elements is not None:
                if len(elements) > ROOM.entries:
                    raise DeliveryRejected(f"an array of more than {ROOM.entries} elements")
                return [element + self._end for element in elements]
        return [payload + self._end]


def elements_of(payload: bytes) -> list[bytes] | None:
    """The elements of a JSON array as they are written; None for what is no array."""
    try:
        return [bytes(one) for one in msgspec.json.decode(payload, type=list[msgspec.Raw])]
    except msgspec.DecodeError:
        return None


def check(parameters: Parameters) -> None:
    if not read(parameters, FirehoseForm).delivery_stream_name:
        raise ValueError("deliveryStreamName: not empty")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> FirehoseOutput:
    return FirehoseOutput(name, read(parameters, FirehoseForm), surroundings.configuration.aws)


KIND = Kind(
    name="firehose",
    check=check,
    templates=lambda parameters: templates(parameters, "deliveryStreamName"),
    make=make,
)
