"""Device profiles: what the maker says of a kind of device. They never change.

Frequencies of profiles are in units of 100 Hz: 8681000 is 868.1 MHz.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    check_name,
    forget_tags,
    lorawan,
    new_id,
    once,
    page_of,
    present,
    told,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.lorawan import regions
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.versions import MacVersion
from bittern.store.records import DeviceProfile

KIND = "DeviceProfile"
UNIT_HZ = 100

_SAME: Mapping[str, str] = {
    "SupportsClassB": "supports_class_b",
    "ClassBTimeout": "class_b_timeout_s",
    "PingSlotPeriod": "ping_slot_period",
    "PingSlotDr": "ping_slot_data_rate",
    "SupportsClassC": "supports_class_c",
    "ClassCTimeout": "class_c_timeout_s",
    "RxDelay1": "rx1_delay_s",
    "RxDrOffset1": "rx1_dr_offset",
    "RxDataRate2": "rx2_data_rate",
    "MaxEirp": "max_eirp_dbm",
    "MaxDutyCycle": "max_duty_cycle",
    "SupportsJoin": "supports_join",
    "Supports32BitFCnt": "supports_32bit_fcnt",
}
"""Members that are the record's field as they stand."""
_FREQUENCIES: Mapping[str, str] = {
    "PingSlotFreq": "ping_slot_frequency_hz",
    "RxFreq2": "rx2_frequency_hz",
}


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        profile = made(call.account, new_id(services.randomness), parameters)
        rest = f"{KIND}/{profile.id}"
        answer = {"Arn": call.arn(rest), "Id": profile.id}
        await services.store.add_device_profile(profile, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


def made(account: str, profile_id: str, parameters: Parameters) -> DeviceProfile:
    """What CreateDeviceProfile stores. ApiError."""
    return DeviceProfile(
        account=account,
        id=profile_id,
        name=check_name(parameters.get("Name")),
        **_fields(lorawan(parameters)),
    )


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    profile = await found(services, call, parameters["Id"])
    return _entry(call, profile) | {"LoRaWAN": _document(profile)}


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    if parameters.get("DeviceProfileType") == "Sidewalk":
        return {"DeviceProfileList": []}
    found = await services.store.device_profiles(call.account, page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.id)
    return present(NextToken=token) | {"DeviceProfileList": [_entry(call, one) for one in shown]}


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    profile = await found(services, call, parameters["Id"])
    with told():
        await services.store.remove_device_profile(profile.id)
    await forget_tags(services, call, f"{KIND}/{profile.id}")


async def found(services: Services, call: Call, profile_id: str) -> DeviceProfile:
    """One of the caller's account. ApiError."""
    profile = await services.store.device_profile(profile_id)
    if profile is None or profile.account != call.account:
        raise not_found(KIND, profile_id)
    return profile


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of the record, from the members. What is not given is as the record has it."""
    fields = {field: given[member] for member, field in _SAME.items() if member in given}
    for member, field in _FREQUENCIES.items():
        if member in given:
            fields[field] = given[member] * UNIT_HZ
    if "FactoryPresetFreqsList" in given:
        frequencies = given["FactoryPresetFreqsList"]
        fields["factory_preset_frequencies_hz"] = tuple(one * UNIT_HZ for one in frequencies)
    return fields | _versions(given)


def _versions(given: Mapping[str, Any]) -> dict[str, Any]:
    """Version, revision and region, which have to be known, and known together."""
    fields: dict[str, Any] = {}
    try:
        where = "macVersion"
        version = DeviceProfile(id="").mac_version
        if given.get("MacVersion"):
            version = fields["mac_version"] = MacVersion.parse(given["MacVersion"])
        where = "regParamsRevision"
        revision = given.get("RegParamsRevision", "").strip()
        if revision:
            revision = fields["reg_params_revision"] = RegionalParameters.parse(revision, version)
        where = "rfRegion"
        region = given.get("RfRegion") or DeviceProfile(id="").region
        fields["region"] = regions.plan_of_profile(region, revision, version).name
    except ValueError as error:
        raise wrong(f"loRaWAN.{where}", f"Member must be known: {error}") from None
    return fields


def _entry(call: Call, profile: DeviceProfile) -> Answer:
    return present(Arn=call.arn(f"{KIND}/{profile.id}"), Id=profile.id, Name=profile.name)


def _document(profile: DeviceProfile) -> Answer:
    frequencies = profile.factory_preset_frequencies_hz
    document = {member: getattr(profile, field) for member, field in _SAME.items()}
    for member, field in _FREQUENCIES.items():
        value = getattr(profile, field)
        document[member] = None if value is None else value // UNIT_HZ
    return present(
        **document,
        MacVersion=str(profile.mac_version),
        RegParamsRevision=str(profile.reg_params_revision),
        RfRegion=profile.region,
        FactoryPresetFreqsList=[one // UNIT_HZ for one in frequencies],
    )
