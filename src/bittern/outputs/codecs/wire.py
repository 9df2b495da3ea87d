"""What goes between the server and a process that runs scripts: a length, and msgpack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from bittern.errors import CodecError, CodecFault

LENGTH_BYTES = 4
Message = TypeVar("Message")


class Job(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A call. `script` is a name that the server makes up; `source` goes along when it is new."""

    script: str
    source: str | None
    function: str
    argument: str
    """JSON."""
    call_s: float
    memory_bytes: int


class Reply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`answer` is JSON; without one there is a `reason`."""

    answer: bytes | None = None
    reason: str = ""
    kind: CodecFault = "script"
    place: tuple[int, int] | None = None
    unknown_script: bool = False
    """The process does not have it any more: send the source."""

    def result(self) -> bytes:
        if self.answer is None:
            raise CodecError(self.reason, kind=self.kind, place=self.place)
        return self.answer


_encoder = msgspec.msgpack.Encoder()


def framed(message: Job | Reply) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class Frames:
    """Bytes as they come, in; whole messages, out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._buffer += chunk
        while len(self._buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if len(self._buffer) < end:
                return
            yield bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
