"""`cloudwatchLogs`: each message becomes an event of a log group.

The log is local: JSON lines in ``logs/`` of the data directory, one file for each group, turned at
16 MiB, seven kept beside it. A line has the time in milliseconds, the group, the message (JSON as
it is, text as text, anything else in base64) and the message's id. Where ``aws.endpoints`` names
``logs``, or ``aws.endpoint_url`` is set, events go there instead, into a stream of this output in
the group. Both keep the order. With ``batchMode`` a payload is an array of objects with
``timestamp`` and ``message``, each of which becomes an event. AWS's service needs
``logs:CreateLogStream`` and ``logs:PutLogEvents``.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws import Connect, connect, endpoint_of
from bittern.outputs.aws_errors import AwsRejected
from bittern.outputs.aws_output import AwsOutput, text_of
from bittern.outputs.in_order import Fates, Room, in_batches, of_owners
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.local_log import LocalLog
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput

FOLDER = "logs"
ROOM = Room(entries=10_000, size=1_048_576)
EVENT_BYTES = 26
"""Amazon CloudWatch Logs API Reference, PutLogEvents: what each event counts beside its text."""

Clock = Callable[[], float]


class CloudwatchLogsForm(Form, frozen=True, kw_only=True):
    log_group_name: str
    batch_mode: bool = False


class Event(msgspec.Struct, frozen=True):
    """As devices write it, with ``batchMode``."""

    timestamp: int
    message: str


class LocalLogOutput(ServiceOutput):
    def __init__(
        self, name: str, form: CloudwatchLogsForm, log: LocalLog, *, now: Clock = time.time
    ) -> None:
        super().__init__(name)
        self._form = form
        self._log = log
        self._now = now

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        lines: dict[str, list[bytes]] = {}
        for place, message in enumerate(messages):
            group = filled(message, "logGroupName", self._form.log_group_name)
            try:
                lines.setdefault(group, []).extend(self._lines(group, message))
            except DeliveryRejected as rejection:
                fates[place] = rejection
        await asyncio.to_thread(self._append, lines)
        return fates

    def _append(self, lines: Mapping[str, Sequence[bytes]]) -> None:
        try:
            for group, its in lines.items():
                if its:
                    self._log.append(group, its)
        except OSError as error:
            raise DeliveryUnavailable(f"log: {error.strerror or error}") from None

    def _lines(self, group: str, message: Message) -> list[bytes]:
        events: list[tuple[int, dict[str, Any]]]
        if self._form.batch_mode:
            devices = events_of(message.payload)
            events = [(event.timestamp, readable(event.message.encode())) for event in devices]
        else:
            events = [(int(self._now() * 1000), readable(message.payload))]
        return [
            msgspec.json.encode(
                {"timestamp": at, "logGroup": group, "messageId": message.message_id, **what}
            )
            for at, what in events
        ]


class CloudwatchLogsOutput(AwsOutput):
    service = "logs"

    def __init__(
        self,
        name: str,
        form: CloudwatchLogsForm,
        settings: Aws,
        *,
        connect: Connect = connect,
        now: Clock = time.time,
    ) -> None:
        super().__init__(name, settings, connect=connect)
        self._form = form
        self._now = now
        self._stream = f"bittern-{secrets.token_hex(8)}"
        self._streams: set[str] = set()

    async def send(self, messages: Sequence[Message]) -> Failures:
        fates: Fates = {}
        events: list[Event] = []
        owners: list[int] = []
        for place, message in enumerate(messages):
            try:
                its = self._events(message)
            except DeliveryRejected as rejection:
                fates[place] = rejection
                continue
            events += its
            owners += [place] * len(its)
        found = await in_batches(
            range(len(events)),
            partial(self._call, events, [self._group(messages[owner]) for owner in owners]),
            room=ROOM,
            size=lambda number: len(events[number].message.encode()) + EVENT_BYTES,
            receiver=lambda number: self._group(messages[owners[number]]),
        )
        return of_owners(found, owners, fates)

    async def _call(
        self, events: Sequence[Event], groups: Sequence[str], numbers: Sequence[int]
    ) -> Failures:
        group = groups[numbers[0]]
        if group in self._streams:
            try:
                return await self._put(events, group, numbers)
            except AwsRejected as rejection:
                if rejection.code != "ResourceNotFoundException":
                    raise
                # Somebody has deleted the stream, or the group and made it anew.
                self._streams.discard(group)
        await self._open(group)
        return await self._put(events, group, numbers)

    async def _put(self, events: Sequence[Event], group: str, numbers: Sequence[int]) -> Failures:
        # The service wants them in order of time, and a device's clock may have been set.
        numbers = sorted(numbers, key=lambda number: events[number].timestamp)
        answer = await self.client.call(
            "put_log_events",
            logGroupName=group,
            logStreamName=self._stream,
            logEvents=[
                {"timestamp": events[number].timestamp, "message": events[number].message}
                for number in numbers
            ],
        )
        return _refused(numbers, answer.get("rejectedLogEventsInfo") or {})

    async def _open(self, group: str) -> None:
        try:
            await self.client.call(
                "create_log_stream", logGroupName=group, logStreamName=self._stream
            )
        except AwsRejected as rejection:
            if rejection.code != "ResourceAlreadyExistsException":
                raise
        self._streams.add(group)

    def _group(self, message: Message) -> str:
        return filled(message, "logGroupName", self._form.log_group_name)

    def _events(self, message: Message) -> list[Event]:
        if self._form.batch_mode:
            return events_of(message.payload)
        return [Event(int(self._now() * 1000), text_of(message.payload))]


def _refused(numbers: Sequence[int], about: Mapping[str, Any]) -> Fates:
    """The answer names where the old events end and where the new ones begin."""
    end = max(about.get("tooOldLogEventEndIndex", 0), about.get("expiredLogEventEndIndex", 0))
    begin = about.get("tooNewLogEventStartIndex", len(numbers))
    fates: Fates = dict.fromkeys(numbers[:end], DeliveryRejected("the event is too old"))
    return fates | dict.fromkeys(numbers[begin:], DeliveryRejected("the event is in the future"))


def events_of(payload: bytes) -> list[Event]:
    """Raises `DeliveryRejected` for what is no array of events."""
    try:
        return msgspec.json.decode(payload, type=list[Event])
    except msgspec.DecodeError as error:
        raise DeliveryRejected(
            f"batchMode wants an array of objects with timestamp and message: {error}"
        ) from None


def readable(payload: bytes) -> dict[str, Any]:
    """A message as a member of a line."""
    try:
        msgspec.json.decode(payload)
        return {"message": msgspec.Raw(payload)}
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return {"message": payload.decode()}
    except UnicodeDecodeError:
        return {"messageBase64": base64.b64encode(payload).decode()}


def check(parameters: Parameters) -> None:
    if not read(parameters, CloudwatchLogsForm).log_group_name:
        raise ValueError("logGroupName: not empty")


def make(
    name: str, parameters: Parameters, surroundings: Surroundings
) -> LocalLogOutput | CloudwatchLogsOutput:
    form = read(parameters, CloudwatchLogsForm)
    settings = surroundings.configuration.aws
    if endpoint_of("logs", settings) is not None:
        return CloudwatchLogsOutput(name, form, settings)
    return LocalLogOutput(name, form, LocalLog(surroundings.data_dir / FOLDER))


KIND = Kind(
    name="cloudwatchLogs",
    check=check,
    templates=lambda parameters: templates(parameters, "logGroupName"),
    make=make,
)
