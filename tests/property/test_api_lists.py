"""Every list, page by page; and every creation that may be asked for again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bittern.api.model import Operation, Shape

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_asking import ALL, EVERYTHING, Name, call, caller, each, model, refusal
from api_cases import CASES
from api_world import ACCOUNT, OTHER_ACCOUNT, World

TOKENS = ("nextToken", "marker")
SIZES = ("maxResults", "pageSize")
INVALID = ("ValidationException", "InvalidRequestException")
ENTRIES = 3

Make = Callable[[World], Any]


def member(shape: Shape | None, *names: str) -> str:
    """The member that is called one of these, whatever its first letter; empty: none."""
    found = shape.members if shape is not None else ()
    wanted = {name.lower() for name in names}
    return next((name for name in found if name.lower() in wanted), "")


def token_of(operation: Operation) -> str:
    return member(operation.input, *TOKENS)


PAGED = [name for name in ALL if token_of(model(name))]


def _thing(w: World) -> None:
    w.iot.attach_thing_principal(thingName=w.new_thing(), principal=w.certificate_arn)


def _principal(w: World) -> None:
    arn = f"arn:aws:iot:eu-west-1:{ACCOUNT}:cert/{w.new_certificate()}"
    w.iot.attach_thing_principal(thingName=w.thing, principal=arn)


def _target(w: World) -> None:
    arn = f"arn:aws:iot:eu-west-1:{ACCOUNT}:cert/{w.new_certificate()}"
    w.iot.attach_policy(policyName=w.policy, target=arn)


def _attached(w: World) -> None:
    w.iot.attach_policy(policyName=w.new_policy(), target=w.certificate_arn)


def _group(w: World) -> None:
    w.client.associate_multicast_group_with_fuota_task(Id=w.task, MulticastGroupId=w.new_group())


def _events(w: World) -> None:
    w.client.update_resource_event_configuration(
        Identifier=w.new_device(),
        IdentifierType="WirelessDeviceId",
        Join={"LoRaWAN": {"DevEuiEventTopic": "Enabled"}},
    )


def _tag(w: World) -> None:
    arn = f"arn:aws:iot:eu-west-1:{ACCOUNT}:rule/{w.rule}"
    w.iot.tag_resource(resourceArn=arn, tags=[{"Key": f"key-{w.another()}", "Value": "v"}])


ENTRY: Mapping[Name, Make] = {
    ("iotwireless", "ListDestinations"): World.new_destination,
    ("iotwireless", "ListDeviceProfiles"): lambda w: w.api.device_profile(),
    ("iotwireless", "ListServiceProfiles"): lambda w: w.api.service_profile(),
    ("iotwireless", "ListWirelessDevices"): World.new_device,
    ("iotwireless", "ListWirelessGateways"): World.new_gateway,
    ("iotwireless", "ListWirelessGatewayTaskDefinitions"): World.new_definition,
    ("iotwireless", "ListQueuedMessages"): lambda w: w.client.send_data_to_wireless_device(
        **w.data(w.device)
    ),
    ("iotwireless", "ListMulticastGroups"): World.new_group,
    ("iotwireless", "ListFuotaTasks"): World.new_task,
    ("iotwireless", "ListMulticastGroupsByFuotaTask"): _group,
    ("iotwireless", "ListEventConfigurations"): _events,
    ("iotwireless", "ListNetworkAnalyzerConfigurations"): World.new_analyzer,
    ("iot", "ListCertificates"): World.new_certificate,
    ("iot", "ListThings"): World.new_thing,
    ("iot", "ListThingPrincipals"): _principal,
    ("iot", "ListThingPrincipalsV2"): _principal,
    ("iot", "ListPrincipalThings"): _thing,
    ("iot", "ListPrincipalThingsV2"): _thing,
    ("iot", "ListPolicies"): World.new_policy,
    ("iot", "ListAttachedPolicies"): _attached,
    ("iot", "ListTargetsForPolicy"): _target,
    ("iot", "ListPrincipalPolicies"): _attached,
    ("iot", "ListPolicyPrincipals"): _target,
    ("iot", "ListTopicRules"): World.new_rule,
    ("iot", "ListTagsForResource"): _tag,
    ("iot-data", "ListRetainedMessages"): lambda w: w.retain(f"plant/{w.another()}"),
}
"""What puts one more entry into the list."""

WHOLE: Mapping[Name, str] = {
    ("iot", "ListTagsForResource"): "at most 50, always told as a whole",
    ("iotwireless", "GetMetrics"): "its token is modelled and what is asked bounds the answer",
}
"""Lists of one page."""

PAGES = [name for name in PAGED if name not in WHOLE and name in ENTRY]


class Listing:
    """A list with three entries more than were there."""

    def __init__(self, world: World, name: Name) -> None:
        self.name, self.world = name, world
        for _ in range(ENTRIES):
            ENTRY[name](world)
        operation = model(name)
        self.parameters = dict(CASES[name](world).parameters)
        self.client = caller(world.api, name, EVERYTHING)
        self.token, self.size = token_of(operation), member(operation.input, *SIZES)
        self.next = member(operation.output, "nextToken", "nextMarker")
        self.entries = next(
            key for key, one in operation.output.members.items() if one.type_name == "list"
        )

    def page(self, size: int | None = None, token: str | None = None) -> dict[str, Any]:
        asked = {} if size is None or not self.size else {self.size: size}
        asked |= {} if token is None else {self.token: token}
        return call(self.client, self.name, {**self.parameters, **asked})

    def refused(self, token: str, **changed: Any) -> str:
        asked = {**self.parameters, self.token: token, **changed}
        return refusal(self.client, self.name, asked).code


def test_every_list_has_a_maker_of_entries_or_a_reason() -> None:
    assert [name for name in PAGED if name not in ENTRY and name not in WHOLE] == []


@each(PAGES)
def test_every_entry_is_on_one_page(world: World, name: Name) -> None:
    listing = Listing(world, name)
    whole = listing.page()
    assert listing.next not in whole
    token, found = None, []
    for _ in whole[listing.entries]:
        answer = listing.page(1, token)
        assert len(answer[listing.entries]) == 1
        found += answer[listing.entries]
        token = answer.get(listing.next)
    assert token is None
    assert len(found) >= ENTRIES
    assert found == whole[listing.entries]


@each(PAGES)
def test_a_token_that_is_not_of_this_list_is_refused(world: World, name: Name) -> None:
    listing = Listing(world, name)
    token = listing.page(1)[listing.next]
    swapped = token[:-4] + "".join(reversed(token[-4:].swapcase()))
    for garbled in ("AAAA", "A" * 64, token[:-4], token + "AAAA", swapped, token[4:]):
        assert listing.refused(garbled) in INVALID, garbled


@each(PAGES)
def test_a_token_of_somebody_else_is_refused(world: World, name: Name) -> None:
    listing = Listing(world, name)
    token = listing.page(1)[listing.next]
    listing.client = caller(world.api, name, EVERYTHING, account=OTHER_ACCOUNT)
    expected = (*INVALID, "ResourceNotFoundException", "UnauthorizedException")
    assert listing.refused(token) in expected


@each(PAGES)
def test_a_token_of_another_list_is_refused(world: World, name: Name) -> None:
    token = Listing(world, name).page(1)
    elsewhere = (
        next(one for one in PAGES if one != name and one[0] == name[0])
        if (name[0] != "iot-data")
        else ("iot", "ListThings")
    )
    other = Listing(world, elsewhere)
    assert other.refused(token[member(model(name).output, "nextToken", "nextMarker")]) in INVALID


REPEATABLE = [
    name
    for name in ALL
    if any(
        part.metadata.get("idempotencyToken")
        for part in (model(name).input.members.values() if model(name).input is not None else ())
    )
]
TAGS = [{"Key": "site", "Value": "north"}]


def test_what_aws_lets_repeat_is_repeatable() -> None:
    """Nine creations of LoRaWAN, once all of them are offered."""
    names = {name for of, name in REPEATABLE if of == "iotwireless"}
    assert len(names) >= 8
    assert all(name.startswith("Create") for name in names)


@each(REPEATABLE)
def test_the_same_token_gets_the_same_answer_and_makes_nothing(world: World, name: Name) -> None:
    parameters = dict(CASES[name](world).parameters) | {"ClientRequestToken": "again-1"}
    client = caller(world.api, name, EVERYTHING)
    first, second = (_without_metadata(call(client, name, parameters)) for _ in range(2))
    assert first == second
    assert first


@each(REPEATABLE)
def test_the_same_token_for_something_else_is_a_conflict(world: World, name: Name) -> None:
    parameters = dict(CASES[name](world).parameters) | {"ClientRequestToken": "again-1"}
    client = caller(world.api, name, EVERYTHING)
    call(client, name, parameters)
    told = refusal(client, name, parameters | {"Tags": TAGS})
    assert (told.code, told.status) == ("ConflictException", 409)


@each(REPEATABLE)
def test_a_token_is_one_of_its_account(world: World, name: Name) -> None:
    """Another account's request with it is a new one."""
    parameters = dict(CASES[name](world).parameters) | {"ClientRequestToken": "again-1"}
    first = call(caller(world.api, name, EVERYTHING), name, parameters)
    there = caller(world.api, name, EVERYTHING, account=OTHER_ACCOUNT)
    try:
        second = call(there, name, parameters)
    except there.exceptions.ResourceNotFoundException:
        return  # it names what the other account has
    except there.exceptions.ConflictException as error:
        assert "ClientRequestToken" not in str(error)  # a gateway's EUI is everybody's
        return
    assert ACCOUNT not in repr(second)
    assert _without_metadata(first) != _without_metadata(second)


def _without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
