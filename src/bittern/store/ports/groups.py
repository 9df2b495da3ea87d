"""Multicast groups and their devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bittern.mac.multicast import MemberStatus
from bittern.store.group_records import FuotaTask, GroupCount, GroupDevice, MulticastGroup
from bittern.store.notes import Note
from bittern.types import DevEUI


class Groups(Protocol):
    """Whoever changes a group or its devices says which revision they have read: what they
    decided on must still hold. A device that is removed leaves its groups."""

    async def add_multicast_group(
        self, group: MulticastGroup, *, notes: Sequence[Note] = ()
    ) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def multicast_group(self, group_id: str) -> MulticastGroup | None: ...
    async def multicast_groups(
        self, account: str, after: str = "", limit: int = 250
    ) -> list[MulticastGroup]:
        """Of one account, in order of id, those behind `after`."""
        ...

    async def replace_multicast_group(self, before: MulticastGroup, after: MulticastGroup) -> bool:
        """Compare and set; False where the group is no longer `before`.

        `after` has the next revision. Raises `Conflict` for another region while the group has
        devices or is of a firmware update.
        """
        ...

    async def remove_multicast_group(self, group: MulticastGroup) -> bool:
        """False where the group is no longer this one. Raises `Conflict` while it is of a firmware
        update."""
        ...

    async def group_count(self, group_id: str) -> GroupCount: ...

    async def add_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> list[DevEUI] | None:
        """Those that are in the group now, be it since before; None where the group is no longer
        this one.

        Not among them: devices of other accounts, devices that are gone, and those that are in as
        many groups as a device can be.
        """
        ...

    async def remove_group_devices(
        self, group: MulticastGroup, dev_euis: Sequence[DevEUI]
    ) -> int | None:
        """How many of them were in the group; None where it is no longer this one."""
        ...

    async def group_device(self, group_id: str, dev_eui: DevEUI) -> GroupDevice | None: ...
    async def group_devices(
        self, group_id: str, after: DevEUI | None = None, limit: int = 250
    ) -> list[GroupDevice]:
        """In order of DevEUI, those behind `after`."""
        ...

    async def move_group_device(self, before: GroupDevice, status: MemberStatus) -> bool:
        """Compare and set its status; False where it is no longer as `before`, or not there."""
        ...

    async def groups_of_device(self, dev_eui: DevEUI) -> list[str]:
        """Ids of the groups that it is in, in the order of its numbers."""
        ...

    async def tasks_of_group(self, group_id: str) -> list[FuotaTask]:
        """The firmware updates that have it, in order of id."""
        ...
