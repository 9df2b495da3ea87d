"""Firmware updates over the air: an image for devices, or for the devices of multicast groups.

Tasks are kept, and their states are those of their timetables. What goes over the air is not there
yet: no session ever begins, so a task that is started is ``FuotaDone`` ten minutes after its start,
and every device is as it was: ``Initial``, or in another task at that time.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.api.errors import conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    forget_tags,
    moment,
    new_id,
    once,
    page_of,
    present,
    settled,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.mac.fuota import (
    LEAST_AHEAD_S,
    FuotaSession,
    TaskStatus,
    fragment_problem,
    image_problem,
    start_problem,
    task_status,
)
from bittern.store.group_records import FuotaTask
from bittern.types import Instant

KIND = "FuotaTask"
_FIELDS = {
    "Name": "name",
    "Description": "description",
    "FirmwareUpdateImage": "image",
    "FirmwareUpdateRole": "role_arn",
    "RedundancyPercent": "redundancy_percent",
    "FragmentSizeBytes": "fragment_bytes",
    "FragmentIntervalMS": "interval_ms",
    "Descriptor": "descriptor",
}
"""Members that are the record's field as they stand."""


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        task = FuotaTask(
            account=call.account,
            id=new_id(services.randomness),
            created_at=call.now,
            **_fields(parameters),
        )
        _check(task)
        rest = f"{KIND}/{task.id}"
        answer = {"Arn": call.arn(rest), "Id": task.id}
        await services.store.add_fuota_task(task, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    task = await task_of(services, call, parameters["Id"])
    starts = None if task.session is None else moment(task.session.start_at)
    return present(
        Arn=call.arn(f"{KIND}/{task.id}"),
        Id=task.id,
        Status=status_of(call, task),
        LoRaWAN=present(RfRegion=task.region, StartTime=starts),
        CreatedAt=moment(task.created_at),
        **{name: getattr(task, field) for name, field in _FIELDS.items()},
    )


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    found = await services.store.fuota_tasks(call.account, page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.id)
    entries = [present(Id=one.id, Arn=call.arn(f"{KIND}/{one.id}"), Name=one.name) for one in shown]
    return present(NextToken=token) | {"FuotaTaskList": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays. ConflictException unless the task is ``Pending``, and for another
    region while it has devices or groups."""

    async def attempt() -> bool | None:
        before = await pending_task(services, call, parameters["Id"])
        fields = _fields(parameters)
        after = msgspec.structs.replace(before, revision=before.revision + 1, **fields)
        _check(after)
        return await services.store.replace_fuota_task(before, after) or None

    await settled(attempt, KIND, parameters["Id"])


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    """Gone at once, unless its session is under way: then it waits, as ``Delete_Waiting``, until
    that has been ended."""

    async def attempt() -> bool | None:
        task = await task_of(services, call, parameters["Id"])
        if task.removing:
            return True
        if status_of(call, task) != "In_FuotaSession":
            return await services.store.remove_fuota_task(task) or None
        after = msgspec.structs.replace(task, removing=True, revision=task.revision + 1)
        return await services.store.replace_fuota_task(task, after) or None

    await settled(attempt, KIND, parameters["Id"])
    if await services.store.fuota_task(parameters["Id"]) is None:
        rest = f"{KIND}/{parameters['Id']}"
        await forget_tags(services, call, rest)
        await services.store.remove_note(call.account, "logs", rest)


async def start(services: Services, call: Call, parameters: Parameters) -> None:
    """Without a time, as early as may be: in half an hour. ConflictException unless the task is
    ``Pending`` and has devices or groups, and for a group that has a session or takes part in
    another task at that time."""
    given = parameters.get("LoRaWAN", {}).get("StartTime")
    start_at = Instant(call.now + LEAST_AHEAD_S if given is None else given.timestamp())
    problem = start_problem(start_at, call.now)

    async def attempt() -> bool | None:
        before = await pending_task(services, call, parameters["Id"])
        if problem is not None:
            raise wrong("loRaWAN.startTime", problem)
        session = FuotaSession(start_at=start_at)
        after = msgspec.structs.replace(before, session=session, revision=before.revision + 1)
        return await services.store.start_fuota_task(before, after, call.now) or None

    await settled(attempt, KIND, parameters["Id"])


async def task_of(services: Services, call: Call, task_id: str) -> FuotaTask:
    """One of the caller's account. ApiError."""
    task = await services.store.fuota_task(task_id)
    if task is None or task.account != call.account:
        raise not_found(KIND, task_id)
    return task


async def pending_task(services: Services, call: Call, task_id: str) -> FuotaTask:
    """One that may be changed. ApiError."""
    task = await task_of(services, call, task_id)
    status = status_of(call, task)
    if status != "Pending":
        text = f"{KIND} {task.id} is {status}: it can be changed while it is Pending"
        raise conflict(KIND, task.id, text)
    return task


def status_of(call: Call, task: FuotaTask) -> TaskStatus:
    return task_status(task.session, call.now, removing=task.removing)


def _fields(parameters: Parameters) -> dict[str, Any]:
    given = {field: parameters[name] for name, field in _FIELDS.items() if name in parameters}
    region = parameters.get("LoRaWAN", {}).get("RfRegion")
    return given if region is None else given | {"region": region}


def _check(task: FuotaTask) -> None:
    """What could never be sent is refused now."""
    for path, problem in (
        ("firmwareUpdateImage", image_problem(task.image)),
        ("fragmentSizeBytes", fragment_problem(task.fragment_bytes)),
    ):
        if problem is not None:
            raise wrong(path, problem)
