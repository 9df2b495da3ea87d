"""Which thing stands for a device or a gateway: at most one for each, and it for no other.

A thing that stands for something is not deleted; a device or gateway that is deleted leaves its
thing behind, free for another.
"""

from __future__ import annotations

import msgspec

from bittern.api.errors import conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import devices, exchanges, gateways, things
from bittern.api.operations.common import told
from bittern.api.operations.devices import device_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.store.notes import NoteExchange


async def associate_device(services: Services, call: Call, parameters: Parameters) -> None:
    """To repeat it changes nothing."""
    device = await device_of(services, call, parameters["Id"])
    name = _name(call, parameters["ThingArn"])
    await _claim(services, call, name, f"{devices.KIND}/{device.id}", device.thing_name)
    with told():
        await services.store.replace_device(msgspec.structs.replace(device, thing_name=name))


async def disassociate_device(services: Services, call: Call, parameters: Parameters) -> None:
    device = await device_of(services, call, parameters["Id"])
    if device.thing_name:
        with told():
            await services.store.replace_device(msgspec.structs.replace(device, thing_name=""))
        await _release(services, call, device.thing_name, f"{devices.KIND}/{device.id}")


async def associate_gateway(services: Services, call: Call, parameters: Parameters) -> None:
    """To repeat it changes nothing."""
    gateway = await gateway_of(services, call, parameters["Id"])
    name = _name(call, parameters["ThingArn"])
    await _claim(services, call, name, f"{gateways.KIND}/{gateway.id}", gateway.thing_name)
    with told():
        await services.store.replace_gateway(msgspec.structs.replace(gateway, thing_name=name))


async def disassociate_gateway(services: Services, call: Call, parameters: Parameters) -> None:
    gateway = await gateway_of(services, call, parameters["Id"])
    if gateway.thing_name:
        with told():
            await services.store.replace_gateway(msgspec.structs.replace(gateway, thing_name=""))
        await _release(services, call, gateway.thing_name, f"{gateways.KIND}/{gateway.id}")


async def _claim(services: Services, call: Call, name: str, rest: str, has: str) -> None:
    """`has` is the thing that stands for it now. ApiError if that, or what the thing stands for,
    is another."""
    if has not in ("", name):
        kind, _, identity = rest.partition("/")
        raise conflict(kind, identity, f"{rest} is associated with thing {has} already")

    async def work() -> list[NoteExchange]:
        before = await things.found(services, call, name)
        other = before.value.wireless
        if other != rest and await things.stands_for(services, name, before.value):
            raise conflict(things.KIND, name, f"thing {name} is associated with {other} already")
        after = msgspec.structs.replace(before.value, wireless=rest)
        return [exchanges.exchange(call, "thing", name, before, after)]

    await exchanges.change(services, work)


async def _release(services: Services, call: Call, name: str, rest: str) -> None:
    async def work() -> list[NoteExchange]:
        before = await things.found(services, call, name)
        if before.value.wireless != rest:
            return []
        after = msgspec.structs.replace(before.value, wireless="")
        return [exchanges.exchange(call, "thing", name, before, after)]

    await exchanges.change(services, work)


def _name(call: Call, arn: str) -> str:
    """ApiError for what is no thing of the caller's account."""
    call.require(arn)
    name = arn.removeprefix(things.arn(call, ""))
    if name == arn or not name:
        raise not_found(things.KIND, arn)
    return name
