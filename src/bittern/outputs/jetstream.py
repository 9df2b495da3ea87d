"""Messages to streams of JetStream, and what they answer; the connection is `nats`'s.

That nobody answers for a subject is no verdict: a server that shuts down takes its streams away
first and its connections later, and a stream of a cluster may be without a leader. So the server is
asked which streams take the subject, and a message is rejected when it answers: none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple, Self

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.in_order import Fates

ASKED_S = 5.0
"""For which streams take a subject: a user who may not ask gets no answer."""
STREAM_NAMES = "$JS.API.STREAM.NAMES"
NOBODY = DeliveryUnavailable("no stream answers")

Answer = asyncio.Future[tuple[bytes, str | None]]
"""Data and status; cancelled when there will be none."""


class Sending(NamedTuple):
    subject: str
    payload: bytes
    headers: dict[str, str]


class Streams:
    """Those of a server, by one connection.

    The library acknowledges in a call too, one at a time; here many are under way. Answers go to an
    inbox with a level for each message.
    """

    def __init__(self, client: Client, lost: asyncio.Event, denied: Container[str]) -> None:
        self._lost = lost
        self._client = client
        self._denied = denied
        """Subjects that the server does not let us publish to, in lower case as it names them."""
        self._inbox = client.new_inbox()
        self._expected: dict[str, tuple[str, Answer]] = {}
        self._next = 0

    async def listen(self) -> Self:
        await self._client.subscribe(f"{self._inbox}.*", cb=self._take)
        return self

    async def store(self, sendings: Mapping[int, Sending], limit_s: float) -> Fates:
        """What did not get into a stream, by its place, and why."""
        answers = {place: await self._ask(sending) for place, sending in sendings.items()}
        await self._until_answered(list(answers.values()), limit_s)
        fates: Fates = {}
        for place, answer in answers.items():
            fate = self._fate(answer, sendings[place].subject)
            if fate is not None:
                fates[place] = fate
        alone = [place for place, fate in fates.items() if fate is NOBODY]
        absent = await self._taken_by_none({sendings[place].subject for place in alone})
        for place in alone:
            if sendings[place].subject in absent:
                fates[place] = DeliveryRejected("no stream takes this subject")
        return fates

    def refuse(self, subject: str) -> None:
        """The server does not pass on what is sent there: nobody will answer."""
        for expected, answer in list(self._expected.values()):
            if expected == subject:
                answer.cancel()

    async def _ask(self, sending: Sending) -> Answer:
        self._next += 1
        reply = f"{self._inbox}.{self._next}"
        answer: Answer = asyncio.get_running_loop().create_future()
        self._expected[reply] = sending.subject.casefold(), answer
        answer.add_done_callback(lambda _: self._expected.pop(reply, None))
        await self._client.publish(
            sending.subject, sending.payload, reply, headers=sending.headers or None
        )
        return answer

    async def _take(self, message: Msg) -> None:
        _, answer = self._expected.get(message.subject, ("", None))
        if answer is not None and not answer.done():
            answer.set_result((message.data, (message.headers or {}).get("Status")))

    async def _until_answered(self, answers: Sequence[Answer], limit_s: float) -> None:
        """Until all are, the connection is lost, or the time is over."""
        if not answers:
            return
        end = asyncio.ensure_future(self._lost.wait())
        everything = asyncio.ensure_future(asyncio.wait(answers))
        try:
            await asyncio.wait(
                (everything, end), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            end.cancel()
            everything.cancel()

    def _fate(self, answer: Answer, subject: str) -> DeliveryError | None:
        if answer.done() and not answer.cancelled():
            return judge(*answer.result())
        answer.cancel()
        if subject.casefold() in self._denied:
            return not_allowed(subject)
        return DeliveryUnavailable("the stream did not answer")

    async def _taken_by_none(self, subjects: set[str]) -> set[str]:
        """Those of which the server knows that no stream takes them."""
        asked = {
            subject: await self._ask(
                Sending(STREAM_NAMES, msgspec.json.encode({"subject": subject}), {})
            )
            for subject in sorted(subjects)
        }
        await self._until_answered(list(asked.values()), ASKED_S)
        absent: set[str] = set()
        for subject, answer in asked.items():
            if answer.done() and not answer.cancelled() and names_none(*answer.result()):
                absent.add(subject)
            answer.cancel()
        return absent


class _Trouble(msgspec.Struct):
    code: int = 500
    description: str = ""


class _Stored(msgspec.Struct):
    """Of a stream (NATS documentation, "JetStream wire API reference", publication)."""

    error: _Trouble | None = None
    seq: int = 0


class _Names(msgspec.Struct):
    """Of streams (the same, "STREAM.NAMES"). An answer that tells of an error has a total, too."""

    total: int
    error: _Trouble | None = None
    streams: list[str] | None = None


def judge(data: bytes, status: str | None) -> DeliveryError | None:
    """What an answer means: None when the message is stored, `NOBODY` when there is no stream."""
    if status == "503":
        return NOBODY
    try:
        answer = msgspec.json.decode(data, type=_Stored)
    except msgspec.DecodeError:
        return DeliveryUnavailable("the stream's answer cannot be understood")
    if answer.error is None and answer.seq:
        return None
    error = answer.error or _Trouble()
    told = f"the stream answers: {error.description[:200]}"
    later = error.code in (408, 429) or error.code >= 500
    return DeliveryUnavailable(told) if later else DeliveryRejected(told)


def names_none(data: bytes, status: str | None) -> bool:
    """Whether the server, asked for the streams that take a subject, says: none."""
    if status is not None:
        return False
    try:
        names = msgspec.json.decode(data, type=_Names)
    except msgspec.DecodeError:
        return False
    return names.error is None and not names.total and not names.streams


def not_allowed(subject: str) -> DeliveryRejected:
    return DeliveryRejected(f"not allowed to publish to {subject}")
