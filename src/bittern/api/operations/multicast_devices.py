"""Who is in a multicast group: one device, or all that a query chooses.

A device is of the group's region and is in four groups at most. A bulk association or
disassociation is done when it is answered: nothing goes on behind the answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from bittern.api.device_query import TAG, DeviceQuery, QueryNotUnderstood, parse
from bittern.api.errors import conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import devices
from bittern.api.operations.common import settled, wrong
from bittern.api.operations.devices import device_of
from bittern.api.operations.multicast_groups import KIND, pending_group
from bittern.api.operations.services import Services
from bittern.lorawan import regions
from bittern.mac.multicast import GROUPS_OF_A_DEVICE
from bittern.store.records import Device, DeviceProfile
from bittern.types import DevEUI

PAGE = 250


async def associate(services: Services, call: Call, parameters: Parameters) -> None:
    """ConflictException unless the group is ``Pending``, and for a fifth group of a device; again
    for a device that is in it already changes nothing."""
    device = await named_device(services, call, parameters["WirelessDeviceId"])
    region = await region_of(services, device)

    async def attempt() -> Sequence[DevEUI] | None:
        group = await pending_group(services, call, parameters["Id"])
        require_same(region, group.region, KIND)
        return await services.store.add_group_devices(group, [device.dev_eui])

    if not await settled(attempt, KIND, parameters["Id"]):
        await device_of(services, call, device.id)
        raise conflict(
            devices.KIND,
            device.id,
            f"{devices.KIND} {device.id} is in {GROUPS_OF_A_DEVICE} multicast groups, as many as "
            "a device can be in",
        )


async def disassociate(services: Services, call: Call, parameters: Parameters) -> None:
    device = await named_device(services, call, parameters["WirelessDeviceId"])

    async def attempt() -> int | None:
        group = await pending_group(services, call, parameters["Id"])
        return await services.store.remove_group_devices(group, [device.dev_eui])

    if not await settled(attempt, KIND, parameters["Id"]):
        raise not_found(devices.KIND, device.id)


async def bulk_associate(services: Services, call: Call, parameters: Parameters) -> None:
    """Every device that the query and the tags choose, if it is of the group's region and has
    room for a group; the others stay outside without a word."""
    chosen = _Chosen(services, call, parameters)
    group = await pending_group(services, call, parameters["Id"])
    region = regions.plan(group.region).name
    async for page in _pages(services, call):
        fitting = [
            device.dev_eui
            for device in page
            if await chosen.is_of(device, region) and await chosen.has(device)
        ]
        await _add(services, call, group.id, region, fitting)


async def bulk_disassociate(services: Services, call: Call, parameters: Parameters) -> None:
    chosen = _Chosen(services, call, parameters)
    group = await pending_group(services, call, parameters["Id"])
    after: DevEUI | None = None
    while members := await services.store.group_devices(group.id, after, PAGE):
        after = members[-1].dev_eui
        found = [await services.store.device(member.dev_eui) for member in members]
        fitting = [one.dev_eui for one in found if one is not None and await chosen.has(one)]
        await _remove(services, call, group.id, fitting)


async def named_device(services: Services, call: Call, device_id: str) -> Device:
    """One that the request names beside its group or task. ApiError where there is none, or the
    caller may not do this to it."""
    call.require(call.arn(f"{devices.KIND}/{device_id}"))
    return await device_of(services, call, device_id)


async def region_of(services: Services, device: Device) -> str:
    """As its plan is named."""
    profile = await services.store.device_profile(device.device_profile_id)
    assert profile is not None
    return regions.plan(profile.region).name


def require_same(region: str, wanted: str, kind: str) -> None:
    """ApiError where a device is of another region than its group or task."""
    if regions.plan(wanted).name != region:
        raise wrong("wirelessDeviceId", f"the device is of {region}, the {kind} of {wanted}")


async def _pages(services: Services, call: Call) -> AsyncIterator[list[Device]]:
    after: DevEUI | None = None
    while page := await services.store.devices_of(call.account, after, PAGE):
        after = page[-1].dev_eui
        yield page


async def _add(
    services: Services, call: Call, group_id: str, region: str, dev_euis: Sequence[DevEUI]
) -> None:
    async def attempt() -> Sequence[DevEUI] | None:
        group = await pending_group(services, call, group_id)
        if regions.plan(group.region).name != region:
            raise conflict(KIND, group_id, f"{KIND} {group_id} has become one of {group.region}")
        return await services.store.add_group_devices(group, dev_euis)

    if dev_euis:
        await settled(attempt, KIND, group_id)


async def _remove(
    services: Services, call: Call, group_id: str, dev_euis: Sequence[DevEUI]
) -> None:
    async def attempt() -> int | None:
        group = await pending_group(services, call, group_id)
        return await services.store.remove_group_devices(group, dev_euis)

    if dev_euis:
        await settled(attempt, KIND, group_id)


class _Chosen:
    """What ``QueryString`` and ``Tags`` choose; without either, every device."""

    def __init__(self, services: Services, call: Call, parameters: Parameters) -> None:
        self._services = services
        self._call = call
        self._query = _query(parameters.get("QueryString"))
        self._tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
        self._profiles: dict[str, DeviceProfile] = {}
        asked = self._query.fields if self._query else frozenset[str]()
        self._wants_tags = bool(self._tags) or any(name.startswith(TAG) for name in asked)
        self._wants_service_name = "ServiceProfileName" in asked

    async def has(self, device: Device) -> bool:
        tags = await self._tags_of(device) if self._wants_tags else {}
        if any(tags.get(key) != value for key, value in self._tags.items()):
            return False
        return self._query is None or self._query.matches(await self._facts(device, tags))

    async def is_of(self, device: Device, region: str) -> bool:
        return regions.plan((await self._profile(device)).region).name == region

    async def _facts(self, device: Device, tags: Mapping[str, str]) -> dict[str, str]:
        """What a device does not have is absent."""
        facts = {
            "DeviceName": device.name,
            "DeviceProfileId": device.device_profile_id,
            "DeviceProfileName": (await self._profile(device)).name,
            "ServiceProfileId": device.service_profile_id,
            "ServiceProfileName": await self._service_name(device),
            "DestinationName": device.destination,
            "DevEui": str(device.dev_eui),
            "ThingName": device.thing_name,
            "WirelessDeviceId": device.id,
            **{TAG + key: value for key, value in tags.items()},
        }
        return {name: value for name, value in facts.items() if value}

    async def _profile(self, device: Device) -> DeviceProfile:
        profile_id = device.device_profile_id
        if profile_id not in self._profiles:
            found = await self._services.store.device_profile(profile_id)
            assert found is not None
            self._profiles[profile_id] = found
        return self._profiles[profile_id]

    async def _service_name(self, device: Device) -> str:
        if not self._wants_service_name:
            return ""
        found = await self._services.store.service_profile(device.service_profile_id)
        return "" if found is None else found.name

    async def _tags_of(self, device: Device) -> dict[str, str]:
        rest = f"{devices.KIND}/{device.id}"
        note = await self._services.store.note(self._call.account, "tags", rest)
        return {} if note is None else msgspec.json.decode(note.body, type=dict[str, str])


def _query(text: str | None) -> DeviceQuery | None:
    if text is None or not text.strip():
        return None
    try:
        return parse(text)
    except QueryNotUnderstood as error:
        raise wrong("queryString", str(error)) from None
