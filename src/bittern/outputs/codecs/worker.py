"""The process that runs scripts: `python -m bittern.outputs.codecs.worker`.

A script may find a fault of the engine, which is written in C. It then has a process that can open
no file, write none and leave no image of its memory, and that holds nothing but scripts and the
payloads it is given. The process ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections import OrderedDict

import msgspec

from bittern.errors import CodecError
from bittern.outputs.codecs.script import Script
from bittern.outputs.codecs.wire import Frames, Job, Reply, framed

SCRIPTS = 32
"""Kept ready; the one that was not used for longest gives way."""
ADDRESS_SPACE_BYTES = 1 << 30
READY = b"\0\0\0\0"
"""Said once, at the start: an empty message."""
_READ_BYTES = 1 << 16


class Worker:
    """Answers one job after the other."""

    def __init__(self) -> None:
        self._scripts: OrderedDict[str, Script] = OrderedDict()

    def answer(self, job: Job) -> Reply:
        script = self._script(job)
        if script is None:
            return Reply(unknown_script=True)
        try:
            return Reply(script.call(job.function, job.argument))
        except CodecError as error:
            return Reply(None, error.reason, error.kind, error.place)

    def _script(self, job: Job) -> Script | None:
        script = self._scripts.get(job.script)
        if script is None:
            if job.source is None:
                return None
            script = Script(job.source, call_s=job.call_s, memory=job.memory_bytes)
            self._scripts[job.script] = script
            if len(self._scripts) > SCRIPTS:
                self._scripts.popitem(last=False)
        self._scripts.move_to_end(job.script)
        return script


def confine() -> None:
    """What cannot be limited on this system stays as it is."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def main() -> None:
    frames, worker = Frames(), Worker()
    decoder = msgspec.msgpack.Decoder(Job)
    confine()
    _write(READY)
    while chunk := os.read(0, _READ_BYTES):
        for message in frames.feed(chunk):
            _write(framed(worker.answer(decoder.decode(message))))


def _write(message: bytes) -> None:
    while message:
        message = message[os.write(1, message) :]


if __name__ == "__main__":
    main()
