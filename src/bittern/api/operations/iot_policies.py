"""Policies of the `iot` service, as documents with versions.

They are checked and kept, so that scripts which make one for each certificate run. **They permit
and deny nothing here**: what an MQTT client may is said by the patterns of its user, and a gateway
is let in by the certificate that it is associated with.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.api.errors import ApiError, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import exchanges
from bittern.api.operations.common import Answer, moment, page_of, present, tags_note
from bittern.api.operations.exchanges import Document
from bittern.api.operations.iot_tags import checked_iot_tags
from bittern.api.operations.services import Services
from bittern.store.notes import NoteExchange
from bittern.types import Instant

KIND = "Policy"
MOST_VERSIONS = 5
"""AWS IoT Core quotas, "Maximum number of named policy versions"."""
LONGEST = 2048
"""Characters that are no white space; the same, "Maximum policy document size"."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    document: str
    created_at: Instant


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a policy's note."""

    versions: tuple[Version, ...]
    """In order of number; numbers are not used again."""
    default: int
    last: int
    """The highest number that there ever was."""
    created_at: Instant
    changed_at: Instant
    targets: int = 0
    """What it is attached to."""

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)


class _Statement(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    effect: Literal["Allow", "Deny"]
    action: str | list[str]
    resource: str | list[str]
    sid: str = ""
    condition: dict[str, dict[str, str | bool | int | list[str]]] = {}


class _Form(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    statement: list[_Statement] | _Statement
    version: Literal["2012-10-17", "2008-10-17"] = "2012-10-17"
    id: str = ""


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    name, document = parameters["policyName"], parameters["policyDocument"]
    _check(document)
    tags = checked_iot_tags(parameters.get("tags", ()))
    first = Version(number=1, document=document, created_at=call.now)
    policy = Policy(versions=(first,), default=1, last=1, created_at=call.now, changed_at=call.now)

    async def work() -> list[NoteExchange]:
        there = await read(services, call, name)
        if there is not None:
            raise ApiError(
                "ResourceAlreadyExistsException",
                f"policy {name} exists already",
                resourceId=name,
                resourceArn=arn(call, name),
            )
        return [exchanges.exchange(call, "policy", name, None, policy)]

    await exchanges.change(services, work)
    await services.store.put_notes(tags_note(call, f"policy/{name}", tags))
    return _named(call, name) | {"policyDocument": document, "policyVersionId": "1"}


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = parameters["policyName"]
    policy = (await found(services, call, name)).value
    default = policy.version(policy.default)
    assert default is not None
    return _named(call, name) | {
        "policyDocument": default.document,
        "defaultVersionId": str(policy.default),
        "creationDate": moment(policy.created_at),
        "lastModifiedDate": moment(policy.changed_at),
        "generationId": str(policy.last),
    }


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    """In order of name."""
    page = page_of(services, call, parameters)
    notes = await services.store.notes(call.account, "policy", page.after or "", page.fetch)
    shown, marker = page.split(notes, lambda note: note.name)
    return present(nextMarker=marker) | {"policies": [_named(call, one.name) for one in shown]}


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    """Once it is attached to nothing and has but one version."""
    name = parameters["policyName"]

    async def work() -> list[NoteExchange]:
        before = await found(services, call, name)
        if before.value.targets:
            raise ApiError("DeleteConflictException", f"policy {name} is attached; detach it")
        if len(before.value.versions) > 1:
            raise ApiError("DeleteConflictException", f"policy {name} has versions; delete them")
        return [exchanges.exchange(call, "policy", name, before, None)]

    await exchanges.change(services, work)
    await services.store.remove_note(call.account, "tags", f"policy/{name}")


async def create_version(services: Services, call: Call, parameters: Parameters) -> Answer:
    name, document = parameters["policyName"], parameters["policyDocument"]
    as_default: bool = parameters.get("setAsDefault", False)
    _check(document)
    answer: Answer = {}

    async def work() -> list[NoteExchange]:
        before = await found(services, call, name)
        policy = before.value
        if len(policy.versions) >= MOST_VERSIONS:
            raise ApiError(
                "VersionsLimitExceededException", f"a policy has {MOST_VERSIONS} versions at most"
            )
        made = Version(number=policy.last + 1, document=document, created_at=call.now)
        after = msgspec.structs.replace(
            policy,
            versions=(*policy.versions, made),
            default=made.number if as_default else policy.default,
            last=made.number,
            changed_at=call.now,
        )
        answer["policyVersionId"] = str(made.number)
        return [exchanges.exchange(call, "policy", name, before, after)]

    await exchanges.change(services, work)
    told = {"policyDocument": document, "isDefaultVersion": as_default}
    return answer | told | {"policyArn": arn(call, name)}


async def get_version(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = parameters["policyName"]
    policy = (await found(services, call, name)).value
    version = _version(policy, name, parameters)
    return _named(call, name) | {
        "policyVersionId": str(version.number),
        "policyDocument": version.document,
        "isDefaultVersion": version.number == policy.default,
        "creationDate": moment(version.created_at),
        "lastModifiedDate": moment(version.created_at),
        "generationId": str(policy.last),
    }


async def list_versions(services: Services, call: Call, parameters: Parameters) -> Answer:
    """The latest first. There are few, so there are no pages."""
    policy = (await found(services, call, parameters["policyName"])).value
    return {"policyVersions": [_entry(policy, one) for one in reversed(policy.versions)]}


async def delete_version(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["policyName"]

    async def work() -> list[NoteExchange]:
        before = await found(services, call, name)
        version = _version(before.value, name, parameters)
        if version.number == before.value.default:
            raise ApiError("DeleteConflictException", "the default version is not deleted")
        left = tuple(one for one in before.value.versions if one != version)
        after = msgspec.structs.replace(before.value, versions=left, changed_at=call.now)
        return [exchanges.exchange(call, "policy", name, before, after)]

    await exchanges.change(services, work)


async def set_default(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["policyName"]

    async def work() -> list[NoteExchange]:
        before = await found(services, call, name)
        number = _version(before.value, name, parameters).number
        after = msgspec.structs.replace(before.value, default=number, changed_at=call.now)
        return [exchanges.exchange(call, "policy", name, before, after)]

    await exchanges.change(services, work)


async def read(services: Services, call: Call, name: str) -> Document[Policy] | None:
    return await exchanges.read(services, call, "policy", name, Policy)


async def found(services: Services, call: Call, name: str) -> Document[Policy]:
    """One of the caller's account. ApiError."""
    there = await read(services, call, name)
    if there is None:
        raise not_found(KIND, name)
    return there


def arn(call: Call, name: str) -> str:
    return call.arn(f"policy/{name}", "iot")


def _named(call: Call, name: str) -> Answer:
    return {"policyName": name, "policyArn": arn(call, name)}


def _entry(policy: Policy, version: Version) -> Answer:
    return {
        "versionId": str(version.number),
        "isDefaultVersion": version.number == policy.default,
        "createDate": moment(version.created_at),
    }


def _version(policy: Policy, name: str, parameters: Parameters) -> Version:
    number: str = parameters["policyVersionId"]
    version = policy.version(int(number)) if len(number) < 10 else None
    if version is None:
        raise not_found("PolicyVersion", f"{name}:{number}")
    return version


def _check(document: str) -> None:
    """ApiError unless it is what AWS would take for a policy."""
    if sum(not one.isspace() for one in document) > LONGEST:
        raise _malformed(f"it has more than {LONGEST} characters")
    try:
        form = msgspec.json.decode(document, type=_Form)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _malformed(str(error)) from None
    statements = form.statement if isinstance(form.statement, list) else [form.statement]
    if not statements:
        raise _malformed("it has no statement")
    for statement in statements:
        _check_statement(statement)


def _check_statement(statement: _Statement) -> None:
    actions, resources = _texts(statement.action), _texts(statement.resource)
    if not actions or not resources:
        raise _malformed("a statement without an action or a resource")
    for action in actions:
        if action != "*" and not action.startswith(("iot:", "greengrass:")):
            raise _malformed(f"action {action!r} is none of iot")
    for resource in resources:
        if resource != "*" and (not resource.startswith("arn:") or resource.count(":") < 5):
            raise _malformed(f"resource {resource!r} is not an ARN")


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _malformed(reason: str) -> ApiError:
    return ApiError("MalformedPolicyException", f"Policy document is malformed: {reason}")
