"""Cloud Control: eight operations for resources of every type.

A request is carried out at once, and what became of it is kept (`cloud_control.requests`): clients
may ask for it as often as they like. The caller needs the permission for the operation here and, as
at AWS, for each operation of ``iotwireless`` that it stands for. A ``RoleArn`` is not assumed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from bittern.api.cloud_control import patching, properties, requests
from bittern.api.cloud_control.requests import Attempt, Event, OperationName, Status
from bittern.api.cloud_control.resources import Resources
from bittern.api.cloud_control.types import resource_type
from bittern.api.cloud_control.underlying import Handlers, Underlying
from bittern.api.errors import ApiError, invalid
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, Operation, page_of, present
from bittern.api.operations.services import Services
from bittern.api.paging import Page
from bittern.types import Instant

DEFAULT_PAGE = 20

Work = Callable[[Attempt], Awaitable[str]]
"""Carries a request out and says which resource it was about."""


class _Half(Exception):
    """A resource was made, and what was to follow has failed."""

    def __init__(self, identifier: str, error: ApiError) -> None:
        super().__init__(identifier)
        self.identifier = identifier
        self.error = error


def operations(handlers: Handlers) -> Mapping[str, Operation]:
    """By name. `handlers` are the operations of ``iotwireless``."""
    table = {
        "CreateResource": _create,
        "GetResource": _get,
        "UpdateResource": _update,
        "DeleteResource": _delete,
        "ListResources": _list,
        "GetResourceRequestStatus": _status,
        "ListResourceRequests": _list_requests,
        "CancelResourceRequest": _cancel,
    }
    return {name: partial(operation, handlers) for name, operation in table.items()}


async def _create(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    resources = _resources(handlers, services, call, parameters)
    model = properties.parsed(parameters["DesiredState"])

    async def work(made: Attempt) -> str:
        identifier = await resources.create(model, made.token)
        try:
            await resources.associate(identifier, {}, model)
        except ApiError as error:
            raise _Half(identifier, error) from None
        await resources.remember(identifier, model)
        return identifier

    return await _carried_out(resources, parameters, "CREATE", work)


async def _get(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    resources = _resources(handlers, services, call, parameters)
    identifier = _identifier(resources, parameters)
    model = await resources.read(identifier)
    description = {"Identifier": identifier, "Properties": _text(model)}
    return {"TypeName": resources.of.name, "ResourceDescription": description}


async def _update(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    resources = _resources(handlers, services, call, parameters)
    identifier = _identifier(resources, parameters)

    async def work(made: Attempt) -> str:
        before = await resources.read(identifier)
        after = patching.patched(before, parameters["PatchDocument"])
        await resources.change(identifier, before, after)
        return identifier

    return await _carried_out(resources, parameters, "UPDATE", work)


async def _delete(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    resources = _resources(handlers, services, call, parameters)
    identifier = _identifier(resources, parameters)

    async def work(made: Attempt) -> str:
        await resources.delete(identifier)
        return identifier

    return await _carried_out(resources, parameters, "DELETE", work)


async def _list(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    resources = _resources(handlers, services, call, parameters)
    page = {"MaxResults": parameters.get("MaxResults", DEFAULT_PAGE)}
    if "NextToken" in parameters:
        page["NextToken"] = parameters["NextToken"]
    shown, token = await resources.list(page)
    entries = [{"Identifier": name, "Properties": _text(model)} for name, model in shown]
    return present(NextToken=token) | {
        "TypeName": resources.of.name,
        "ResourceDescriptions": entries,
    }


async def _status(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    event = await requests.found(services, call, parameters["RequestToken"])
    resources = Resources(resource_type(event.type_name), Underlying(handlers, services, call))
    event = await _settled(resources, event)
    return {"ProgressEvent": await _told(resources, event), "HooksProgressEvent": []}


async def _list_requests(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    """In order of token. Their properties are not told, as at AWS."""
    page = page_of(services, call, parameters, DEFAULT_PAGE)
    wanted = parameters.get("ResourceRequestStatusFilter", {})
    found = await _requests(services, call, page, wanted)
    shown, token = page.split(found, lambda event: event.token)
    return present(NextToken=token) | {
        "ResourceRequestStatusSummaries": [event.document() for event in shown]
    }


async def _cancel(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Answer:
    """Only a removal is ever under way, and it is not taken back: devices have been told of it."""
    event = await requests.found(services, call, parameters["RequestToken"])
    raise invalid(f"Request {event.token} is {event.status} and can no longer be cancelled")


def _resources(
    handlers: Handlers, services: Services, call: Call, parameters: Parameters
) -> Resources:
    name = parameters["TypeName"]
    if "TypeVersionId" in parameters:
        raise ApiError("TypeNotFoundException", f"Type {name} has no version of its own here")
    return Resources(resource_type(name), Underlying(handlers, services, call))


def _identifier(resources: Resources, parameters: Parameters) -> str:
    """Plain, or as an object that has the property by its name."""
    text: str = parameters["Identifier"]
    if not text.startswith("{"):
        return text
    found = properties.parsed(text)
    value = found.get(resources.of.identifier, found.get(f"/properties/{resources.of.identifier}"))
    if type(value) is not str or len(found) != 1:
        raise invalid(f"Identifier is not an object with {resources.of.identifier} alone")
    return value


async def _carried_out(
    resources: Resources, parameters: Parameters, operation: OperationName, work: Work
) -> Answer:
    """The progress event of a request, or of the same request that was made before."""
    services, call = resources.underlying.services, resources.underlying.call
    made = requests.attempt(services, call, parameters)
    earlier = await requests.earlier(services, call, made)
    if earlier is not None:
        return {"ProgressEvent": await _told(resources, await _settled(resources, earlier))}
    identifier: str = parameters.get("Identifier", "")
    status: Status = "SUCCESS"
    error: ApiError | None = None
    try:
        identifier = await work(made)
        if operation == "DELETE" and await resources.lingers(identifier):
            status = "IN_PROGRESS"
    except ApiError as refusal:
        status, error = "FAILED", refusal
    except _Half as half:
        status, error, identifier = "FAILED", half.error, half.identifier
    event = Event(
        token=made.token,
        fingerprint=made.fingerprint,
        type_name=resources.of.name,
        operation=operation,
        status=status,
        at=call.now,
        identifier=identifier,
        error="" if error is None else requests.error_code(error, operation),
        message="" if error is None else error.message[: requests.MAX_MESSAGE],
    )
    return {"ProgressEvent": await _told(resources, await requests.keep(services, call, event))}


async def _settled(resources: Resources, event: Event) -> Event:
    """What was under way may have ended meanwhile."""
    if event.status != "IN_PROGRESS" or await resources.lingers(event.identifier):
        return event
    services, call = resources.underlying.services, resources.underlying.call
    after = msgspec.structs.replace(event, status="SUCCESS", at=call.now)
    await requests.renew(services, call, after)
    return after


async def _told(resources: Resources, event: Event) -> Answer:
    """With the properties that the resource has now, as far as the caller may see them."""
    document = event.document()
    if event.status == "SUCCESS" and event.operation != "DELETE":
        try:
            document["ResourceModel"] = _text(await resources.read(event.identifier))
        except ApiError:
            return document
    return document


async def _requests(
    services: Services, call: Call, page: Page, wanted: Mapping[str, list[str]]
) -> list[Event]:
    found: list[Event] = []
    after = page.after or ""
    while len(found) < page.fetch:
        notes = await services.store.notes(call.account, requests.KIND, after)
        events = [msgspec.json.decode(note.body, type=Event) for note in notes]
        found += [one for one in events if _is_wanted(one, call.now, wanted)]
        if not notes:
            break
        after = notes[-1].name
    return found[: page.fetch]


def _is_wanted(event: Event, now: Instant, wanted: Mapping[str, list[str]]) -> bool:
    return (
        requests.is_kept(event, now)
        and event.operation in wanted.get("Operations", [event.operation])
        and event.status in wanted.get("OperationStatuses", [event.status])
    )


def _text(model: Mapping[str, Any]) -> str:
    return msgspec.json.encode(model).decode()
