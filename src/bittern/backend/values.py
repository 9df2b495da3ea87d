"""The words of Backend Interfaces: results, types of messages, bytes as hexadecimal text."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from bittern.lorawan.versions import MacVersion


class Hex(bytes):
    """Bytes of any number; hexadecimal text in JSON, with or without ``0x``."""

    __slots__ = ()

    @classmethod
    def from_hex(cls, text: str) -> Self:
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise ValueError("not hexadecimal digits") from None  # it may be a key


class ResultCode(StrEnum):
    """TS002-1.1.0, table 17, as far as joins go. 1.0 has ``MalformedRequest`` where 1.1 has
    ``MalformedMessage``, and writes ``UnkownReceiver``."""

    SUCCESS = "Success"
    MIC_FAILED = "MICFailed"
    FRAME_REPLAYED = "FrameReplayed"
    JOIN_REQ_FAILED = "JoinReqFailed"
    ACTIVATION_DISALLOWED = "ActivationDisallowed"
    UNKNOWN_DEV_EUI = "UnknownDevEUI"
    UNKNOWN_SENDER = "UnknownSender"
    UNKNOWN_RECEIVER = "UnknownReceiver"
    INVALID_PROTOCOL_VERSION = "InvalidProtocolVersion"
    MALFORMED_REQUEST = "MalformedRequest"
    MALFORMED_MESSAGE = "MalformedMessage"
    FRAME_SIZE_ERROR = "FrameSizeError"
    DEFERRED = "Deferred"
    OTHER = "Other"


PROTOCOL_VERSIONS = ("1.0", "1.1")
ANSWERED_BY = {
    "JoinReq": "JoinAns",
    "RejoinReq": "RejoinAns",
    "AppSKeyReq": "AppSKeyAns",
    "HomeNSReq": "HomeNSAns",
}
"""What a join server is asked, and how its answer is called."""

_SPELLED = {
    "aes_key": "AESKey",
    "app_s_key": "AppSKey",
    "cf_list": "CFList",
    "dev_eui": "DevEUI",
    "dl_settings": "DLSettings",
    "f_nwk_s_int_key": "FNwkSIntKey",
    "h_net_id": "HNetID",
    "kek_label": "KEKLabel",
    "mac_version": "MACVersion",
    "nwk_s_enc_key": "NwkSEncKey",
    "nwk_s_key": "NwkSKey",
    "phy_payload": "PHYPayload",
    "receiver_id": "ReceiverID",
    "s_nwk_s_int_key": "SNwkSIntKey",
    "sender_id": "SenderID",
    "session_key_id": "SessionKeyID",
    "transaction_id": "TransactionID",
}


def spelled(name: str) -> str:
    """``dev_eui`` as the specification writes it: ``DevEUI``."""
    return _SPELLED.get(name) or "".join(part.capitalize() for part in name.split("_"))


def to_text(value: object) -> str:
    """Upper-case digits, as in the examples of the specification."""
    if isinstance(value, bytes):
        return bytes(value).hex().upper()
    raise TypeError(f"{type(value).__name__} has no place in a message")


def from_text(kind: Any, value: object) -> object:
    """Raises ``ValueError`` where the text is not of the kind; msgspec tells which member."""
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {type(value).__name__}")
    return kind.from_hex(value.removeprefix("0x"))


def version_of(text: str) -> MacVersion:
    """MACVersion. Raises ``ValueError``."""
    return MacVersion.parse(text)
