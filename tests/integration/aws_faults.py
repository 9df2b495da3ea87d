"""A service of AWS in front of which some calls fail: as a whole, or some entries of a batch.

What a stand-in does not do by itself: it is too busy, has an error of its own, or takes only some
of what a call holds. Whatever is taken goes to the service behind and is answered by it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web

Behind = Callable[["Call"], Awaitable["Answer"]]
"""What answers the calls that get through: a service, or a test that keeps what it is sent."""
_LONGER = 60
"""Times 0.05 s."""
_FAILING = 3
"""Every third entry, or call where a call has one entry."""


class Call:
    """`operation` as AWS writes it."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.method = request.method
        self.path = request.path_qs
        self.headers = {
            name: value for name, value in request.headers.items() if name not in _OF_A_HOP
        }
        self.body = body
        target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.operation = target or dict(parse_qsl(body.decode(errors="replace"))).get("Action", "")


class Answer:
    def __init__(self, status: int, body: bytes, kind: str = "application/x-amz-json-1.1") -> None:
        self.status = status
        self.body = body
        self.kind = kind


_OF_A_HOP = ("Host", "Content-Length", "Connection", "Transfer-Encoding", "Expect")


class Faults:
    """An HTTP server. `busy` is the service's own word for too many calls."""

    def __init__(self, port: int, behind: Behind, busy: str) -> None:
        self.port = port
        self.spoiled = {"throttled": 0, "broken": 0, "parted": 0}
        self._behind = behind
        self._busy = busy
        self._fault = ""
        self._entries = itertools.count(1)
        self._runner = web.ServerRunner(web.Server(self._serve), shutdown_timeout=1)

    async def __aenter__(self) -> Faults:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def throttle(self) -> None:
        await self._for_a_while("throttled")

    async def break_down(self) -> None:
        await self._for_a_while("broken")

    async def take_a_part(self) -> None:
        await self._for_a_while("parted")

    async def _for_a_while(self, fault: str, seconds: float = 0.5) -> None:
        """Or longer, until it was met: there may be a pause in what comes."""
        self._fault, before = fault, self.spoiled[fault]
        await asyncio.sleep(seconds)
        for _ in range(_LONGER):
            if self.spoiled[fault] == before:
                await asyncio.sleep(0.05)
        self._fault = ""

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        call = Call(request, await request.read())  # type: ignore[arg-type]
        answer = await self._answer(call)
        return web.Response(
            status=answer.status, body=answer.body, headers={"Content-Type": answer.kind}
        )

    async def _answer(self, call: Call) -> Answer:
        if self._fault == "throttled":
            self.spoiled["throttled"] += 1
            return refusal(call, 400, self._busy)
        if self._fault == "broken":
            self.spoiled["broken"] += 1
            return refusal(call, 500, "InternalFailure")
        if self._fault == "parted":
            return await self._part(call)
        return await self._behind(call)

    async def _part(self, call: Call) -> Answer:
        if call.operation in ("PutRecords", "PutRecordBatch"):
            return await self._part_records(call)
        if call.operation == "BatchWriteItem":
            return await self._part_items(call)
        if call.operation == "PublishBatch":
            return await self._part_entries(call)
        if self._fails():
            return refusal(call, 400, self._busy)
        return await self._behind(call)

    def _fails(self) -> bool:
        failing = next(self._entries) % _FAILING == 0
        self.spoiled["parted"] += failing
        return failing

    async def _part_records(self, call: Call) -> Answer:
        """Amazon Kinesis API Reference, PutRecords; Amazon Data Firehose's is alike."""
        batch = json.loads(call.body)
        failing = [self._fails() for _ in batch["Records"]]
        taken = [one for one, fails in zip(batch["Records"], failing, strict=True) if not fails]
        list_name, count = "Records", "FailedRecordCount"
        if call.operation == "PutRecordBatch":
            list_name, count = "RequestResponses", "FailedPutCount"
        answered = iter((await self._of_the_taken(call, {**batch, "Records": taken}))[list_name])
        failure = {"ErrorCode": self._busy, "ErrorMessage": "too many"}
        told = [failure if fails else next(answered) for fails in failing]
        return Answer(200, json.dumps({count: sum(failing), list_name: told}).encode())

    async def _of_the_taken(self, call: Call, batch: dict[str, Any]) -> dict[str, Any]:
        if not batch["Records"]:
            return {"Records": [], "RequestResponses": []}
        call.body = json.dumps(batch).encode()
        answer = await self._behind(call)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def _part_items(self, call: Call) -> Answer:
        """Amazon DynamoDB API Reference, BatchWriteItem: what is left is told as it was sent."""
        [(table, puts)] = json.loads(call.body)["RequestItems"].items()
        failing = [self._fails() for _ in puts]
        left = [put for put, fails in zip(puts, failing, strict=True) if fails]
        taken = [put for put, fails in zip(puts, failing, strict=True) if not fails]
        if taken:
            call.body = json.dumps({"RequestItems": {table: taken}}).encode()
            answer = await self._behind(call)
            assert answer.status == 200, answer.body
        return Answer(200, json.dumps({"UnprocessedItems": {table: left} if left else {}}).encode())

    async def _part_entries(self, call: Call) -> Answer:
        """Amazon SNS API Reference, PublishBatch."""
        fields = parse_qsl(call.body.decode())
        entry = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.(.*)")
        entries: dict[int, dict[str, str]] = {}
        for name, value in fields:
            if found := entry.fullmatch(name):
                entries.setdefault(int(found[1]), {})[found[2]] = value
        failing = {number for number in entries if self._fails()}
        taken = [parts for number, parts in entries.items() if number not in failing]
        common = [(name, value) for name, value in fields if not entry.fullmatch(name)]
        done = ""
        if taken:
            call.body = urlencode(
                common
                + [
                    (f"PublishBatchRequestEntries.member.{number}.{name}", value)
                    for number, parts in enumerate(taken, 1)
                    for name, value in parts.items()
                ]
            ).encode()
            answer = await self._behind(call)
            inner = re.search(r"<Successful>(.*)</Successful>", answer.body.decode(), re.DOTALL)
            assert inner, answer.body
            done = inner[1]
        failed = "".join(
            f"<member><Id>{entries[number]['Id']}</Id><Code>{self._busy}</Code>"
            "<SenderFault>false</SenderFault></member>"
            for number in failing
        )
        body = (
            '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
            f"<PublishBatchResult><Successful>{done}</Successful><Failed>{failed}</Failed>"
            "</PublishBatchResult></PublishBatchResponse>"
        )
        return Answer(200, body.encode(), "text/xml")


def refusal(call: Call, status: int, code: str) -> Answer:
    """In the protocol that was spoken."""
    if call.body.startswith(b"Action="):
        body = (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
            f"<Code>{code}</Code><Message>not now</Message></Error></ErrorResponse>"
        )
        return Answer(status, body.encode(), "text/xml")
    return Answer(status, json.dumps({"__type": code, "message": "not now"}).encode())


def passing_on(url: str, session: aiohttp.ClientSession) -> Behind:
    """To a server at `url`, a call at a time: moto loses records of those that overlap."""
    turn = asyncio.Lock()

    async def pass_on(call: Call) -> Answer:
        async with (
            turn,
            session.request(
                call.method, url + call.path, data=call.body, headers=call.headers
            ) as answer,
        ):
            return Answer(answer.status, await answer.read(), answer.content_type)

    return pass_on
