"""Devices as members: those of one multicast group, of one firmware update, or of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, present
from bittern.api.operations.services import Services
from bittern.store.group_records import FuotaTask, GroupDevice, MulticastGroup, TaskDevice
from bittern.store.records import Device
from bittern.types import DevEUI

PAGE = 250
Member = GroupDevice | TaskDevice


def asks_for_members(parameters: Parameters) -> bool:
    return not {"FuotaTaskId", "MulticastGroupId"}.isdisjoint(parameters)


async def members(
    services: Services, call: Call, parameters: Parameters, after: DevEUI | None, most: int
) -> list[tuple[Device, Answer]]:
    """Devices in order of DevEUI behind `after` that have what is asked for, each with what is
    told of it as a member. None of a group or task that is not the caller's."""
    found: list[tuple[Device, Answer]] = []
    async for member in _every(services, call, parameters, after):
        told = await _told(services, parameters, member)
        device = await services.store.device(member.dev_eui)
        if told is not None and device is not None and _fits(device, parameters):
            found.append((device, told))
        if len(found) == most:
            break
    return found


async def _every(
    services: Services, call: Call, parameters: Parameters, after: DevEUI | None
) -> AsyncIterator[Member]:
    """Of the group, or else of the task."""
    group_id, task_id = parameters.get("MulticastGroupId"), parameters.get("FuotaTaskId")
    if not await _is_theirs(services, call, group_id, task_id):
        return
    while True:
        page: Sequence[Member]
        if group_id is not None:
            page = await services.store.group_devices(group_id, after, PAGE)
        else:
            assert task_id is not None
            page = await services.store.task_devices(task_id, after, PAGE)
        for member in page:
            after = member.dev_eui
            yield member
        if len(page) < PAGE:
            return


async def _is_theirs(
    services: Services, call: Call, group_id: str | None, task_id: str | None
) -> bool:
    named: list[MulticastGroup | FuotaTask | None] = []
    if group_id is not None:
        named.append(await services.store.multicast_group(group_id))
    if task_id is not None:
        named.append(await services.store.fuota_task(task_id))
    return all(one is not None and one.account == call.account for one in named)


async def _told(services: Services, parameters: Parameters, member: Member) -> Answer | None:
    """None where a device of the group is not in the task that was asked for too."""
    if isinstance(member, TaskDevice):
        return {"FuotaDeviceStatus": member.status}
    told: Answer = {"MulticastDeviceStatus": member.status, "McGroupId": member.number}
    if "FuotaTaskId" in parameters:
        both = await services.store.task_device(parameters["FuotaTaskId"], member.dev_eui)
        return None if both is None else told | {"FuotaDeviceStatus": both.status}
    return told


def _fits(device: Device, parameters: Parameters) -> bool:
    wanted = present(
        destination=parameters.get("DestinationName"),
        device_profile_id=parameters.get("DeviceProfileId"),
        service_profile_id=parameters.get("ServiceProfileId"),
    )
    return all(getattr(device, name) == value for name, value in wanted.items())
