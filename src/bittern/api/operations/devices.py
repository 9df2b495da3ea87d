"""Wireless devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import ApiError, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import (
    activations,
    device_members,
    device_profiles,
    ports,
    service_profiles,
    things,
)
from bittern.api.operations.common import (
    Answer,
    Keep,
    check_name,
    forget_tags,
    iso_text,
    lorawan,
    missing,
    new_id,
    no_sidewalk,
    once,
    page_of,
    present,
    told,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.errors import StaleSession
from bittern.lorawan import regions
from bittern.mac.last_heard import unpacked
from bittern.mac.personalization import personalize
from bittern.mac.session import FIRST_REVISION_BITS, Session
from bittern.store.records import AbpActivation, Device, DeviceProfile
from bittern.types import EUI64, DevEUI, Instant

FPORT_OF_NONE = 225
"""What AWS tells of an uplink without FPort."""
KIND = "WirelessDevice"
ATTEMPTS = 5
"""How often a counter is set anew because the device has sent meanwhile."""


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        device, session = await prepared(services, call, parameters)
        rest = f"{KIND}/{device.id}"
        answer = {"Arn": call.arn(rest), "Id": device.id}
        await services.store.add_device(device, session, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def prepared(
    services: Services, call: Call, parameters: Parameters
) -> tuple[Device, Session | None]:
    """What `create` would store. ApiError for what it would refuse before it asks the store."""
    given = lorawan(parameters)
    for name in ("DevEui", "DeviceProfileId", "ServiceProfileId"):
        if name not in given:
            raise missing(f"loRaWAN.{name[:1].lower()}{name[1:]}")
    profile = await device_profiles.found(services, call, given["DeviceProfileId"])
    service = await service_profiles.found(services, call, given["ServiceProfileId"])
    device = Device(
        account=call.account,
        id=new_id(services.randomness),
        dev_eui=DevEUI(EUI64.from_hex(given["DevEui"])),
        name=check_name(parameters.get("Name")),
        description=parameters.get("Description", ""),
        destination=parameters["DestinationName"],
        device_profile_id=profile.id,
        service_profile_id=service.id,
        activation=activations.activation(given, profile),
        ports=ports.ports(given.get("FPorts", {})),
        positioning=_positioning(parameters),
        created_at=call.now,
    )
    first_revision = services.randomness.getrandbits(FIRST_REVISION_BITS)
    return device, personalized(device, profile, call.now, first_revision)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    device = await _identified(services, call, parameters)
    profile = await services.store.device_profile(device.device_profile_id)
    assert profile is not None
    arn = call.arn(f"{KIND}/{device.id}")
    with_keys = call.may_read_keys_of(arn)
    thing = device.thing_name
    details = {
        "DevEui": str(device.dev_eui),
        "DeviceProfileId": device.device_profile_id,
        "ServiceProfileId": device.service_profile_id,
        **activations.document(device.activation, profile.mac_version, with_keys=with_keys),
    }
    return present(
        Type="LoRaWAN",
        Name=device.name,
        Description=device.description,
        DestinationName=device.destination,
        Id=device.id,
        Arn=arn,
        ThingName=thing,
        ThingArn=call.arn(f"thing/{thing}", "iot") if thing else None,
        LoRaWAN=details | present(FPorts=ports.document(device.ports)),
        Positioning=_positioning_text(device.positioning),
    )


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    if parameters.get("WirelessDeviceType") == "Sidewalk":
        return {"WirelessDeviceList": []}
    after = None if page.after is None else DevEUI(EUI64.from_hex(page.after))
    found = await _listed(services, call, parameters, after, page.fetch)
    shown, token = page.split(found, lambda one: str(one[0].dev_eui))
    entries = [await _entry(services, call, device) | member for device, member in shown]
    return present(NextToken=token) | {"WirelessDeviceList": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays. EUI, root keys and the ports of packages never change."""
    no_sidewalk(parameters)
    before = await device_of(services, call, parameters["Id"])
    given = parameters.get("LoRaWAN", {})
    profile = await device_profiles.found(
        services, call, given.get("DeviceProfileId", before.device_profile_id)
    )
    service_id = given.get("ServiceProfileId", before.service_profile_id)
    service = await service_profiles.found(services, call, service_id)
    activation = before.activation
    activations.require_kind(activations.kind_of(activation, profile.mac_version), profile)
    await _same_kind(services, before, profile)
    start = _counter_start(before, profile, given)
    if start is not None and isinstance(activation, AbpActivation):
        activation = msgspec.structs.replace(activation, fcnt_start=start)
    after = msgspec.structs.replace(
        before,
        name=check_name(parameters.get("Name", before.name)),
        description=parameters.get("Description", before.description),
        destination=parameters.get("DestinationName", before.destination),
        device_profile_id=profile.id,
        service_profile_id=service.id,
        activation=activation,
        ports=ports.changed(before.ports, given.get("FPorts", {})),
        positioning=_positioning(parameters, before.positioning),
    )
    with told():
        await services.store.replace_device(after)
    if start is not None:
        await _set_counter(services, after, start)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    device = await device_of(services, call, parameters["Id"])
    with told():
        await services.store.remove_device(device.dev_eui)
    await forget_tags(services, call, f"{KIND}/{device.id}")


async def statistics(services: Services, call: Call, parameters: Parameters) -> Answer:
    """A device that was never heard has none but its id."""
    device = await device_of(services, call, parameters["WirelessDeviceId"])
    session = await _last_heard(services, device.dev_eui)
    if session is None or session.last_uplink_at is None:
        return {"WirelessDeviceId": device.id}
    at = iso_text(session.last_uplink_at)
    details = present(DevEui=str(device.dev_eui), Timestamp=at) | _heard(session)
    return {"WirelessDeviceId": device.id, "LastUplinkReceivedAt": at, "LoRaWAN": details}


def _heard(session: Session) -> Answer:
    heard = unpacked(session.last_heard)
    if heard is None:
        return {"DataRate": session.radio.data_rate}
    return {
        "FPort": FPORT_OF_NONE if heard.fport is None else heard.fport,
        "DataRate": heard.data_rate,
        "Frequency": heard.frequency_hz,
        "Gateways": [
            {"GatewayEui": str(one.gateway_eui), "Snr": one.snr_db, "Rssi": float(one.rssi_dbm)}
            for one in heard.gateways
        ],
    }


async def device_of(services: Services, call: Call, device_id: str) -> Device:
    """One of the caller's account. ApiError."""
    return _owned(call, await services.store.device_by_id(device_id), device_id)


async def _identified(services: Services, call: Call, parameters: Parameters) -> Device:
    identifier = parameters["Identifier"]
    match parameters["IdentifierType"]:
        case "WirelessDeviceId":
            return await device_of(services, call, identifier)
        case "DevEui":
            return _owned(call, await _by_eui(services, identifier), identifier)
        case "ThingName":
            device_id = await things.wireless_of(services, call, identifier, KIND)
            return await device_of(services, call, device_id)
        case _:
            raise not_found(KIND, identifier)


async def _by_eui(services: Services, text: str) -> Device | None:
    try:
        dev_eui = DevEUI(EUI64.from_hex(text))
    except ValueError:
        raise wrong("identifier", "Member must be a DevEUI, 16 hexadecimal digits") from None
    return await services.store.device(dev_eui)


def _owned(call: Call, device: Device | None, identity: str) -> Device:
    if device is None or device.account != call.account:
        raise not_found(KIND, identity)
    return device


async def _listed(
    services: Services, call: Call, parameters: Parameters, after: DevEUI | None, most: int
) -> list[tuple[Device, Answer]]:
    """Each with what is told of it as a member of a group or a firmware update."""
    if device_members.asks_for_members(parameters):
        return await device_members.members(services, call, parameters, after, most)
    found = await services.store.devices_of(
        call.account,
        after,
        most,
        destination=parameters.get("DestinationName"),
        device_profile_id=parameters.get("DeviceProfileId"),
        service_profile_id=parameters.get("ServiceProfileId"),
    )
    return [(device, {}) for device in found]


async def _entry(services: Services, call: Call, device: Device) -> Answer:
    session = await _last_heard(services, device.dev_eui)
    at = None if session is None else session.last_uplink_at
    return present(
        Arn=call.arn(f"{KIND}/{device.id}"),
        Id=device.id,
        Type="LoRaWAN",
        Name=device.name,
        DestinationName=device.destination,
        LastUplinkReceivedAt=None if at is None else iso_text(at),
        LoRaWAN={"DevEui": str(device.dev_eui)},
        Positioning=_positioning_text(device.positioning),
    )


async def _last_heard(services: Services, dev_eui: DevEUI) -> Session | None:
    sessions = await services.store.sessions_of(dev_eui)
    heard = [one for one in sessions if one.last_uplink_at is not None]
    return max(heard, key=lambda one: one.last_uplink_at or 0.0, default=None)


def personalized(
    device: Device, profile: DeviceProfile, now: Instant, first_revision: int
) -> Session | None:
    """The session that a device has which does not join."""
    activation = device.activation
    if not isinstance(activation, AbpActivation):
        return None
    return personalize(
        device.dev_eui,
        activation.dev_addr,
        activation.keys,
        profile=profile,
        plan=regions.plan_of_profile(
            profile.region, profile.reg_params_revision, profile.mac_version
        ),
        now=now,
        first_revision=first_revision,
        fcnt_start=activation.fcnt_start,
    )


async def _same_kind(services: Services, before: Device, profile: DeviceProfile) -> None:
    """Keys of one version of LoRaWAN do not become those of another, and who takes part in
    something of a region stays there."""
    if profile.id == before.device_profile_id:
        return
    former = await services.store.device_profile(before.device_profile_id)
    assert former is not None
    if regions.plan(profile.region) is not regions.plan(former.region) and (
        await services.store.groups_of_device(before.dev_eui)
        or await services.store.tasks_of_device(before.dev_eui)
    ):
        raise wrong(
            "loRaWAN.deviceProfileId",
            f"the device takes part in multicast groups or firmware updates of {former.region}",
        )
    kinds = [activations.kind_of(before.activation, one.mac_version) for one in (former, profile)]
    if kinds[0] != kinds[1]:
        raise wrong(
            "loRaWAN.deviceProfileId",
            f"the device has keys of LoRaWAN {former.mac_version}; the profile says "
            f"{profile.mac_version}",
        )


def _counter_start(before: Device, profile: DeviceProfile, given: Mapping[str, Any]) -> int | None:
    """The new FCntStart, if one is given. ApiError where the device is not activated so."""
    for kind in ("AbpV1_1", "AbpV1_0_x"):
        if kind not in given:
            continue
        if activations.kind_of(before.activation, profile.mac_version) != kind:
            raise wrong(
                f"loRaWAN.{kind[:1].lower()}{kind[1:]}", "the device is activated otherwise"
            )
        start: int | None = given[kind].get("FCntStart")
        return start
    return None


async def _set_counter(services: Services, device: Device, start: int) -> None:
    """The next uplink counter that is accepted."""
    for _ in range(ATTEMPTS):
        for session in await services.store.sessions_of(device.dev_eui):
            after = msgspec.structs.replace(
                session, revision=session.revision + 1, fcnt_up=start - 1
            )
            try:
                await services.store.advance(session, after)
            except StaleSession:
                break
        else:
            return
    raise ApiError("InternalServerException", "The device sends too often; try again")


def _positioning(parameters: Parameters, before: bool | None = None) -> bool | None:
    told = parameters.get("Positioning")
    return before if told is None else told == "Enabled"


def _positioning_text(positioning: bool | None) -> str | None:
    return {True: "Enabled", False: "Disabled", None: None}[positioning]
