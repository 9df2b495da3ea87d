"""A process with one output of kind `file`, to be killed; `Writer` is the output on this side.

    file_writer.py FOLDER FORM PAD USER

Reads requests, a line of JSON each, and answers each with what became of it. Every message is made
longer by PAD bytes, so that its line takes a while to write. USER is a number; zero: no other.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 - after the change of user it may be out of reach
import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bittern.errors import DeliveryUnavailable
from bittern.outputs.file import FileForm, FileOutput
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message

LINE = 1 << 26


class Writer:
    """An `Output`. Its process is started again when there is something to write."""

    name = "chaos/file"

    def __init__(self, folder: Path, form: Mapping[str, Any], *, pad: int = 0, user: int = 0):
        self._arguments = [str(folder), json.dumps(form), str(pad), str(user)]
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._expected: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._starting = asyncio.Lock()
        self._number = 0
        self._counts: dict[int, Mapping[str, int]] = {}
        self.trouble: dict[str, int] = {}
        """How often each reason to try again was told."""

    async def __aenter__(self) -> Writer:
        await self._start()
        await self._ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        process, reading = self._process, self._reading
        if process is not None and process.stdin is not None and reading is not None:
            process.stdin.close()
            await process.wait()
            await reading

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Its process has written something before, and has something to write."""
        process = self._process
        return process is not None and process.pid in self._counts and bool(self._expected)

    def health(self) -> Health:
        return Health(True, "")

    def statistics(self) -> dict[str, int]:
        """Of all processes that there were."""
        names = {name for counts in self._counts.values() for name in counts}
        return {name: sum(one[name] for one in self._counts.values()) for name in names}

    async def publish(self, messages: Sequence[Message]) -> Failures:
        async with self._starting:
            if self._process is None:
                await self._start()
        fate = await self._ask(payloads=[message.payload.decode() for message in messages])
        if reason := fate["unavailable"]:
            self.trouble[reason] = self.trouble.get(reason, 0) + 1
            raise DeliveryUnavailable(reason)
        return NO_FAILURES

    async def limit(self, size: int) -> None:
        """No file of the process may become larger, in bytes."""
        await self._ask(limit=size)

    async def _ask(self, **request: object) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None:
            return {"unavailable": "killed"}
        self._number += 1
        answer = self._expected[self._number] = asyncio.get_running_loop().create_future()
        process.stdin.write(json.dumps({"number": self._number, **request}).encode() + b"\n")
        return await answer

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, *self._arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            answer = json.loads(line)
            self._counts[process.pid] = answer["counts"]
            self._expected.pop(answer["number"]).set_result(answer)
        await process.wait()
        self._process = None
        expected, self._expected = self._expected, {}
        for future in expected.values():
            future.set_result({"unavailable": "killed"})


async def serve(output: FileOutput, pad: int) -> None:
    reader = asyncio.StreamReader(limit=LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with output, asyncio.TaskGroup() as group:
        while line := await reader.readline():
            group.create_task(_write(output, json.loads(line), pad))


async def _write(output: FileOutput, request: dict[str, Any], pad: int) -> None:
    if limit := request.get("limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    longer = f',"pad":"{"x" * pad}"}}'
    messages = [Message("", (text[:-1] + longer).encode()) for text in request.get("payloads", ())]
    reason = ""
    try:
        await output.publish(messages)
    except DeliveryUnavailable as unavailable:
        reason = unavailable.reason
    answer = {"number": request["number"], "unavailable": reason, "counts": output.statistics()}
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    folder, form, pad, user = sys.argv[1:]
    if int(user):
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    made = FileOutput("chaos/file", msgspec.json.decode(form, type=FileForm), Path(folder))
    asyncio.run(serve(made, int(pad)))
