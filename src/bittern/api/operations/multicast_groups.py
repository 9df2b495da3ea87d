"""Multicast groups: devices that are to hear the same messages.

Groups are kept, and their states are those of their timetables. What goes over the air is not
there yet: no device is ever told of a group, so none of them is counted as being in it
(``NumberOfDevicesInGroup``), and all keep the status of a device that has not answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import ApiError, conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    forget_tags,
    lorawan,
    missing,
    moment,
    new_id,
    once,
    page_of,
    present,
    settled,
    wrong,
)
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.lorawan import regions
from bittern.lorawan.regions.plan import Plan
from bittern.mac.fuota import task_status
from bittern.mac.multicast import GroupStatus, group_status, removed_at_once
from bittern.store.group_records import MulticastGroup
from bittern.types import GatewayEUI

KIND = "MulticastGroup"


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        given = lorawan(parameters)
        for name in ("RfRegion", "DlClass"):
            if name not in given:
                raise missing(f"loRaWAN.{name[:1].lower()}{name[1:]}")
        plain = MulticastGroup(
            account=call.account,
            id=new_id(services.randomness),
            region=given["RfRegion"],
            dl_class=given["DlClass"],
            created_at=call.now,
        )
        group = await _with(services, call, plain, parameters)
        rest = f"{KIND}/{group.id}"
        answer = {"Arn": call.arn(rest), "Id": group.id}
        await services.store.add_multicast_group(group, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    group = await group_of(services, call, parameters["Id"])
    count = await services.store.group_count(group.id)
    details = present(
        RfRegion=group.region,
        DlClass=group.dl_class,
        NumberOfDevicesRequested=count.requested,
        NumberOfDevicesInGroup=count.set_up,
        ParticipatingGateways=await _gateways_document(services, group),
        DefaultSessionParameters=present(
            DlDr=group.default_data_rate, DlFreq=group.default_frequency_hz
        ),
    )
    return present(
        Arn=call.arn(f"{KIND}/{group.id}"),
        Id=group.id,
        Name=group.name,
        Description=group.description,
        Status=await status_of(services, call, group),
        LoRaWAN=details,
        CreatedAt=moment(group.created_at),
    )


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    found = await services.store.multicast_groups(call.account, page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.id)
    entries = [present(Id=one.id, Arn=call.arn(f"{KIND}/{one.id}"), Name=one.name) for one in shown]
    return present(NextToken=token) | {"MulticastGroupList": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays. ConflictException unless the group is ``Pending``, and for another
    region while the group has devices."""

    async def attempt() -> bool | None:
        before = await pending_group(services, call, parameters["Id"])
        after = await _with(services, call, before, parameters)
        after = msgspec.structs.replace(after, revision=before.revision + 1)
        return await services.store.replace_multicast_group(before, after) or None

    await settled(attempt, KIND, parameters["Id"])


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    """ConflictException while a firmware update has it. A group whose keys no device has is gone
    at once; any other waits, as ``Delete_Waiting``, until its devices have forgotten them."""

    async def attempt() -> bool | None:
        group = await group_of(services, call, parameters["Id"])
        count = await services.store.group_count(group.id)
        if removed_at_once(count.set_up):
            return await services.store.remove_multicast_group(group) or None
        if group.removing:
            return True
        if await services.store.tasks_of_group(group.id):
            raise conflict(KIND, group.id, f"{KIND} {group.id} is used by a firmware update")
        after = msgspec.structs.replace(group, removing=True, revision=group.revision + 1)
        return await services.store.replace_multicast_group(group, after) or None

    await settled(attempt, KIND, parameters["Id"])
    if await services.store.multicast_group(parameters["Id"]) is None:
        await forget_tags(services, call, f"{KIND}/{parameters['Id']}")


async def group_of(services: Services, call: Call, group_id: str) -> MulticastGroup:
    """One of the caller's account. ApiError."""
    group = await services.store.multicast_group(group_id)
    if group is None or group.account != call.account:
        raise not_found(KIND, group_id)
    return group


async def pending_group(services: Services, call: Call, group_id: str) -> MulticastGroup:
    """One that may be changed. ApiError."""
    group = await group_of(services, call, group_id)
    status = await status_of(services, call, group)
    if status != "Pending":
        raise busy(group, status)
    return group


def busy(group: MulticastGroup, status: GroupStatus) -> ApiError:
    return conflict(
        KIND, group.id, f"{KIND} {group.id} is {status}: it can be changed while it is Pending"
    )


async def status_of(services: Services, call: Call, group: MulticastGroup) -> GroupStatus:
    tasks = await services.store.tasks_of_group(group.id)
    updates = {task_status(task.session, call.now, removing=task.removing) for task in tasks}
    return group_status(
        group.session,
        call.now,
        update_waits="FuotaSession_Waiting" in updates,
        update_runs="In_FuotaSession" in updates,
        removing=group.removing,
    )


def check_radio(plan: Plan, path: str, given: Mapping[str, Any]) -> None:
    """``DlDr`` and ``DlFreq``. ApiError where the region has no such thing."""
    data_rate, frequency_hz = given.get("DlDr"), given.get("DlFreq")
    if data_rate is not None:
        row = plan.data_rates.get(data_rate)
        if row is None or not row.downlink:
            raise wrong(f"{path}.dlDr", f"{plan.name} has no downlink data rate {data_rate}")
    if frequency_hz is not None and not plan.frequency_allowed(frequency_hz):
        low, high = plan.frequency_range_hz
        raise wrong(f"{path}.dlFreq", f"{plan.name} reaches from {low} to {high} Hz")


async def _with(
    services: Services, call: Call, before: MulticastGroup, parameters: Parameters
) -> MulticastGroup:
    """`before` with what is given. ApiError for what does not fit together."""
    given = parameters.get("LoRaWAN", {})
    fields: dict[str, Any] = {
        "name": parameters.get("Name", before.name),
        "description": parameters.get("Description", before.description),
        "region": given.get("RfRegion", before.region),
        "dl_class": given.get("DlClass", before.dl_class),
    }
    if "ParticipatingGateways" in given:
        chosen = given["ParticipatingGateways"]
        fields["gateways"] = await _gateways(services, call, chosen.get("GatewayList", []))
        fields["interval_ms"] = chosen.get("TransmissionInterval")
    if "DefaultSessionParameters" in given:
        fields["default_data_rate"] = given["DefaultSessionParameters"].get("DlDr")
        fields["default_frequency_hz"] = given["DefaultSessionParameters"].get("DlFreq")
    after = msgspec.structs.replace(before, **fields)
    radio = {"DlDr": after.default_data_rate, "DlFreq": after.default_frequency_hz}
    check_radio(regions.plan(after.region), "loRaWAN.defaultSessionParameters", radio)
    return after


async def _gateways(services: Services, call: Call, ids: list[str]) -> tuple[GatewayEUI, ...]:
    if len(set(ids)) != len(ids):
        where = "loRaWAN.participatingGateways.gatewayList"
        raise wrong(where, "Member must not have the same gateway twice")
    found = [await gateway_of(services, call, one) for one in ids]
    return tuple(gateway.gateway_eui for gateway in found)


async def _gateways_document(services: Services, group: MulticastGroup) -> Answer:
    """Without gateways that were removed meanwhile."""
    found = [await services.store.gateway(eui) for eui in group.gateways]
    ids = [gateway.id for gateway in found if gateway is not None]
    return present(GatewayList=ids, TransmissionInterval=group.interval_ms)
