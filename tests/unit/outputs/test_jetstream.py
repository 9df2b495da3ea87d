"""What needs no server; with one: tests/integration/test_output_nats.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import NoneType, SimpleNamespace
from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.jetstream import (
    NOBODY,
    STREAM_NAMES,
    Sending,
    Streams,
    judge,
    names_none,
)

STORED = b'{"stream":"UP","seq":1}'
NONE = b'{"type":"io.nats.jetstream.api.v1.stream_names_response","total":0,"streams":null}'
SHUT_DOWN = b'{"error":{"code":503,"description":"not enabled"},"total":0,"streams":null}'

Server = Callable[[str, bytes], tuple[bytes, str | None] | None]
"""Answers what is sent to a subject with data and a status, or not at all."""


class FakeClient:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.sent: list[str] = []
        self.take: Any = None

    def new_inbox(self) -> str:
        return "inbox"

    async def subscribe(self, subject: str, cb: Any) -> None:
        assert subject == "inbox.*"
        self.take = cb

    async def publish(
        self, subject: str, payload: bytes, reply: str, headers: dict[str, str] | None
    ) -> None:
        self.sent.append(subject)
        answer = self.server(subject, payload)
        if answer is not None:
            headers = None if answer[1] is None else {"Status": answer[1]}
            await self.take(SimpleNamespace(subject=reply, data=answer[0], headers=headers))


async def store(server: Server, *subjects: str, limit_s: float = 1.0) -> tuple[Any, FakeClient]:
    client = FakeClient(server)
    streams = await Streams(client, asyncio.Event(), ()).listen()  # type: ignore[arg-type]
    sendings = {place: Sending(subject, b"1", {}) for place, subject in enumerate(subjects)}
    return await streams.store(sendings, limit_s), client


async def test_what_is_stored_has_no_failure() -> None:
    fates, client = await store(lambda *_: (STORED, None), "up.a", "up.b")
    assert (fates, client.sent) == ({}, ["up.a", "up.b"])


def nobody_but(names: tuple[bytes, str | None] | None) -> Server:
    return lambda subject, _: names if subject == STREAM_NAMES else (b"", "503")


async def test_subject_that_no_stream_takes_is_rejected() -> None:
    asked: list[bytes] = []

    def server(subject: str, payload: bytes) -> tuple[bytes, str | None]:
        if subject != STREAM_NAMES:
            return b"", "503"
        asked.append(payload)
        return NONE, None

    fates, _ = await store(server, "elsewhere", "elsewhere")
    assert [type(fates[place]) for place in (0, 1)] == [DeliveryRejected, DeliveryRejected]
    assert [json.loads(one) for one in asked] == [{"subject": "elsewhere"}]


@pytest.mark.parametrize(
    "names",
    [
        (b'{"total":1,"streams":["UP"]}', None),
        (SHUT_DOWN, None),
        (b"", "503"),
        (b"{", None),
    ],
)
async def test_streams_of_a_server_that_shuts_down_are_only_away(names: Any) -> None:
    fates, _ = await store(nobody_but(names), "up.a")
    assert fates == {0: NOBODY}
    assert isinstance(NOBODY, DeliveryUnavailable)


async def test_streams_that_may_not_be_asked_for_are_only_away() -> None:
    client = FakeClient(nobody_but(None))
    denied: set[str] = set()
    streams = await Streams(client, asyncio.Event(), denied).listen()  # type: ignore[arg-type]
    storing = asyncio.ensure_future(streams.store({0: Sending("up.a", b"1", {})}, 1.0))
    while STREAM_NAMES not in client.sent:
        await asyncio.sleep(0)
    denied.add(STREAM_NAMES.casefold())
    streams.refuse(STREAM_NAMES.casefold())
    assert await storing == {0: NOBODY}


async def test_subject_that_is_not_allowed_is_rejected_at_once() -> None:
    client = FakeClient(lambda subject, _: (STORED, None) if subject == "up.a" else None)
    denied: set[str] = set()
    streams = await Streams(client, asyncio.Event(), denied).listen()  # type: ignore[arg-type]
    sendings = {0: Sending("up.a", b"1", {}), 1: Sending("Up.B", b"1", {})}
    storing = asyncio.ensure_future(streams.store(sendings, 3600.0))
    while len(client.sent) < len(sendings):
        await asyncio.sleep(0)
    denied.add("up.b")
    streams.refuse("up.b")
    fates = await storing
    assert list(fates) == [1]
    assert isinstance(fates[1], DeliveryRejected)


async def test_no_answer_is_unavailable() -> None:
    fates, _ = await store(lambda *_: None, "up.a", limit_s=0.0)
    assert isinstance(fates[0], DeliveryUnavailable)


async def test_nobody_waits_for_answers_of_a_connection_that_is_lost() -> None:
    client, lost = FakeClient(lambda *_: None), asyncio.Event()
    streams = await Streams(client, lost, ()).listen()  # type: ignore[arg-type]
    lost.set()
    fates = await streams.store({0: Sending("up.a", b"1", {})}, 3600.0)
    assert isinstance(fates[0], DeliveryUnavailable)


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (
            b'{"error":{"code":503,"err_code":10077,"description":"full"}}',
            None,
            DeliveryUnavailable,
        ),
        (b'{"error":{"code":429,"description":"slow"}}', None, DeliveryUnavailable),
        (b'{"error":{"code":400,"description":"large"}}', None, DeliveryRejected),
        (b"", "503", DeliveryUnavailable),
        (b"{}", None, DeliveryUnavailable),
        (b"[", None, DeliveryUnavailable),
        (b'{"stream":"UP","seq":1,"duplicate":true}', None, NoneType),
    ],
)
def test_answers_of_a_stream_say_what_became_of_a_message(
    answer: bytes, status: str | None, kind: type
) -> None:
    assert isinstance(judge(answer, status), kind)


@pytest.mark.parametrize(
    ("answer", "status", "none"),
    [
        (NONE, None, True),
        (NONE, "503", False),
        (SHUT_DOWN, None, False),
        (b'{"total":1,"streams":["UP"]}', None, False),
        (b'{"error":{"code":503}}', None, False),
        (b"", None, False),
    ],
)
def test_only_a_whole_answer_says_that_there_is_no_stream(
    answer: bytes, status: str | None, none: bool
) -> None:
    assert names_none(answer, status) is none
