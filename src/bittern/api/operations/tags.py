"""Tags of whatever has an ARN."""

from __future__ import annotations

from typing import Protocol

from bittern.api.errors import ApiError, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import network_analyzer
from bittern.api.operations.common import MOST_TAGS, Answer, checked_tags, tags_note, tags_of
from bittern.api.operations.services import Services


class _Owned(Protocol):
    @property
    def account(self) -> str: ...


async def tag(services: Services, call: Call, parameters: Parameters) -> None:
    """Values of keys that are there already are replaced."""
    rest = await _resource(services, call, parameters)
    tags = await tags_of(services, call, rest) | checked_tags(parameters["Tags"])
    if len(tags) > MOST_TAGS:
        raise ApiError(
            "TooManyTagsException",
            f"a resource has {MOST_TAGS} tags at most",
            ResourceName=parameters["ResourceArn"],
        )
    await services.store.put_notes(tags_note(call, rest, tags))


async def untag(services: Services, call: Call, parameters: Parameters) -> None:
    """Keys that are not there are ignored."""
    rest = await _resource(services, call, parameters)
    tags = await tags_of(services, call, rest)
    left = {key: value for key, value in tags.items() if key not in parameters["TagKeys"]}
    await services.store.put_notes(tags_note(call, rest, left))


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    """In the order in which they were given: a JSON Patch counts them as its client gave them."""
    tags = await tags_of(services, call, await _resource(services, call, parameters))
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


async def _resource(services: Services, call: Call, parameters: Parameters) -> str:
    """Its name in the ARN. ApiError where there is none of the caller's."""
    arn = parameters["ResourceArn"]
    rest = arn.removeprefix(call.arn(""))
    if rest == arn or not await _exists(services, call, rest):
        raise not_found("Resource", arn)
    return str(rest)


async def _exists(services: Services, call: Call, rest: str) -> bool:
    kind, _, identity = rest.partition("/")
    if kind == network_analyzer.KIND:
        return await network_analyzer.configuration_of(services, call, identity) is not None
    found = await _record(services, call, kind, identity)
    return found is not None and found.account == call.account


async def _record(services: Services, call: Call, kind: str, identity: str) -> _Owned | None:
    store = services.store
    match kind:
        case "Destination":
            return await store.destination(call.account, identity)
        case "WirelessDevice":
            return await store.device_by_id(identity)
        case "WirelessGateway":
            return await store.gateway_by_id(identity)
        case "DeviceProfile":
            return await store.device_profile(identity)
        case "ServiceProfile":
            return await store.service_profile(identity)
        case "WirelessGatewayTaskDefinition":
            return await store.firmware(identity)
        case "MulticastGroup":
            return await store.multicast_group(identity)
        case "FuotaTask":
            return await store.fuota_task(identity)
        case _:
            return None
