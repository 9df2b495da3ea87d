"""What an administrator asks of a running server: to have a gateway do something, now.

`DATA_DIR/run/control.sock` belongs to the server's user alone (directory 0700, socket 0600); who
asks is known from the socket, and logged. Each line is one JSON object, at most 64 KiB long. The
first one asks:

    {"do":"run","gateway":EUI,"command":TEXT,"arguments":[TEXT,...]}    -> sent
    {"do":"shell","gateway":EUI,"term":TEXT}                            -> opened, output..., ended
    {"do":"shells","gateway":EUI}                                       -> shells

and while a shell is open `{"do":"type","data":BASE64}` is input for it; `{"do":"end"}`, or hanging
up, ends it. The server says one of

    {"say":"sent"}                                     to the gateway, which does not answer
    {"say":"opened","session":0}
    {"say":"output","data":BASE64}
    {"say":"ended","reason":TEXT}
    {"say":"shells","sessions":[{"user":..,"started":..,"age":..,"pid":..},...]}
    {"say":"refused","reason":TEXT}

and hangs up after all but `opened` and `output`. Nothing is done on a gateway for which it is not
allowed (`Gateway.remote_shell`, `Gateway.remote_commands`), whoever asks.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.gateway.lns_messages import ShellSession
from bittern.types import EUI64, GatewayEUI

LINE_BYTES = 64 * 1024


class _Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    gateway: GatewayEUI


class RunOnGateway(_Request, frozen=True, kw_only=True, tag="run"):
    command: str
    arguments: tuple[str, ...] = ()


class OpenShell(_Request, frozen=True, kw_only=True, tag="shell"):
    term: str = "dumb"


class AskShells(_Request, frozen=True, kw_only=True, tag="shells"):
    pass


class TypeIn(msgspec.Struct, frozen=True, tag_field="do", tag="type"):
    data: bytes


class End(msgspec.Struct, frozen=True, tag_field="do", tag="end"):
    pass


class Sent(msgspec.Struct, frozen=True, tag_field="say", tag="sent"):
    pass


class Opened(msgspec.Struct, frozen=True, tag_field="say", tag="opened"):
    session: int


class Output(msgspec.Struct, frozen=True, tag_field="say", tag="output"):
    data: bytes


class Ended(msgspec.Struct, frozen=True, tag_field="say", tag="ended"):
    reason: str


class Shells(msgspec.Struct, frozen=True, tag_field="say", tag="shells"):
    sessions: tuple[ShellSession, ...]


class Refused(msgspec.Struct, frozen=True, tag_field="say", tag="refused"):
    reason: str


Request = RunOnGateway | OpenShell | AskShells
Answer = Sent | Opened | Output | Ended | Shells | Refused


def _plain(value: Any) -> str:
    if isinstance(value, EUI64):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a request")


def _typed(kind: type, value: Any) -> Any:
    if not issubclass(kind, EUI64):
        raise TypeError(f"{kind.__name__} has no place in a request")
    return kind.from_hex(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_request_decoder = msgspec.json.Decoder(Request, dec_hook=_typed)
_input_decoder = msgspec.json.Decoder(TypeIn | End)
_answer_decoder = msgspec.json.Decoder(Answer)


def encode_line(line: Request | TypeIn | End | Answer) -> bytes:
    """JSON with its line feed."""
    return _encoder.encode(line) + b"\n"


def decode_request(line: bytes) -> Request:
    """The first line of whoever asks. Raises ValueError or RecursionError."""
    request: Request = _request_decoder.decode(line)
    return request


def decode_input(line: bytes) -> TypeIn | End:
    """Any further line. Raises ValueError or RecursionError."""
    told: TypeIn | End = _input_decoder.decode(line)
    return told


def decode_answer(line: bytes) -> Answer:
    """What the server says. Raises `msgspec.DecodeError`."""
    answer: Answer = _answer_decoder.decode(line)
    return answer
