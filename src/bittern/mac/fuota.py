"""Firmware updates over the air: which state a task and its devices are in, and what a task may be.

    Pending --started--> FuotaSession_Waiting --begun--> In_FuotaSession --ended--> FuotaDone
    FuotaSession_Waiting --nothing begins within ten minutes of its start--> FuotaDone
    any --removal begins--> Delete_Waiting

The words are those of AWS's model. ``FuotaDone`` says that the session is over, not that a device
has its image: what came of each device is in the status of the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from bittern.types import Instant

TaskStatus = Literal[
    "Pending", "FuotaSession_Waiting", "In_FuotaSession", "FuotaDone", "Delete_Waiting"
]
ReceiverStatus = Literal[
    "Initial",
    "Package_Not_Supported",
    "FragAlgo_unsupported",
    "Not_enough_memory",
    "FragIndex_unsupported",
    "Wrong_descriptor",
    "SessionCnt_replay",
    "MissingFrag",
    "MemoryError",
    "MICError",
    "Successful",
    "Device_exist_in_conflict_fuota_task",
]

ACTIVE: frozenset[TaskStatus] = frozenset(("FuotaSession_Waiting", "In_FuotaSession"))
"""A session is scheduled or under way: a device takes part in one at a time."""
FIRST_RECEIVER_STATUS: ReceiverStatus = "Initial"
CONFLICTING: ReceiverStatus = "Device_exist_in_conflict_fuota_task"
BY_SETUP: Mapping[int, ReceiverStatus] = {
    1 << 0: "FragAlgo_unsupported",
    1 << 1: "Not_enough_memory",
    1 << 2: "FragIndex_unsupported",
    1 << 3: "Wrong_descriptor",
    1 << 4: "SessionCnt_replay",
}
"""By the bit of StatusBitMask in FragSessionSetupAns (TS004-2.0.0)."""

LEAST_AHEAD_S = 30 * 60
BEGIN_WITHIN_S = 600
"""How long after its start a session may still begin."""
MOST_IMAGE_BYTES = 1 << 20
MOST_FRAGMENT_BYTES = 255
"""FragSize has eight bits (TS004-2.0.0, FragSessionSetupReq)."""

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)


class FuotaSession(msgspec.Struct, frozen=True, kw_only=True):
    """When the image of a task is to be sent, and what became of it."""

    start_at: Instant
    begun_at: Instant | None = None
    ended_at: Instant | None = None


def task_status(
    session: FuotaSession | None, now: Instant, *, removing: bool = False
) -> TaskStatus:
    """What has not begun in time is over."""
    if removing:
        return "Delete_Waiting"
    if session is None:
        return "Pending"
    if session.ended_at is not None:
        return "FuotaDone"
    if session.begun_at is not None:
        return "In_FuotaSession"
    return "FuotaSession_Waiting" if now < session.start_at + BEGIN_WITHIN_S else "FuotaDone"


def start_problem(start_at: Instant, now: Instant) -> str | None:
    """Why a session cannot start then."""
    if start_at < now + LEAST_AHEAD_S:
        return f"Member must be at least {LEAST_AHEAD_S // 60} minutes ahead"
    return None


def image_problem(source: str) -> str | None:
    """Why an image cannot be there: what is named is an object of S3."""
    return None if _S3.fullmatch(source) else "Member must be of the form s3://BUCKET/KEY"


def fragment_problem(fragment_bytes: int | None) -> str | None:
    """Why fragments cannot be of this size."""
    if fragment_bytes is not None and fragment_bytes > MOST_FRAGMENT_BYTES:
        return f"Member must be less than or equal to {MOST_FRAGMENT_BYTES}"
    return None


def fragment_count(image_bytes: int, fragment_bytes: int, redundancy_percent: int) -> int:
    """Fragments that are sent, the redundant ones too. ValueError for an image beyond 1 MiB."""
    if not 0 < image_bytes <= MOST_IMAGE_BYTES:
        raise ValueError(f"an image has 1 to {MOST_IMAGE_BYTES} bytes, not {image_bytes}")
    fragments = -(-image_bytes // fragment_bytes)
    return fragments - (-fragments * redundancy_percent // 100)


def after_setup(status_bits: int) -> ReceiverStatus | None:
    """What the answer to FragSessionSetupReq says of a device; None: it is ready."""
    return next((status for bit, status in BY_SETUP.items() if status_bits & bit), None)
