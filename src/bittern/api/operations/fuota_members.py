"""Who takes part in a firmware update: devices by themselves, or multicast groups; never both."""

from __future__ import annotations

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import devices, multicast_groups
from bittern.api.operations.common import Answer, page_of, present, settled, wrong
from bittern.api.operations.fuota_tasks import KIND, pending_task, status_of, task_of
from bittern.api.operations.multicast_devices import named_device, region_of, require_same
from bittern.api.operations.multicast_groups import busy, group_of
from bittern.api.operations.services import Services
from bittern.errors import NotFound
from bittern.mac.fuota import ACTIVE
from bittern.store.group_records import FuotaTask, MulticastGroup


async def associate_device(services: Services, call: Call, parameters: Parameters) -> None:
    """ConflictException unless the task is ``Pending`` and without groups; again for a device that
    it has already changes nothing."""
    device = await named_device(services, call, parameters["WirelessDeviceId"])
    region = await region_of(services, device)

    async def attempt() -> bool | None:
        task = await pending_task(services, call, parameters["Id"])
        if task.region:
            require_same(region, task.region, KIND)
        return await services.store.add_task_device(task, device.dev_eui) or None

    await settled(attempt, KIND, parameters["Id"])


async def disassociate_device(services: Services, call: Call, parameters: Parameters) -> None:
    device = await named_device(services, call, parameters["WirelessDeviceId"])

    async def attempt() -> bool | None:
        task = await _settled_task(services, call, parameters["Id"])
        try:
            return await services.store.remove_task_device(task, device.dev_eui) or None
        except NotFound:
            raise not_found(devices.KIND, device.id) from None

    await settled(attempt, KIND, parameters["Id"])


async def associate_group(services: Services, call: Call, parameters: Parameters) -> None:
    """ConflictException unless the task is ``Pending`` and without devices of its own; again for a
    group that it has already changes nothing."""
    group = await _named_group(services, call, parameters["MulticastGroupId"])
    if group.removing:
        raise busy(group, "Delete_Waiting")

    async def attempt() -> bool | None:
        task = await pending_task(services, call, parameters["Id"])
        if task.region and task.region != group.region:
            reason = f"the group is of {group.region}, the {KIND} of {task.region}"
            raise wrong("multicastGroupId", reason)
        return await services.store.add_task_group(task, group.id) or None

    await settled(attempt, KIND, parameters["Id"])


async def disassociate_group(services: Services, call: Call, parameters: Parameters) -> None:
    group = await _named_group(services, call, parameters["MulticastGroupId"])

    async def attempt() -> bool | None:
        task = await _settled_task(services, call, parameters["Id"])
        return await services.store.remove_task_group(task, group.id) or None

    await settled(attempt, KIND, parameters["Id"])


async def list_groups(services: Services, call: Call, parameters: Parameters) -> Answer:
    task = await task_of(services, call, parameters["Id"])
    page = page_of(services, call, parameters)
    found = await services.store.task_groups(task.id, page.after or "", page.fetch)
    shown, token = page.split(found, str)
    return present(NextToken=token) | {"MulticastGroupList": [{"Id": one} for one in shown]}


async def _named_group(services: Services, call: Call, group_id: str) -> MulticastGroup:
    """One that the request names beside its task. ApiError as of a device."""
    call.require(call.arn(f"{multicast_groups.KIND}/{group_id}"))
    return await group_of(services, call, group_id)


async def _settled_task(services: Services, call: Call, task_id: str) -> FuotaTask:
    """One that may be left: what is over may be tidied up. ApiError."""
    task = await task_of(services, call, task_id)
    if status_of(call, task) in ACTIVE or task.removing:
        return await pending_task(services, call, task_id)
    return task
