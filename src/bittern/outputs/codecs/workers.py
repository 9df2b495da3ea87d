"""Processes that run scripts, from the server's side.

A script has always the same process, which has it ready. Jobs are sent ahead and answered in
order. Whatever a script does to its process, be it by a fault of the engine, costs that one job. A
process that has not answered in time is killed; the job that it was at has failed, and the others
go to its successor.

Processes, and no threads: a fault of the engine in a thread would end the server, and a thread that
is stuck in it cannot be ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self, cast

import msgspec

from bittern.errors import CodecError
from bittern.outputs.codecs.script import CALL_S, LOAD_S, MEMORY_BYTES
from bittern.outputs.codecs.wire import Frames, Job, Reply, framed

PROCESSES = 2
MOST_WAITING = 1000
"""Jobs of one process; more are refused at once."""
GRACE_S = 0.25
"""Beyond the time of a call: scripts are timed by the processor, processes by the clock."""
START_S = 30.0
"""For a process to be there, on a machine that is busy with its own start."""

_reply = msgspec.msgpack.Decoder(Reply)


class _Asked:
    """A job on its way, and who waits for its answer."""

    __slots__ = ("answered", "job", "source")

    def __init__(self, job: Job, source: str, answered: asyncio.Future[Reply]) -> None:
        self.job = job
        self.source = source
        self.answered = answered


class _Process(asyncio.SubprocessProtocol):
    """One process and its successors."""

    def __init__(self, call_s: float) -> None:
        self._limit_s = call_s + GRACE_S
        self._transport: asyncio.SubprocessTransport | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ready = False
        self._frames = Frames()
        self._asked: deque[_Asked] = deque()
        self._known: set[str] = set()
        self._deadline = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False
        self._gone = asyncio.Event()
        self.kills = 0

    @property
    def waiting(self) -> int:
        return len(self._asked)

    def ask(self, asked: _Asked) -> None:
        self._asked.append(asked)
        if self._ready:
            self._send(asked)
            if len(self._asked) == 1:
                self._expect(asked)
        elif self._starting is None:
            self._start()

    def start(self) -> None:
        if not self._ready and self._starting is None:
            self._start()

    async def close(self) -> None:
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()  # and kill it
            await self._gone.wait()
        self._fail_all("the server ends")

    # What the process says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._gone.clear()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != 1:
            return
        for message in self._frames.feed(data):
            if not message:
                self._on_ready()
            elif self._asked:
                self._on_reply(_reply.decode(message))

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, and all that it said has been read."""
        if self._transport is not None:
            self._transport.close()
        self._gone.set()
        self._ready = False
        self._transport = None
        self._starting = None
        self._known.clear()
        self._frames = Frames()
        if self._closed:
            return
        if self._asked:
            guilty = self._asked.popleft()
            reason = CodecError("its process has ended; it may take too long", kind="crash")
            if not guilty.answered.done():
                guilty.answered.set_exception(reason)
        if self._asked:
            self._start()

    # Inside

    def _start(self) -> None:
        self._starting = asyncio.create_task(self._spawn(), name="start codec process")

    async def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + START_S
        self._watch_over()
        try:
            await loop.subprocess_exec(
                lambda: self,
                *(sys.executable, "-I", "-m", "bittern.outputs.codecs.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            self._starting = None
            self._fail_all(f"no process for codecs: {error.strerror or error}")

    def _on_ready(self) -> None:
        self._ready = True
        self._starting = None
        for asked in self._asked:
            self._send(asked)
        if self._asked:
            self._expect(self._asked[0])

    def _on_reply(self, reply: Reply) -> None:
        asked = self._asked.popleft()
        if reply.unknown_script:
            self._known.discard(asked.job.script)
            self._asked.append(asked)
            self._send(asked)
        elif not asked.answered.done():
            asked.answered.set_result(reply)
        if self._asked:
            self._expect(self._asked[0])

    def _send(self, asked: _Asked) -> None:
        assert self._transport is not None
        job = asked.job
        if job.script not in self._known:
            self._known.add(job.script)
            job = msgspec.structs.replace(job, source=asked.source)
        pipe = self._transport.get_pipe_transport(0)
        cast("asyncio.WriteTransport", pipe).write(framed(job))

    def _expect(self, asked: _Asked) -> None:
        """It is the turn of this job now. A script may have to be read first, even twice."""
        self._deadline = asyncio.get_running_loop().time() + self._limit_s + 2 * LOAD_S
        self._watch_over()

    def _watch_over(self) -> None:
        if self._watch is not None and self._watch.when() > self._deadline:
            self._watch.cancel()
            self._watch = None
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._watch = None
        if not self._asked and self._starting is None:
            return
        if asyncio.get_running_loop().time() < self._deadline:
            self._watch_over()
        elif self._transport is not None:
            self.kills += 1
            self._transport.kill()

    def _fail_all(self, reason: str) -> None:
        while self._asked:
            asked = self._asked.popleft()
            if not asked.answered.done():
                asked.answered.set_exception(CodecError(reason, kind="crash"))


class CodecWorkers:
    """An async context manager. Nothing is started before there is something to do."""

    def __init__(
        self,
        *,
        processes: int = PROCESSES,
        call_s: float = CALL_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._call_s = call_s
        self._memory_bytes = memory_bytes
        self._processes = [_Process(call_s) for _ in range(processes)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(process.close() for process in self._processes))

    def start(self) -> None:
        """Have the processes ready before the first call."""
        for process in self._processes:
            process.start()

    async def call(self, source: str, function: str, argument: str) -> bytes:
        """JSON for JSON, by a function of the script. Raises `CodecError`."""
        name = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        return await self.call_known(name, source, function, argument)

    async def call_known(self, name: str, source: str, function: str, argument: str) -> bytes:
        """The same, by a caller that keeps the script's `name`, its SHA-256 in hex."""
        process = self._processes[int(name[:8], 16) % len(self._processes)]
        if process.waiting >= MOST_WAITING:
            raise CodecError(f"{MOST_WAITING} calls wait for codecs", kind="busy")
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        job = Job(name, None, function, argument, self._call_s, self._memory_bytes)
        process.ask(_Asked(job, source, answered))
        return (await answered).result()

    def statistics(self) -> Mapping[str, int]:
        return {
            "waiting": sum(process.waiting for process in self._processes),
            "killed": sum(process.kills for process in self._processes),
        }


def _environment() -> dict[str, str]:
    """Nothing of ours, in which there may be secrets. Dates are in UTC."""
    kept = ("LD_LIBRARY_PATH", "SYSTEMROOT")
    return {"TZ": "UTC", **{name: os.environ[name] for name in kept if name in os.environ}}
