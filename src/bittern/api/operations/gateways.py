"""Wireless gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import things
from bittern.api.operations.common import (
    Answer,
    Keep,
    check_name,
    forget_tags,
    iso_text,
    lorawan,
    missing,
    new_id,
    once,
    page_of,
    present,
    told,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.lorawan import regions
from bittern.store.gateway_records import GatewayState
from bittern.store.gateway_settings import check_settings
from bittern.store.records import Gateway
from bittern.types import EUI64, GatewayEUI

KIND = "WirelessGateway"


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        given = lorawan(parameters)
        for name in ("GatewayEui", "RfRegion"):
            if name not in given:
                raise missing(f"loRaWAN.{name[:1].lower()}{name[1:]}")
        gateway = Gateway(
            account=call.account,
            id=new_id(services.randomness),
            gateway_eui=_eui(given["GatewayEui"], "loRaWAN.gatewayEui"),
            name=check_name(parameters.get("Name")),
            description=parameters.get("Description", ""),
            region=_region(given["RfRegion"]),
            sub_bands=tuple(given.get("SubBands", ())),
            boards=max(1, len(set(given.get("SubBands", ())))),  # each takes one sub-band
            **_beaconing(given.get("Beaconing")),
            **_adjustable(given, "loRaWAN."),
            created_at=call.now,
        )
        _check(gateway)
        rest = f"{KIND}/{gateway.id}"
        answer = {"Arn": call.arn(rest), "Id": gateway.id}
        await services.store.add_gateway(gateway, notes=keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    gateway = await _identified(services, call, parameters)
    thing = gateway.thing_name
    thing_arn = call.arn(f"thing/{thing}", "iot") if thing else None
    return _document(call, gateway) | present(ThingName=thing, ThingArn=thing_arn)


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    after = None if page.after is None else GatewayEUI(EUI64.from_hex(page.after))
    found = await services.store.gateways_of(call.account, after, page.fetch)
    shown, token = page.split(found, lambda gateway: str(gateway.gateway_eui))
    entries = [await _entry(services, call, gateway) for gateway in shown]
    return present(NextToken=token) | {"WirelessGatewayList": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays; an empty list of filters clears them."""
    before = await gateway_of(services, call, parameters["Id"])
    after = msgspec.structs.replace(
        before,
        name=check_name(parameters.get("Name", before.name)),
        description=parameters.get("Description", before.description),
        **_adjustable(parameters, ""),
        changed_at=call.now,
    )
    _check(after)
    with told():
        await services.store.replace_gateway(after)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    gateway = await gateway_of(services, call, parameters["Id"])
    with told():
        await services.store.remove_gateway(gateway.gateway_eui)
    await forget_tags(services, call, f"{KIND}/{gateway.id}")


async def statistics(services: Services, call: Call, parameters: Parameters) -> Answer:
    gateway = await gateway_of(services, call, parameters["WirelessGatewayId"])
    state = await services.store.gateway_state(gateway.gateway_eui)
    connected = state.connection is not None and state.connection.connected
    return present(
        WirelessGatewayId=gateway.id,
        LastUplinkReceivedAt=last_uplink(state),
        ConnectionStatus="Connected" if connected else "Disconnected",
    )


async def firmware_information(services: Services, call: Call, parameters: Parameters) -> Answer:
    """What the gateway last told of itself, to CUPS or over its data connection."""
    gateway = await gateway_of(services, call, parameters["Id"])
    state = await services.store.gateway_state(gateway.gateway_eui)
    told = [
        (part.at if part is state.cups else part.changed_at, part)  # type: ignore[union-attr]
        for part in (state.cups, state.connection)
        if part is not None and (part.package or part.model or part.station)
    ]
    if not told:
        return {"LoRaWAN": {}}
    part = max(told, key=lambda pair: pair[0])[1]
    version = present(PackageVersion=part.package[:32], Model=part.model, Station=part.station)
    return {"LoRaWAN": {"CurrentVersion": version}}


async def gateway_of(services: Services, call: Call, gateway_id: str) -> Gateway:
    """One of the caller's account. ApiError."""
    return _owned(call, await services.store.gateway_by_id(gateway_id), gateway_id)


def last_uplink(state: GatewayState) -> str | None:
    at = state.connection.last_uplink_at if state.connection is not None else None
    return None if at is None else iso_text(at)


async def _identified(services: Services, call: Call, parameters: Parameters) -> Gateway:
    identifier = parameters["Identifier"]
    match parameters["IdentifierType"]:
        case "WirelessGatewayId":
            return await gateway_of(services, call, identifier)
        case "GatewayEui":
            eui = _eui(identifier, "identifier")
            return _owned(call, await services.store.gateway(eui), identifier)
        case _:
            gateway_id = await things.wireless_of(services, call, identifier, KIND)
            return await gateway_of(services, call, gateway_id)


def _owned(call: Call, gateway: Gateway | None, identity: str) -> Gateway:
    if gateway is None or gateway.account != call.account:
        raise not_found(KIND, identity)
    return gateway


def _eui(text: str, path: str) -> GatewayEUI:
    try:
        return GatewayEUI(EUI64.from_hex(text))
    except ValueError:
        raise wrong(path, "Member must be a gateway EUI, 16 hexadecimal digits") from None


def _region(text: str) -> str:
    try:
        return regions.plan(text).name
    except ValueError as error:
        raise wrong("loRaWAN.rfRegion", f"Member must be known: {error}") from None


def _check(gateway: Gateway) -> None:
    """What no station could be configured with is refused now, and not when it connects."""
    try:
        check_settings(gateway)
    except ValueError as error:
        raise wrong("loRaWAN", f"Member must fit {gateway.region}: {error}") from None


def _beaconing(given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {"beaconing": False}
    frequencies = tuple(given.get("Frequencies", ()))
    return {
        "beaconing": True,
        "beacon_data_rate": given.get("DataRate"),
        "beacon_frequencies_hz": frequencies,
    }


def _adjustable(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What may change later, where it is given."""
    fields: dict[str, Any] = {}
    if "JoinEuiFilters" in given:
        ranges = [tuple(int(eui, 16) for eui in pair) for pair in given["JoinEuiFilters"]]
        if any(first > last for first, last in ranges):
            raise wrong(f"{path}joinEuiFilters", "Member must be ranges from first to last")
        fields["join_eui_filters"] = tuple(ranges)
    if "NetIdFilters" in given:
        fields["net_id_filters"] = tuple(int(net_id, 16) for net_id in given["NetIdFilters"])
    if "MaxEirp" in given:
        fields["max_eirp_dbm"] = given["MaxEirp"]
    return fields


def _document(call: Call, gateway: Gateway) -> Answer:
    return present(
        Name=gateway.name,
        Id=gateway.id,
        Description=gateway.description,
        Arn=call.arn(f"{KIND}/{gateway.id}"),
        LoRaWAN=_details(gateway),
    )


def _details(gateway: Gateway) -> Answer:
    details = present(
        GatewayEui=str(gateway.gateway_eui),
        RfRegion=gateway.region,
        JoinEuiFilters=[[f"{eui:016x}" for eui in pair] for pair in gateway.join_eui_filters],
        NetIdFilters=[f"{net_id:06x}" for net_id in gateway.net_id_filters],
        SubBands=list(gateway.sub_bands),
        MaxEirp=gateway.max_eirp_dbm,
    )
    if gateway.beaconing:
        details["Beaconing"] = present(
            DataRate=gateway.beacon_data_rate, Frequencies=list(gateway.beacon_frequencies_hz)
        )
    return details


async def _entry(services: Services, call: Call, gateway: Gateway) -> Answer:
    state = await services.store.gateway_state(gateway.gateway_eui)
    return _document(call, gateway) | present(LastUplinkReceivedAt=last_uplink(state))
