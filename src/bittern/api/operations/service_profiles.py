"""Service profiles: what the operator grants a device. They never change."""

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
    new_id,
    once,
    page_of,
    present,
    told,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.store.records import ServiceProfile

KIND = "ServiceProfile"

_GIVEN: Mapping[str, str] = {
    "AddGwMetadata": "add_gateway_metadata",
    "DrMin": "dr_min",
    "DrMax": "dr_max",
    "PrAllowed": "passive_roaming",
    "RaAllowed": "roaming_activation",
    "TxPowerIndexMin": "tx_power_index_min",
    "TxPowerIndexMax": "tx_power_index_max",
    "NbTransMin": "nb_trans_min",
    "NbTransMax": "nb_trans_max",
}
_TOLD: Mapping[str, str] = {
    **_GIVEN,
    "DevStatusReqFreq": "dev_status_req_freq",
    "ReportDevStatusBattery": "report_dev_status_battery",
    "ReportDevStatusMargin": "report_dev_status_margin",
}
_ORDERED = (
    ("DrMin", "DrMax"),
    ("TxPowerIndexMin", "TxPowerIndexMax"),
    ("NbTransMin", "NbTransMax"),
)


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        profile = made(call.account, new_id(services.randomness), parameters)
        rest = f"{KIND}/{profile.id}"
        answer = {"Arn": call.arn(rest), "Id": profile.id}
        await services.store.add_service_profile(profile, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


def made(account: str, profile_id: str, parameters: Parameters) -> ServiceProfile:
    """What CreateServiceProfile stores. ApiError."""
    given = parameters.get("LoRaWAN", {})
    profile = ServiceProfile(
        account=account,
        id=profile_id,
        name=check_name(parameters.get("Name")),
        **{field: given[member] for member, field in _GIVEN.items() if member in given},
    )
    _check(profile)
    return profile


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    profile = await found(services, call, parameters["Id"])
    return _entry(call, profile) | {"LoRaWAN": _document(profile)}


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    found = await services.store.service_profiles(call.account, page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.id)
    return present(NextToken=token) | {"ServiceProfileList": [_entry(call, one) for one in shown]}


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    profile = await found(services, call, parameters["Id"])
    with told():
        await services.store.remove_service_profile(profile.id)
    await forget_tags(services, call, f"{KIND}/{profile.id}")


async def found(services: Services, call: Call, profile_id: str) -> ServiceProfile:
    """One of the caller's account. ApiError."""
    profile = await services.store.service_profile(profile_id)
    if profile is None or profile.account != call.account:
        raise not_found(KIND, profile_id)
    return profile


def _check(profile: ServiceProfile) -> None:
    for low, high in _ORDERED:
        if getattr(profile, _GIVEN[low]) > getattr(profile, _GIVEN[high]):
            path = f"loRaWAN.{low[:1].lower()}{low[1:]}"
            raise wrong(path, f"Member must be less than or equal to {high}")


def _entry(call: Call, profile: ServiceProfile) -> Answer:
    return present(Arn=call.arn(f"{KIND}/{profile.id}"), Id=profile.id, Name=profile.name)


def _document(profile: ServiceProfile) -> dict[str, Any]:
    """What the network does not grant to anybody is told as not granted."""
    document = {member: getattr(profile, field) for member, field in _TOLD.items()}
    return {**document, "HrAllowed": False, "NwkGeoLoc": False}
