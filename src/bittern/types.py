"""The words every other module speaks: identifiers, keys, instants and refusals.

Identifiers are fixed-size ``bytes`` in display order (most significant byte first), as printed on
a device's label. On air LoRaWAN sends them least significant byte first (TS001-1.0.4, 4); only
``from_wire`` and ``to_wire`` know that. Keys are not bytes and never print.
"""

from __future__ import annotations

import hmac
import re
from enum import StrEnum
from typing import ClassVar, NewType, NoReturn, Self

Instant = NewType("Instant", float)
"""Seconds since 1970-01-01 UTC. The shell reads the clock; everything pure is told."""


class _Identifier(bytes):
    """A fixed number of bytes in display order."""

    __slots__ = ()
    SIZE: ClassVar[int]

    def __new__(cls, value: bytes) -> Self:
        if len(value) != cls.SIZE:
            raise ValueError(f"{cls.__name__} is {cls.SIZE} bytes, not {len(value)}")
        return super().__new__(cls, value)

    @classmethod
    def from_wire(cls, value: bytes) -> Self:
        """From the order on air: least significant byte first."""
        return cls(value[::-1])

    def to_wire(self) -> bytes:
        return self[::-1]

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """From hexadecimal text; the separators ``-``, ``:`` and blank are ignored."""
        try:
            return cls(bytes.fromhex(text.replace("-", "").replace(":", "").replace(" ", "")))
        except ValueError:
            raise ValueError(
                f"{cls.__name__} is {2 * cls.SIZE} hexadecimal digits, not {text!r}"
            ) from None

    @classmethod
    def from_int(cls, value: int) -> Self:
        return cls(value.to_bytes(cls.SIZE, "big"))

    def __int__(self) -> int:
        return int.from_bytes(self, "big")

    def __str__(self) -> str:
        """Lower-case hexadecimal without separators, as AWS writes it."""
        return self.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex()})"


class EUI64(_Identifier):
    """A 64-bit IEEE identifier of a device, a join server or a gateway."""

    __slots__ = ()
    SIZE = 8


class DevAddr(_Identifier):
    """A 32-bit device address: the network's prefix, then the network address."""

    __slots__ = ()
    SIZE = 4


class NetID(_Identifier):
    """A 24-bit network identifier: 3 bits of type, 21 bits of identity (TS002-1.1.0, 13)."""

    __slots__ = ()
    SIZE = 3


DevEUI = NewType("DevEUI", EUI64)
JoinEUI = NewType("JoinEUI", EUI64)
GatewayEUI = NewType("GatewayEUI", EUI64)


_LIKE_A_KEY = re.compile(r"([0-9a-fA-F][-: ]?){32}")


def looks_like_a_key(text: str) -> bool:
    """Whatever it is said to be: keys get typed into the wrong field."""
    return bool(_LIKE_A_KEY.search(text))


class AES128Key:
    """A 128-bit secret. It does not print, compare by order, pickle or copy itself anywhere.

    ``reveal`` is for ``lorawan/crypto.py`` and ``store/`` alone; a test holds every other caller.
    """

    __slots__ = ("_value", "prepared", "reference")
    SIZE: ClassVar[int] = 16

    def __init__(self, value: bytes) -> None:
        if len(value) != self.SIZE:
            raise ValueError(f"{type(self).__name__} is {self.SIZE} bytes, not {len(value)}")
        self._value = bytes(value)
        self.prepared: object | None = None
        """Cipher contexts that ``lorawan/crypto.py`` keeps with the key: making one costs more
        than using it. Of a key in a token, what the token does with it, while it may be asked."""
        self.reference: str | None = None
        """Where a key is that is not in this process; None: its value is here."""

    @classmethod
    def in_token(cls, reference: str) -> Self:
        """A key that never leaves its token: here is only what it is called there."""
        key = cls.__new__(cls)
        key._value, key.prepared, key.reference = b"", None, reference
        return key

    @classmethod
    def from_hex(cls, text: str) -> Self:
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            # The text may be a mistyped key: it must not reach a message.
            raise ValueError(f"{cls.__name__} is 32 hexadecimal digits") from None

    def reveal(self) -> bytes:
        """Raises ``LookupError`` for a key in a token."""
        if self.reference is not None:
            raise LookupError(f"{type(self).__name__} is in a token and does not leave it")
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AES128Key) or self.reference != other.reference:
            return False
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> NoReturn:
        raise TypeError("a key is not a dictionary key")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key does not pickle")


class NwkKey(AES128Key):
    """Root key of the network side, LoRaWAN 1.1."""

    __slots__ = ()


class AppKey(AES128Key):
    """Root key: of everything in LoRaWAN 1.0.x, of the application side in 1.1."""

    __slots__ = ()


class GenAppKey(AES128Key):
    """Root key of multicast and FUOTA for LoRaWAN 1.0.x devices (TS005)."""

    __slots__ = ()


class FNwkSIntKey(AES128Key):
    """Forwarding network session integrity key; in 1.0.x the NwkSKey."""

    __slots__ = ()


class SNwkSIntKey(AES128Key):
    """Serving network session integrity key; in 1.0.x the NwkSKey."""

    __slots__ = ()


class NwkSEncKey(AES128Key):
    """Network session encryption key; in 1.0.x the NwkSKey."""

    __slots__ = ()


class AppSKey(AES128Key):
    """Application session key."""

    __slots__ = ()


class JSIntKey(AES128Key):
    """Join-server integrity key, LoRaWAN 1.1."""

    __slots__ = ()


class JSEncKey(AES128Key):
    """Join-server encryption key, LoRaWAN 1.1."""

    __slots__ = ()


class KeyEncryptionKey(AES128Key):
    """What session keys are wrapped by between servers (RFC 3394): 16, 24 or 32 bytes."""

    __slots__ = ()
    SIZES = (16, 24, 32)

    def __init__(self, value: bytes) -> None:
        if len(value) not in self.SIZES:
            raise ValueError(f"{type(self).__name__} is 16, 24 or 32 bytes, not {len(value)}")
        self._value = bytes(value)
        self.prepared = None
        self.reference = None

    @classmethod
    def from_hex(cls, text: str) -> Self:
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise ValueError(f"{cls.__name__} is 32, 48 or 64 hexadecimal digits") from None


class Refusal(StrEnum):
    """Why a frame or a gateway was not let in: a metric label, a log word, a row in the docs."""

    MALFORMED_FRAME = "malformed_frame"
    UNSUPPORTED_FRAME = "unsupported_frame"
    UNKNOWN_DEV_ADDR = "unknown_dev_addr"
    MIC_MISMATCH = "mic_mismatch"
    FCNT_REPLAYED = "fcnt_replayed"
    FCNT_TOO_FAR = "fcnt_too_far"
    FCNT_EXHAUSTED = "fcnt_exhausted"
    SESSION_HELD = "session_held"
    UNKNOWN_DEV_EUI = "unknown_dev_eui"
    JOIN_NOT_SUPPORTED = "join_not_supported"
    JOIN_EUI_MISMATCH = "join_eui_mismatch"
    DEV_NONCE_REPLAYED = "dev_nonce_replayed"
    JOIN_FLOOD = "join_flood"
    JOIN_NONCE_EXHAUSTED = "join_nonce_exhausted"
    REJOIN_NOT_SUPPORTED = "rejoin_not_supported"
    RJ_COUNT_REPLAYED = "rj_count_replayed"
    NET_ID_MISMATCH = "net_id_mismatch"
    RADIO_UNSETTLED = "radio_unsettled"
    JOIN_SERVER_UNAVAILABLE = "join_server_unavailable"
    JOIN_SERVER_REFUSED = "join_server_refused"
    WRONG_REGION = "wrong_region"
    SESSION_CONTENTION = "session_contention"
    STORE_UNAVAILABLE = "store_unavailable"
    OVERLOADED = "overloaded"

    UNKNOWN_GATEWAY = "unknown_gateway"
    MALFORMED_GATEWAY_EUI = "malformed_gateway_eui"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    CERTIFICATE_OF_ANOTHER_GATEWAY = "certificate_of_another_gateway"
    CERTIFICATE_OF_ANOTHER_ACCOUNT = "certificate_of_another_account"
    CERTIFICATE_INACTIVE = "certificate_inactive"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_FOR_ANOTHER_PURPOSE = "certificate_for_another_purpose"
    GATEWAY_MISCONFIGURED = "gateway_misconfigured"
    STATION_TOO_OLD = "station_too_old"
    STATION_VERSION_UNREADABLE = "station_version_unreadable"
    MALFORMED_MESSAGE = "malformed_message"
    UNKNOWN_MSGTYPE = "unknown_msgtype"
    OVERSIZED_MESSAGE = "oversized_message"
    TOO_MANY_MALFORMED = "too_many_malformed"
    TOO_MANY_MESSAGES = "too_many_messages"
    TOO_MANY_REQUESTS = "too_many_requests"
