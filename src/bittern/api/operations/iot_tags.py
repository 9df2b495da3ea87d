"""Tags of what the `iot` service has: rules and policies.

Where `iotwireless` has one shape for tags, `iot` has another, and two of its operations take them
in a header, written as a query string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bittern.api.errors import ApiError, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import MOST_TAGS, Answer, checked_tags, tags_note, tags_of
from bittern.api.operations.services import Services
from bittern.api.router import decoded_fields


async def tag(services: Services, call: Call, parameters: Parameters) -> None:
    """Values of keys that are there already are replaced."""
    rest = await _resource(services, call, parameters)
    tags = await tags_of(services, call, rest) | checked_iot_tags(parameters["tags"])
    if len(tags) > MOST_TAGS:
        raise ApiError("LimitExceededException", f"a resource has {MOST_TAGS} tags at most")
    await services.store.put_notes(tags_note(call, rest, tags))


async def untag(services: Services, call: Call, parameters: Parameters) -> None:
    """Keys that are not there are ignored."""
    rest = await _resource(services, call, parameters)
    tags = await tags_of(services, call, rest)
    left = {key: value for key, value in tags.items() if key not in parameters["tagKeys"]}
    await services.store.put_notes(tags_note(call, rest, left))


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    tags = await tags_of(services, call, await _resource(services, call, parameters))
    return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def checked_iot_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By key; a tag of `iot` need not have a value. ApiError."""
    return checked_tags([{"Value": "", **tag} for tag in tags])


def from_query(text: str) -> list[Mapping[str, str]]:
    """``key1=value1&key2=value2``, percent-encoded."""
    return [
        {"Key": key, "Value": value}
        for key, values in decoded_fields(text).items()
        for value in values
    ]


async def _resource(services: Services, call: Call, parameters: Parameters) -> str:
    """Its name in the ARN. ApiError where there is none of the caller's."""
    arn: str = parameters["resourceArn"]
    call.require(arn)
    rest = arn.removeprefix(call.arn("", "iot"))
    kind, _, name = rest.partition("/")
    there = False
    if rest != arn and kind == "rule":
        there = await services.store.rule(call.account, name) is not None
    elif rest != arn and kind == "policy":
        there = await services.store.note(call.account, "policy", name) is not None
    if not there:
        raise not_found("Resource", arn)
    return rest
