"""The messages between a network server and a join server, to and from JSON (TS002-1.1.0, 11).

A message that cannot be read ends as `Unreadable`, with the result that its sender is told and
as much of its header as there is.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from bittern.backend.values import (
    ANSWERED_BY,
    PROTOCOL_VERSIONS,
    Hex,
    ResultCode,
    from_text,
    spelled,
    to_text,
)
from bittern.types import EUI64, DevAddr, NetID

LIMIT = 16 * 1024
"""Bytes of a message; a JoinAns with every key has less than two thousand."""

TransactionId = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Text = Annotated[str, Meta(max_length=256)]
RxDelay = Annotated[int, Meta(ge=0, le=15)]


class _Object(msgspec.Struct, frozen=True, kw_only=True, rename=spelled, omit_defaults=True):
    """Members that are not known are left aside: other versions have more."""


class KeyEnvelope(_Object, frozen=True, kw_only=True):
    """A key, wrapped by the key-encryption key of that label; without a label, as it is."""

    kek_label: Text = ""
    aes_key: Hex

    def __repr__(self) -> str:
        return f"KeyEnvelope({self.kek_label!r}, …)"


class Result(_Object, frozen=True, kw_only=True):
    """What became of a request."""

    result_code: Text
    description: Text = ""


class Header(_Object, frozen=True, kw_only=True):
    """What every message has. A network is named by its NetID, a join server by a JoinEUI."""

    protocol_version: Text
    sender_id: Text
    receiver_id: Text
    transaction_id: TransactionId
    message_type: Text
    sender_token: Hex | None = None
    """To be given back as `receiver_token`."""
    receiver_token: Hex | None = None


class JoinReq(Header, frozen=True, kw_only=True):
    """A join-request; as ``RejoinReq`` a rejoin-request."""

    mac_version: Text
    phy_payload: Hex
    dev_eui: EUI64
    dev_addr: DevAddr
    dl_settings: Hex
    rx_delay: RxDelay
    cf_list: Hex | None = None


class AppSKeyReq(Header, frozen=True, kw_only=True):
    """An application server asks for the key of a session."""

    dev_eui: EUI64
    session_key_id: Hex


class HomeNSReq(Header, frozen=True, kw_only=True):
    """Whose device is it?"""

    dev_eui: EUI64


Request = JoinReq | AppSKeyReq | HomeNSReq


class Answer(Header, frozen=True, kw_only=True):
    """What every answer has, and all of one that grants nothing."""

    result: Result


class JoinAns(Answer, frozen=True, kw_only=True):
    """The join-accept and the session's keys; as ``RejoinAns`` in answer to a rejoin-request."""

    phy_payload: Hex | None = None
    lifetime: Annotated[int, Meta(ge=0)] | None = None
    """Seconds that the session may last; 0: for ever."""
    s_nwk_s_int_key: KeyEnvelope | None = None
    f_nwk_s_int_key: KeyEnvelope | None = None
    nwk_s_enc_key: KeyEnvelope | None = None
    nwk_s_key: KeyEnvelope | None = None
    """LoRaWAN 1.0.x, instead of the three above."""
    app_s_key: KeyEnvelope | None = None
    session_key_id: Hex | None = None


class AppSKeyAns(Answer, frozen=True, kw_only=True):
    dev_eui: EUI64 | None = None
    app_s_key: KeyEnvelope | None = None
    session_key_id: Hex | None = None


class HomeNSAns(Answer, frozen=True, kw_only=True):
    h_net_id: NetID | None = None


_A = TypeVar("_A", bound=Answer)
_encoder = msgspec.json.Encoder(enc_hook=to_text)
_KINDS: dict[str, type[Request]] = {
    "JoinReq": JoinReq,
    "RejoinReq": JoinReq,
    "AppSKeyReq": AppSKeyReq,
    "HomeNSReq": HomeNSReq,
}


class Named(_Object, frozen=True, kw_only=True):
    """As much of a header as a broken message may have."""

    protocol_version: Any = ""
    sender_id: Any = ""
    receiver_id: Any = ""
    transaction_id: Any = 0
    message_type: Any = ""
    sender_token: Any = None


class Unreadable(msgspec.Struct, frozen=True):
    """A message that cannot be read, or not answered; `reason` says what did not fit."""

    code: ResultCode
    reason: str
    named: Named = Named()


def encode(message: Header) -> bytes:
    """JSON in UTF-8."""
    return _encoder.encode(message)


def read_request(body: bytes) -> Request | Unreadable:
    """What a join server is asked."""
    named = _named(body)
    if isinstance(named, Unreadable):
        return named
    if named.protocol_version not in PROTOCOL_VERSIONS:
        known = " and ".join(PROTOCOL_VERSIONS)
        reason = f"ProtocolVersion: there are {known} here"
        return Unreadable(ResultCode.INVALID_PROTOCOL_VERSION, reason, named)
    kind = _KINDS.get(named.message_type) if isinstance(named.message_type, str) else None
    if kind is None:
        reason = f"MessageType: a join server takes {', '.join(ANSWERED_BY)}"
        return Unreadable(malformed(named), reason, named)
    try:
        return msgspec.json.decode(body, type=kind, dec_hook=from_text)
    except (msgspec.DecodeError, ValueError) as error:
        return Unreadable(malformed(named), str(error), named)


def read_answer(body: bytes, kind: type[_A], asked: Header) -> _A | str:
    """The answer to `asked`, or what is wrong with it."""
    try:
        answer = msgspec.json.decode(body, type=kind, dec_hook=from_text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return f"an answer that cannot be read: {error}"
    if answer.message_type != ANSWERED_BY[asked.message_type]:
        return f"a {answer.message_type} for a {asked.message_type}"
    if answer.transaction_id != asked.transaction_id:
        return f"an answer to transaction {answer.transaction_id}, not {asked.transaction_id}"
    return answer


def malformed(named: Named) -> ResultCode:
    """1.0 and 1.1 call it differently."""
    is_old = named.protocol_version == "1.0"
    return ResultCode.MALFORMED_REQUEST if is_old else ResultCode.MALFORMED_MESSAGE


def answer_to(unreadable: Unreadable) -> Answer:
    """What its sender is told, by what it said of itself."""
    named = unreadable.named
    version = named.protocol_version if named.protocol_version in PROTOCOL_VERSIONS else "1.1"
    number = named.transaction_id
    token = named.sender_token
    return Answer(
        protocol_version=version,
        sender_id=_short(named.receiver_id),
        receiver_id=_short(named.sender_id),
        transaction_id=number if _is_transaction(number) else 0,
        message_type=ANSWERED_BY.get(_short(named.message_type), "JoinAns"),
        receiver_token=_token(token),
        result=Result(result_code=unreadable.code, description=unreadable.reason[:256]),
    )


def heading(request: Header) -> dict[str, Any]:
    """The header of an answer to `request`, as arguments."""
    return {
        "protocol_version": request.protocol_version,
        "sender_id": request.receiver_id,
        "receiver_id": request.sender_id,
        "transaction_id": request.transaction_id,
        "message_type": ANSWERED_BY[request.message_type],
        "receiver_token": request.sender_token,
    }


def _named(body: bytes) -> Named | Unreadable:
    try:
        return msgspec.json.decode(body, type=Named)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return Unreadable(ResultCode.MALFORMED_MESSAGE, f"not a message in JSON: {error}")


def _is_transaction(number: object) -> bool:
    return type(number) is int and 0 <= number <= 0xFFFF_FFFF


def _short(value: object) -> str:
    return value[:256] if isinstance(value, str) else ""


def _token(value: object) -> Hex | None:
    try:
        return Hex.from_hex(value.removeprefix("0x")) if isinstance(value, str) else None
    except ValueError:
        return None
