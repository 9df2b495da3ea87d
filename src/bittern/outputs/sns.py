"""`sns`: each message is published to a topic, up to ten in a call.

A standard topic keeps no order. One whose ARN ends in ``.fifo`` does: there the message group is
the device. With ``messageFormat`` JSON the payload holds a text for each protocol and ``default``.
A target that is no topic (an endpoint of a mobile device) takes one message in a call. The
message's id is an attribute. Needs ``sns:Publish``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect, region_of
from bittern.outputs.aws_output import AwsOutput, attributes, text_of
from bittern.outputs.in_order import Fates, Room, in_batches, in_waves, one_by_one
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message
from bittern.outputs.sqs import ENTRY_BYTES, failed_entries, fifo

ROOM = Room(entries=10, size=256 * 1024)
"""Amazon SNS API Reference, PublishBatch."""
TOPIC_ARN_COLONS = 5
"""``arn:aws:sns:REGION:ACCOUNT:TOPIC``; endpoints of applications have slashes."""


class SnsForm(Form, frozen=True, kw_only=True):
    target_arn: str
    message_format: Literal["RAW", "JSON"] = "RAW"


class SnsOutput(AwsOutput):
    service = "sns"

    def __init__(self, name: str, form: SnsForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, region=region_of(form.target_arn), connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        entries = self._entries(messages, fates)
        targets = {self._target(message) for message in messages}
        if not all(map(is_topic, targets)):
            one = partial(self._publish_one, messages, entries, fates)
            return fates | await one_by_one(messages, one, self.client.at_once)
        send = partial(self._in_batches, messages, entries)
        if any(target.endswith(".fifo") for target in targets):
            return await in_waves(messages, send) | fates
        return await send(range(len(messages))) | fates

    async def _publish_one(
        self,
        messages: Sequence[Message],
        entries: dict[int, dict[str, Any]],
        fates: Fates,
        place: int,
    ) -> None:
        if place in fates:
            raise fates[place]
        target = self._target(messages[place])
        arn = {"TopicArn" if is_topic(target) else "TargetArn": target}
        entry = {name: value for name, value in entries[place].items() if name != "Id"}
        await self.client.call("publish", **arn, **entry)

    async def _in_batches(
        self,
        messages: Sequence[Message],
        entries: dict[int, dict[str, Any]],
        places: Sequence[int],
    ) -> Fates:
        return await in_batches(
            [place for place in places if place in entries],
            partial(self._call, messages, entries),
            room=ROOM,
            size=lambda place: len(entries[place]["Message"].encode()) + ENTRY_BYTES,
            receiver=lambda place: self._target(messages[place]),
        )

    async def _call(
        self,
        messages: Sequence[Message],
        entries: dict[int, dict[str, Any]],
        places: Sequence[int],
    ) -> Failures:
        answer = await self.client.call(
            "publish_batch",
            TopicArn=self._target(messages[places[0]]),
            PublishBatchRequestEntries=[entries[place] for place in places],
        )
        return failed_entries(answer)

    def _target(self, message: Message) -> str:
        return filled(message, "targetArn", self._form.target_arn)

    def _entries(self, messages: Sequence[Message], fates: Fates) -> dict[int, dict[str, Any]]:
        entries: dict[int, dict[str, Any]] = {}
        for place, message in enumerate(messages):
            try:
                entries[place] = self._entry(message, place)
            except DeliveryRejected as rejection:
                fates[place] = rejection
        return entries

    def _entry(self, message: Message, place: int) -> dict[str, Any]:
        text = text_of(message.payload)
        entry = {"Id": str(place), "Message": text, **attributes(message)}
        if self._form.message_format == "JSON":
            check_structure(message.payload)
            entry["MessageStructure"] = "json"
        if self._target(message).endswith(".fifo"):
            entry |= fifo(self.name, message)
        return entry


def is_topic(arn: str) -> bool:
    return arn.count(":") == TOPIC_ARN_COLONS and "/" not in arn


def check_structure(payload: bytes) -> None:
    """Amazon SNS API Reference, Publish, MessageStructure. Raises `DeliveryRejected`."""
    try:
        structure = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        structure = None
    if not isinstance(structure, dict) or not isinstance(structure.get("default"), str):
        raise DeliveryRejected("messageFormat JSON wants an object with a text for 'default'")


def check(parameters: Parameters) -> None:
    form = read(parameters, SnsForm)
    if not form.target_arn.startswith(("arn:", "${")):
        raise ValueError("targetArn: the ARN of a topic or an endpoint")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> SnsOutput:
    return SnsOutput(name, read(parameters, SnsForm), surroundings.configuration.aws)


KIND = Kind(
    name="sns",
    check=check,
    templates=lambda parameters: templates(parameters, "targetArn"),
    make=make,
)
