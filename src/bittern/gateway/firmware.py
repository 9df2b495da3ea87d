"""Updates of gateways over CUPS: who is to have which image, and what becomes of a task.

A station stores the image, checks its signature, executes it and says no more: that it worked shows
when the gateway reports the new version. The statuses are those of AWS IoT Core for LoRaWAN.

    PENDING ------given------> IN_PROGRESS --given again--> FIRST_RETRY --again--> SECOND_RETRY
    any but the final ones --reports the new version--> COMPLETED
    SECOND_RETRY --reports the old version still--> FAILED

A station with keys executes what one of them has signed. A station without a key executes what has
no signature, and refuses what has one. We send no image without a signature, so a gateway that
lacks the key of the definition is not given the image at all.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.gateway.cups import SIGNATURE_SIZES
from bittern.types import Instant

Status = Literal["PENDING", "IN_PROGRESS", "FIRST_RETRY", "SECOND_RETRY", "COMPLETED", "FAILED"]

AFTER_GIVING: dict[Status, Status] = {
    "PENDING": "IN_PROGRESS",
    "IN_PROGRESS": "FIRST_RETRY",
    "FIRST_RETRY": "SECOND_RETRY",
}
"""Where a task that is in none of these is no longer given its image."""
FINAL: frozenset[Status] = frozenset(("COMPLETED", "FAILED"))

TIME_TO_UPDATE_S = 600.0
"""How long the old version means nothing: a gateway may ask again while the image is at work."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What runs on a gateway, in the words of its station; empty: whatever it is."""

    package: str = ""
    model: str = ""
    station: str = ""

    def __str__(self) -> str:
        told = [
            f"{name} {value!r}"
            for name, value in zip(self.__struct_fields__, _values(self), strict=True)
            if value
        ]
        return ", ".join(told) or "any version"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An image and the gateways that it is for."""

    current: Version
    """What a gateway must run to be given the image."""
    update: Version
    """What it runs afterwards."""
    key_crc: int
    """CRC-32 of the public key that checks the signature."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The update of one gateway."""

    status: Status = "PENDING"
    reason: str = ""
    changed_at: Instant
    """When it came to its status; where an image was given, when that was."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a task at a request. `Task.changed_at` changes with the status alone."""

    status: Status
    give: bool = False
    """Whether the image goes with the answer."""
    reason: str = ""
    """Why it waits or failed."""


def matches(reported: Version, pattern: Version) -> bool:
    """Whether a gateway that reports this is meant; what is empty in the pattern is any."""
    return all(
        value in ("", told) for value, told in zip(_values(pattern), _values(reported), strict=True)
    )


def check_definition(definition: Definition) -> None:
    """Raises ValueError where a task could never be completed, or would be at once."""
    if definition.update == Version():
        raise ValueError("the new version is empty: nothing would tell that the update worked")
    if matches(definition.current, definition.update):
        raise ValueError(
            f"a gateway that runs {definition.current} runs {definition.update} already"
        )
    if not 1 <= definition.key_crc <= 0xFFFF_FFFF:
        raise ValueError(f"the CRC of a key is 1 to 4294967295, not {definition.key_crc}")


def step(
    task: Task,
    definition: Definition,
    *,
    reported: Version,
    key_crcs: tuple[int, ...],
    now: Instant,
) -> Step:
    """What becomes of the task when its gateway asks CUPS.

    ``reported`` and ``key_crcs`` are what the gateway says with its request. Where the image is to
    be given and cannot be, the shell keeps `postponed` or `failed` instead of this.
    """
    if task.status in FINAL:
        return Step(status=task.status, reason=task.reason)
    if matches(reported, definition.update):
        return Step(status="COMPLETED")
    if not matches(reported, definition.current):
        return _of_another_version(task, definition, reported)
    if definition.key_crc not in key_crcs:
        return failed(_missing_key(definition.key_crc, key_crcs))
    if task.status == "PENDING":
        return Step(status="IN_PROGRESS", give=True)
    return _once_more(task, reported, now)


def postponed(task: Task, reason: str) -> Step:
    """The image is not to be had now, for example: nothing was given, the task stays as it is."""
    return Step(status=task.status, reason=reason)


def failed(reason: str) -> Step:
    """The image can never be given, for example as its signature does not fit."""
    return Step(status="FAILED", reason=reason)


def signature_segment(key_crc: int, signature: bytes) -> bytes:
    """The signature as it stands in CUPS's answer: the CRC of its key, little-endian, and the DER.

    Raises ValueError for a size at which a station ends the connection.
    """
    whole = key_crc.to_bytes(4, "little") + signature
    if len(whole) not in SIGNATURE_SIZES:
        raise ValueError(f"a signature has 4 to 128 bytes, not {len(signature)}")
    return whole


def _of_another_version(task: Task, definition: Definition, reported: Version) -> Step:
    """Before the image was given that may change; afterwards something else has been installed."""
    reason = f"the gateway runs {reported}; the update is for {definition.current}"
    return postponed(task, reason) if task.status == "PENDING" else failed(reason)


def _once_more(task: Task, reported: Version, now: Instant) -> Step:
    since = now - task.changed_at
    if 0 <= since < TIME_TO_UPDATE_S:
        return postponed(task, f"the gateway was given the image {since:.0f} s ago")
    following = AFTER_GIVING.get(task.status)
    reason = f"the gateway was given the image and still runs {reported}"
    if following is None:
        return failed(f"{reason}, after {len(AFTER_GIVING)} times; its own log says why")
    return Step(status=following, give=True, reason=reason)


def _missing_key(key_crc: int, key_crcs: tuple[int, ...]) -> str:
    has = ", ".join(map(str, key_crcs)) if key_crcs else "none"
    return (
        f"the gateway has no key with CRC {key_crc} to check the image by (it has {has}): the"
        " public key belongs in sig-0.key beside its station.conf"
    )


def _values(version: Version) -> tuple[str, str, str]:
    return version.package, version.model, version.station
