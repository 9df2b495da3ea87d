"""Every exception of bittern, in one tree.

BitternError
├── FrameError               bytes that are not a LoRaWAN frame
│   └── CommandError         bytes that are not a sequence of MAC commands
├── GatewayProtocolError     a gateway broke the Basics Station protocol: close *its* connection
├── MqttProtocolError        an MQTT peer broke the protocol: close *its* connection
├── ConfigurationError       configuration that cannot be used; lists every problem with its path
├── StoreError
│   ├── StaleSession         the session changed since it was read; read again, decide again
│   ├── StoreUnavailable     disk full, database away: nothing of the call was stored
│   ├── SchemaTooNew         the database was written by a later bittern
│   ├── ChangesTrimmed       changes asked for are no longer kept; drop what is cached
│   ├── Conflict             a resource of that identity exists, or is in use
│   └── NotFound             no resource of that identity
├── AuthorityUnusable        the certificate authority's files are there and cannot be used
├── AlreadyServed            another server of the same data directory is running
├── BackupUnusable           a backup is damaged, of a later version, or not what it says it is
├── NotEmpty                 a folder that is to be made holds something already
├── JoinServerUnavailable    the join server that has a device's root keys gives no answer now
├── SealingError
│   ├── KeyFileExposed       the data key can be read by others
│   ├── KeyProviderError     the data keys cannot be had
│   │   ├── KeyProviderRefused      access denied, another key, or tampered: a person must act
│   │   └── KeyProviderUnavailable  it may answer later
│   └── SealBroken           a sealed value does not open: tampered, moved or of another key
├── RuleError                a rule in SQL that cannot be, or what it cannot do with a message
│   ├── SqlParseException    a statement that is none; says where, and what was meant perhaps
│   ├── RuleLimitExceeded    a message made a rule work or grow beyond its bounds
│   └── ExternalCallFailed   a function outside the engine (a codec, a lambda) gave no answer
├── CodecError               a payload codec has not answered; says where in its script
├── ImageError               an update image of gateways cannot be served
│   ├── ImageRejected        it is not what was signed: it never will be
│   └── ImageUnavailable     it may be later
└── DeliveryError
    ├── DeliveryRejected     the receiver will never take it
    └── DeliveryUnavailable  the receiver may take it later

A refused frame is no exception but a value: ``types.Refusal``.
"""

from __future__ import annotations

from typing import Literal

from bittern.types import EUI64, Refusal


class BitternError(Exception):
    """Base of all. Fields are stored; the text is made in ``__str__``."""


class FrameError(BitternError):
    """Bytes that are not a LoRaWAN frame; ``reason`` says what did not fit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class CommandError(FrameError):
    """Bytes that are not a sequence of MAC commands."""


class GatewayProtocolError(BitternError):
    """A gateway broke the protocol; its connection ends with ``reason``."""

    def __init__(self, reason: str, refusal: Refusal = Refusal.MALFORMED_MESSAGE) -> None:
        super().__init__(reason, refusal)
        self.reason = reason
        self.refusal = refusal

    def __str__(self) -> str:
        return self.reason


class MqttProtocolError(BitternError):
    """An MQTT client or broker broke the protocol; its connection ends with ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class ConfigurationError(BitternError):
    """Configuration that cannot be used. ``problems`` are ``path: what`` lines, all at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class AuthorityUnusable(BitternError):
    """A file of the certificate authority is missing, broken or another's."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class StoreError(BitternError):
    """The store could not do what it was asked."""


class StaleSession(StoreError):
    """The stored session is no longer the one that the caller read."""

    def __init__(self, dev_eui: EUI64, revision: int) -> None:
        super().__init__(dev_eui, revision)
        self.dev_eui = dev_eui
        self.revision = revision

    def __str__(self) -> str:
        return f"session of {self.dev_eui} has moved on from revision {self.revision}"


class StoreUnavailable(StoreError):
    """Nothing of the call was stored: the disk is full or the database away."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"store unavailable: {self.reason}"


class SchemaTooNew(StoreError):
    """The database was written by a later version."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(found, known)
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return f"database schema is version {self.found}, this bittern knows up to {self.known}"


class ChangesTrimmed(StoreError):
    """Some changes behind `sequence` are no longer kept: whatever is cached may be wrong."""

    def __init__(self, sequence: int) -> None:
        super().__init__(sequence)
        self.sequence = sequence

    def __str__(self) -> str:
        return f"changes after {self.sequence} are no longer kept"


class Conflict(StoreError):
    """A resource of that identity exists already, or is in use."""

    def __init__(self, kind: str, identity: str, reason: str = "exists already") -> None:
        super().__init__(kind, identity, reason)
        self.kind = kind
        self.identity = identity
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} {self.reason}"


class NotFound(StoreError):
    """No resource of that identity."""

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(kind, identity)
        self.kind = kind
        self.identity = identity

    def __str__(self) -> str:
        return f"no {self.kind} {self.identity}"


class SealingError(BitternError):
    """A value could not be sealed or opened."""


class KeyFileExposed(SealingError):
    """The data key can be read by others than its owner."""

    def __init__(self, path: str, mode: int) -> None:
        super().__init__(path, mode)
        self.path = path
        self.mode = mode

    def __str__(self) -> str:
        return f"{self.path} has mode {self.mode:04o}; it must be 0600"


class KeyProviderError(SealingError):
    """The key provider has not wrapped or unwrapped a data key.

    ``provider`` and ``where`` as it names itself, ``reason`` never with a key, ``cure`` what a
    person can do about it; it may be empty.
    """

    def __init__(self, provider: str, where: str, reason: str, cure: str = "") -> None:
        super().__init__(provider, where, reason, cure)
        self.provider = provider
        self.where = where
        self.reason = reason
        self.cure = cure

    def __str__(self) -> str:
        cure = f"; {self.cure}" if self.cure else ""
        return f"key provider {self.provider}, {self.where}: {self.reason}{cure}"


class KeyProviderRefused(KeyProviderError):
    """Access denied, another key than wrapped it, or a wrapped key that was tampered with."""


class KeyProviderUnavailable(KeyProviderError):
    """The provider cannot be reached now."""


class SealBroken(SealingError):
    """A sealed value does not open: it was changed, moved, or sealed by another key."""

    def __init__(self, where: str, unknown_key: int | None = None) -> None:
        super().__init__(where, unknown_key)
        self.where = where
        self.unknown_key = unknown_key
        """Id of its data key, where that is not at hand."""

    def __str__(self) -> str:
        because = "" if self.unknown_key is None else f": no data key {self.unknown_key} is at hand"
        return f"sealed value of {self.where} does not open{because}"


class BackupUnusable(BitternError):
    """A backup that is damaged, of a later version, or not what it says it is."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be used: {self.reason}"


class NotEmpty(BitternError):
    """A folder that is to be made holds something already."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} is not empty: name a folder that is not there yet"


class AlreadyServed(BitternError):
    """Another server of the same data directory is running."""

    def __init__(self, data_dir: str) -> None:
        super().__init__(data_dir)
        self.data_dir = data_dir

    def __str__(self) -> str:
        return f"another server is running on {self.data_dir}"


class JoinServerUnavailable(BitternError):
    """A join server gives no answer; ``reason`` says where it was looked for and what came."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class RuleError(BitternError):
    """A rule in SQL cannot be used, or cannot be applied to a message; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class SqlParseException(RuleError):
    """Text that is no statement of AWS IoT SQL. The name is AWS's, of its ``iot`` API.

    ``offset`` and ``length`` mark characters of ``sql``; ``hint`` is a proposal, or empty.
    """

    def __init__(self, reason: str, sql: str, offset: int, length: int = 1, hint: str = "") -> None:
        super().__init__(reason)
        self.sql = sql
        self.offset = min(max(offset, 0), len(sql))
        self.length = max(length, 1)
        self.hint = hint

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.sql.count("\n", 0, self.offset) + 1

    @property
    def column(self) -> int:
        """Counted from 1, in characters."""
        return self.offset - self.sql.rfind("\n", 0, self.offset)

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"line {self.line}, column {self.column}: {self.reason}{hint}"


class RuleLimitExceeded(RuleError):
    """With this message the rule would do more work, or grow a larger result, than is allowed."""


class ExternalCallFailed(RuleError):
    """A function that is answered outside the engine failed, or nobody answers it."""


CodecFault = Literal["script", "time", "memory", "answer", "crash", "busy", "unknown"]


class CodecError(BitternError):
    """A payload codec has not answered, or with nothing that can be used.

    ``place``: line and column in its script, from 1, where that is known.
    """

    def __init__(
        self, reason: str, *, kind: CodecFault, place: tuple[int, int] | None = None
    ) -> None:
        super().__init__(reason, kind, place)
        self.reason = reason
        self.kind = kind
        self.place = place

    def __str__(self) -> str:
        if self.place is None:
            return self.reason
        line, column = self.place
        return f"{self.reason} (line {line}, column {column})"


class ImageError(BitternError):
    """An update image of gateways cannot be served; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class ImageRejected(ImageError):
    """The image is not what was signed."""


class ImageUnavailable(ImageError):
    """The image is not to be had now, or cannot be checked; an operator can change that."""


class DeliveryError(BitternError):
    """A message did not reach its receiver."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class DeliveryRejected(DeliveryError):
    """The receiver will never take this message; trying again is useless."""


class DeliveryUnavailable(DeliveryError):
    """The receiver may take this message later."""
