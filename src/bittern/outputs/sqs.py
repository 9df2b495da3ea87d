"""`sqs`: each message goes to a queue, up to ten in a call.

A standard queue keeps no order, whoever sends. A queue whose URL ends in ``.fifo`` does: there the
message group is the device, and its next message goes when the one before has arrived. The
message's id is an attribute; in a FIFO queue it makes the deduplication id too. Needs
``sqs:SendMessage``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from bittern.config import Aws
from bittern.errors import DeliveryError, DeliveryRejected
from bittern.outputs.aws import Connect, connect, region_of
from bittern.outputs.aws_errors import of_code
from bittern.outputs.aws_output import AwsOutput, attributes, text_of
from bittern.outputs.in_order import Fates, Room, in_batches, in_waves
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

ROOM = Room(entries=10, size=256 * 1024)
"""Amazon SQS Developer Guide, "Message quotas"; a longer message alone is the queue's to judge."""
ENTRY_BYTES = 256
"""Of a message's attributes, at most."""


class SqsForm(Form, frozen=True, kw_only=True):
    queue_url: str
    use_base64: bool = False


class SqsOutput(AwsOutput):
    service = "sqs"

    def __init__(self, name: str, form: SqsForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, region=region_of(form.queue_url), connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        bodies = self._bodies(messages, fates)
        send = partial(self._in_batches, messages, bodies)
        if any(url.endswith(".fifo") for url in map(self._queue, messages)):
            return await in_waves(messages, send) | fates
        return await send(range(len(messages))) | fates

    async def _in_batches(
        self, messages: Sequence[Message], bodies: dict[int, str], places: Sequence[int]
    ) -> Fates:
        return await in_batches(
            [place for place in places if place in bodies],
            partial(self._call, messages, bodies),
            room=ROOM,
            size=lambda place: len(bodies[place].encode()) + ENTRY_BYTES,
            receiver=lambda place: self._queue(messages[place]),
        )

    async def _call(
        self, messages: Sequence[Message], bodies: dict[int, str], places: Sequence[int]
    ) -> Failures:
        answer = await self.client.call(
            "send_message_batch",
            QueueUrl=self._queue(messages[places[0]]),
            Entries=[self._entry(messages[place], bodies[place], place) for place in places],
        )
        return failed_entries(answer)

    def _queue(self, message: Message) -> str:
        return filled(message, "queueUrl", self._form.queue_url)

    def _bodies(self, messages: Sequence[Message], fates: Fates) -> dict[int, str]:
        bodies: dict[int, str] = {}
        for place, message in enumerate(messages):
            try:
                bodies[place] = self._body(message.payload)
            except DeliveryRejected as rejection:
                fates[place] = rejection
        return bodies

    def _body(self, payload: bytes) -> str:
        body = base64.b64encode(payload).decode() if self._form.use_base64 else text_of(payload)
        if not body:
            raise DeliveryRejected("an empty message, and the service takes none")
        return body

    def _entry(self, message: Message, body: str, place: int) -> dict[str, Any]:
        entry = {"Id": str(place), "MessageBody": body, **attributes(message)}
        if self._queue(message).endswith(".fifo"):
            entry |= fifo(self.name, message)
        return entry


def fifo(name: str, message: Message) -> dict[str, str]:
    """How a FIFO queue or topic is told of order and of copies.

    Two actions may send the same message to one queue, and both are wanted: `name` is in the id.
    Without an id of the message the queue must deduplicate by content.
    """
    ordered = {"MessageGroupId": str(message.device or "bittern")}
    if message.message_id:
        of = f"{name}\0{message.message_id}".encode()
        ordered["MessageDeduplicationId"] = hashlib.sha256(of).hexdigest()
    return ordered


def failed_entries(answer: Any) -> dict[int, DeliveryError]:
    """Of an answer of SQS or SNS, by the positions that were the entries' ids."""
    return {
        int(one["Id"]): of_code(
            one["Code"], one.get("Message", ""), status=400 if one["SenderFault"] else 500
        )
        for one in answer.get("Failed", ())
    }


def check(parameters: Parameters) -> None:
    form = read(parameters, SqsForm)
    if not form.queue_url.startswith(("http://", "https://", "${")):
        raise ValueError("queueUrl: the URL of a queue")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> SqsOutput:
    return SqsOutput(name, read(parameters, SqsForm), surroundings.configuration.aws)


KIND = Kind(
    name="sqs",
    check=check,
    templates=lambda parameters: templates(parameters, "queueUrl"),
    make=make,
)
