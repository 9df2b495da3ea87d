"""Multicast groups, firmware updates over the air, and which devices take part in them.

None of it is secret: a group has no keys before one of its devices is set up.
"""

from __future__ import annotations

import msgspec

from bittern.mac.fuota import FIRST_RECEIVER_STATUS, FuotaSession, ReceiverStatus
from bittern.mac.multicast import DlClass, MemberStatus, MulticastSession
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import DevEUI, GatewayEUI, Instant


class MulticastGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that are to hear the same messages."""

    account: str = DEFAULT_ACCOUNT
    id: str
    revision: int = 0
    """Counts its changes: whoever changes it says which one they have read."""
    name: str = ""
    description: str = ""
    region: str
    dl_class: DlClass
    gateways: tuple[GatewayEUI, ...] = ()
    """That are to send its messages, in this order; empty: those that last heard its devices."""
    interval_ms: int | None = None
    """From one gateway to the next, 0..60000; None: not said."""
    default_data_rate: int | None = None
    default_frequency_hz: int | None = None
    session: MulticastSession | None = None
    """The last that was scheduled and not cancelled; it may be over."""
    removing: bool = False
    """It goes as soon as its devices no longer have its keys."""
    created_at: Instant


class GroupDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device in a group."""

    group_id: str
    dev_eui: DevEUI
    number: int
    """1..4: McGroupID, counted from 1 as AWS does."""
    status: MemberStatus


class GroupCount(msgspec.Struct, frozen=True):
    """How many devices a group has."""

    requested: int
    set_up: int
    """Of these, those that have acknowledged the group's keys."""


class FuotaTask(msgspec.Struct, frozen=True, kw_only=True):
    """An image for devices, or for the devices of groups."""

    account: str = DEFAULT_ACCOUNT
    id: str
    revision: int = 0
    """As that of a group."""
    name: str = ""
    description: str = ""
    region: str = ""
    """Empty: not said; then its devices and groups may be of any."""
    image: str
    """``s3://BUCKET/KEY``."""
    role_arn: str
    """By which AWS would read the image; kept as it was given."""
    redundancy_percent: int | None = None
    fragment_bytes: int | None = None
    interval_ms: int | None = None
    descriptor: str = ""
    """Base64."""
    session: FuotaSession | None = None
    removing: bool = False
    created_at: Instant


class TaskDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device of a task, by itself or by one of the task's groups."""

    task_id: str
    dev_eui: DevEUI
    status: ReceiverStatus = FIRST_RECEIVER_STATUS


def is_successor_of_group(before: MulticastGroup, after: MulticastGroup) -> bool:
    """Whether `after` is what a group may become: one change further, and of the same account."""
    return (after.id, after.account, after.revision) == (
        before.id,
        before.account,
        before.revision + 1,
    )


def is_successor_of_task(before: FuotaTask, after: FuotaTask) -> bool:
    """The same of a firmware update."""
    return (after.id, after.account, after.revision) == (
        before.id,
        before.account,
        before.revision + 1,
    )
