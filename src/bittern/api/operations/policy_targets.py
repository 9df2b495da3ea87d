"""Which policies are attached to which certificates, in the words of today and of before."""

from __future__ import annotations

import msgspec

from bittern.api.errors import ApiError
from bittern.api.front import Call, Parameters
from bittern.api.operations import exchanges, iot_policies
from bittern.api.operations.common import Answer, page_of, present
from bittern.api.operations.exchanges import Document, Links
from bittern.api.operations.iot_policies import Policy
from bittern.api.operations.principals import arn_of, identity_of, still_there
from bittern.api.operations.services import Services
from bittern.store.notes import NoteExchange

LINKS = Links("policy_target", "target_policy")
MOST_POLICIES = 10
"""AWS IoT Core quotas, "Maximum number of policies attached to a certificate"."""


async def attach(services: Services, call: Call, parameters: Parameters) -> None:
    await _attach(services, call, parameters["policyName"], parameters["target"])


async def detach(services: Services, call: Call, parameters: Parameters) -> None:
    await _detach(services, call, parameters["policyName"], parameters["target"])


async def attach_principal(services: Services, call: Call, parameters: Parameters) -> None:
    await _attach(services, call, parameters["policyName"], parameters["principal"])


async def detach_principal(services: Services, call: Call, parameters: Parameters) -> None:
    await _detach(services, call, parameters["policyName"], parameters["principal"])


async def list_attached(services: Services, call: Call, parameters: Parameters) -> Answer:
    return await _policies_of(services, call, parameters, parameters["target"])


async def list_principal_policies(services: Services, call: Call, parameters: Parameters) -> Answer:
    return await _policies_of(services, call, parameters, parameters["principal"])


async def list_targets(services: Services, call: Call, parameters: Parameters) -> Answer:
    return await _targets_of(services, call, parameters, "targets")


async def list_policy_principals(services: Services, call: Call, parameters: Parameters) -> Answer:
    call.require(iot_policies.arn(call, parameters["policyName"]))
    return await _targets_of(services, call, parameters, "principals")


async def detach_all(services: Services, call: Call, identity: str) -> None:
    """From a certificate that is to go."""
    for name, _ in await LINKS.to(services, call, identity, None, MOST_POLICIES):
        await _part(services, call, name, identity)


async def _attach(services: Services, call: Call, name: str, target: str) -> None:
    """What is attached stays so."""
    identity = identity_of(call, target)

    async def work() -> list[NoteExchange]:
        policy = await iot_policies.found(services, call, name)
        certificate = await still_there(services, call, identity)
        if await LINKS.between(services, call, name, identity) is not None:
            return []
        if len(await LINKS.to(services, call, identity, None, MOST_POLICIES)) >= MOST_POLICIES:
            raise ApiError(
                "LimitExceededException", f"a certificate has {MOST_POLICIES} policies at most"
            )
        return [
            certificate,
            _counted(call, name, policy, policy.value.targets + 1),
            *LINKS.exchanges(call, (name, identity), None, ""),
        ]

    await exchanges.change(services, work)


async def _detach(services: Services, call: Call, name: str, target: str) -> None:
    await _part(services, call, name, identity_of(call, target))


async def _part(services: Services, call: Call, name: str, identity: str) -> None:
    """What is not attached is detached already."""

    async def work() -> list[NoteExchange]:
        policy = await iot_policies.read(services, call, name)
        before = await LINKS.between(services, call, name, identity)
        if before is None or policy is None:
            return []
        return [
            _counted(call, name, policy, policy.value.targets - 1),
            *LINKS.exchanges(call, (name, identity), before, None),
        ]

    await exchanges.change(services, work)


async def _policies_of(
    services: Services, call: Call, parameters: Parameters, target: str
) -> Answer:
    identity = identity_of(call, target)
    await still_there(services, call, identity)
    page = page_of(services, call, parameters)
    links = await LINKS.to(services, call, identity, page.after, page.fetch)
    shown, marker = page.split(links, lambda link: link[0])
    policies = [{"policyName": one, "policyArn": iot_policies.arn(call, one)} for one, _ in shown]
    return present(nextMarker=marker) | {"policies": policies}


async def _targets_of(
    services: Services, call: Call, parameters: Parameters, member: str
) -> Answer:
    name = parameters["policyName"]
    await iot_policies.found(services, call, name)
    page = page_of(services, call, parameters)
    links = await LINKS.of(services, call, name, page.after, page.fetch)
    shown, marker = page.split(links, lambda link: link[0])
    return present(nextMarker=marker) | {member: [arn_of(call, one) for one, _ in shown]}


def _counted(call: Call, name: str, before: Document[Policy], count: int) -> NoteExchange:
    after = msgspec.structs.replace(before.value, targets=count)
    return exchanges.exchange(call, "policy", name, before, after)
