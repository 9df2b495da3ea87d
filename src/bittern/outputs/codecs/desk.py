"""Whom to ask what a payload means: registered codecs and those that are built in, by name.

A codec that keeps hitting its limits is left alone for a while, so that it takes no time from
others. Nobody waits for a codec for long: a device waits for its answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from bittern.errors import CodecError, StoreError
from bittern.outputs.codecs import cayenne
from bittern.types import Instant

CAYENNE_LPP = "cayenne-lpp"
BUILT_IN = (CAYENNE_LPP,)
WAIT_S = 0.4
"""Copies of a frame are gathered for 0.2 s, and the first receive window opens after 1 s: what is
between is for codecs and for the answer's way."""
STRIKES = 3
"""Calls in a row that hit a limit."""
REST_S = 60.0
MOST_COMPLAINTS = 32
"""Warnings, or errors, of one payload; each of `MOST_COMPLAINT` characters at most."""
MOST_COMPLAINT = 500


class Registered(Protocol):
    """What is used of a codec's record."""

    @property
    def script(self) -> str: ...


class Registry(Protocol):
    """The store."""

    async def codec(self, account: str, name: str) -> Registered | None: ...


class Caller(Protocol):
    """`CodecWorkers`, or whoever runs scripts elsewhere."""

    async def call_known(self, name: str, source: str, function: str, argument: str) -> bytes: ...


class Decoded(msgspec.Struct, frozen=True):
    """What a payload means: JSON."""

    data: bytes
    warnings: tuple[str, ...] = ()


class Downlink(msgspec.Struct, frozen=True):
    """What a device is to be sent. `fport` None: the codec leaves it to the sender."""

    payload: bytes
    fport: int | None = None
    warnings: tuple[str, ...] = ()


class DecodedPayload(msgspec.Struct, frozen=True, gc=False):
    """As it stands in an uplink message, beside `PayloadData`."""

    Codec: str
    FPort: int
    Data: msgspec.Raw | msgspec.UnsetType
    Warnings: tuple[str, ...]
    Errors: tuple[str, ...]


class _Answer(msgspec.Struct, gc=False):
    """TS013-1.0.0: what all its functions give. Makers are free with the types."""

    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    bytes: Any = None
    fPort: Any = None
    warnings: Any = None
    errors: Any = None


class _Known(msgspec.Struct):
    """A script that was used."""

    source: str
    digest: str
    strikes: int = 0
    rests_until: float = 0.0


_encoder = msgspec.json.Encoder()
_answer: msgspec.json.Decoder[_Answer | None] = msgspec.json.Decoder(_Answer | None)


class CodecDesk:
    """One for the server. `registry` is read once for a codec, until `forget`."""

    def __init__(self, registry: Registry, caller: Caller, *, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._caller = caller
        self._clock = clock
        self._known: dict[tuple[str, str], _Known] = {}
        self.decoded = 0
        self.failed = 0

    def forget(self) -> None:
        """Codecs have changed."""
        self._known.clear()

    def statistics(self) -> Mapping[str, int]:
        return {"decoded": self.decoded, "failed": self.failed}

    async def decoded_payload(
        self, account: str, codec: str, payload: bytes, fport: int, received_at: Instant
    ) -> bytes:
        """`DecodedPayload` in JSON, with errors where it was not decoded. Raises nothing."""
        data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
        warnings: tuple[str, ...] = ()
        errors: tuple[str, ...] = ()
        try:
            async with asyncio.timeout(WAIT_S):
                decoded = await self.decode(account, codec, payload, fport, received_at)
            data, warnings = msgspec.Raw(decoded.data), decoded.warnings
            self.decoded += 1
        except TimeoutError:
            errors = (f"no answer of the codec within {WAIT_S:g} s",)
        except CodecRefused as refused:
            warnings, errors = refused.warnings, refused.errors
        except (CodecError, StoreError) as error:
            errors = (str(error),)
        self.failed += bool(errors)
        return _encoder.encode(DecodedPayload(codec, fport, data, warnings, errors))

    async def decode(
        self, account: str, codec: str, payload: bytes, fport: int, at: Instant
    ) -> Decoded:
        """What an uplink means. Raises `CodecError`."""
        if codec == CAYENNE_LPP:
            return Decoded(_encoder.encode(cayenne.decode(payload)))
        answer = await self._call(account, codec, "decodeUplink", _received(payload, fport, at))
        return _decoded(answer)

    async def decode_downlink(
        self, account: str, codec: str, payload: bytes, fport: int, at: Instant
    ) -> Decoded:
        """What a downlink says. Raises `CodecError`."""
        if codec == CAYENNE_LPP:
            return Decoded(_encoder.encode(cayenne.decode(payload)))
        answer = await self._call(account, codec, "decodeDownlink", _received(payload, fport, at))
        return _decoded(answer)

    async def encode(self, account: str, codec: str, data: bytes, fport: int | None) -> Downlink:
        """What to send for `data`, which is JSON. Raises `CodecError`."""
        try:
            values = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise CodecError(f"the data are no JSON: {error}", kind="answer") from None
        if codec == CAYENNE_LPP:
            return Downlink(cayenne.encode(values), fport)
        wanted: dict[str, object] = {"data": msgspec.Raw(data)}
        if fport is not None:
            wanted["fPort"] = fport
        argument = _encoder.encode(wanted).decode()
        answer = await self._call(account, codec, "encodeDownlink", argument)
        return Downlink(_bytes(answer.bytes), _fport(answer.fPort, fport), _texts(answer.warnings))

    async def _call(self, account: str, codec: str, function: str, argument: str) -> _Answer:
        known = self._known.get((account, codec)) or await self._read(account, codec)
        if known.strikes >= STRIKES and known.rests_until > self._clock():
            raise CodecError(
                f"the codec hit its limits {known.strikes} times and rests for a while", kind="busy"
            )
        try:
            text = await self._caller.call_known(known.digest, known.source, function, argument)
        except CodecError as error:
            if error.kind in ("time", "memory", "crash"):
                known.strikes += 1
                known.rests_until = self._clock() + REST_S
            raise
        known.strikes = 0
        return _usable(text)

    async def _read(self, account: str, codec: str) -> _Known:
        registered = await self._registry.codec(account, codec)
        if registered is None:
            raise CodecError(f"there is no codec {codec}", kind="unknown")
        source = registered.script
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        known = self._known[account, codec] = _Known(source, digest)
        return known


class CodecRefused(CodecError):
    """The codec itself says that it cannot make sense of this."""

    def __init__(self, errors: tuple[str, ...], warnings: tuple[str, ...]) -> None:
        super().__init__("; ".join(errors), kind="script")
        self.errors = errors
        self.warnings = warnings


def _received(payload: bytes, fport: int, at: Instant) -> str:
    """TS013-1.0.0: the input of `decodeUplink` and `decodeDownlink`."""
    milliseconds = int(at * 1000)
    time = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    received = time.replace("+00:00", "Z")
    return f'{{"bytes":{list(payload)},"fPort":{fport},"recvTime":"{received}"}}'


def _usable(text: bytes) -> _Answer:
    try:
        answer = _answer.decode(text)
    except msgspec.ValidationError:
        answer = None
    if answer is None:
        raise CodecError("it gives no object of data, warnings and errors", kind="answer")
    if errors := _texts(answer.errors):
        raise CodecRefused(errors, _texts(answer.warnings))
    return answer


def _decoded(answer: _Answer) -> Decoded:
    if answer.data is msgspec.UNSET or bytes(answer.data) == b"null":
        raise CodecError("it gives neither data nor errors", kind="answer")
    return Decoded(bytes(answer.data), _texts(answer.warnings))


def _texts(value: object) -> tuple[str, ...]:
    """A list of texts, whatever a maker made of it."""
    if value is None:
        return ()
    texts = value if isinstance(value, list) else [value]
    told = (one if isinstance(one, str) else _encoder.encode(one).decode() for one in texts)
    return tuple(text[:MOST_COMPLAINT] for text in list(told)[:MOST_COMPLAINTS])


def _bytes(value: object) -> bytes:
    """Numbers; also hexadecimal digits or base64 are met with, and are refused: they look alike."""
    if isinstance(value, list) and len(value) <= 255:
        try:
            return bytes(value)
        except (TypeError, ValueError):
            pass
    raise CodecError("it gives no bytes: a list of at most 255 numbers 0..255", kind="answer")


def _fport(value: object, wanted: int | None) -> int | None:
    if value is None:
        return wanted
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        raise CodecError("it gives an fPort that is not 1..255", kind="answer")
    return value
