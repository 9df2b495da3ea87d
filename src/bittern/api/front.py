"""The life of one API request, from bytes to bytes. Read `Front._carried_out` first.

The shell brings a request, the time and a fresh request id; what leaves here is always a response
that an AWS client understands. Whatever goes wrong inside is told as an internal error without any
detail, and handed to `on_fault`, which writes the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from bittern.api import audit, errors, parse, resources, router, serialize, sigv4, validate
from bittern.api.audit import Attempt, Recorder
from bittern.api.errors import ACCESS_DENIED, INVALID_SIGNATURE, UNRECOGNIZED_CLIENT, ApiError
from bittern.api.message import Request, Response
from bittern.api.model import Operation, Service, service
from bittern.api.policy import ANY_RESOURCE, READ_KEYS, Policy
from bittern.api.replay import Replays
from bittern.api.router import Route
from bittern.api.sigv4 import Claim, SecretAccessKey
from bittern.types import Instant


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an access key stands for."""

    account: str
    """12 digits."""
    access_key_id: str
    arn: str
    """``arn:aws:iam::123456789012:user/name``."""
    policy: Policy = field(repr=False)
    secret: SecretAccessKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler knows beside the parameters."""

    operation: Operation
    caller: Caller
    region: str
    request_id: str
    now: Instant

    @property
    def account(self) -> str:
        return self.caller.account

    @property
    def user(self) -> str:
        return self.caller.arn

    @property
    def reads_keys(self) -> bool:
        """Whether root and session keys may be told to the caller, of whatever device."""
        return self.caller.policy.allows(READ_KEYS, None)

    def may_read_keys_of(self, resource: str) -> bool:
        return self.caller.policy.allows(READ_KEYS, resource)

    def arn(self, rest: str, name: str | None = None) -> str:
        """Of a resource of the caller's account: ``arn("WirelessDevice/…")``."""
        prefix = name or self.operation.service.iam_prefix
        return resources.arn(prefix, self.region, self.account, rest)

    def require(self, resource: str | None, action: str | None = None) -> None:
        """ApiError unless the caller may do this, or `action`, to `resource`."""
        action = action or self.operation.action
        if not self.caller.policy.allows(action, resource):
            named = "" if resource in (None, ANY_RESOURCE) else f" on resource: {resource}"
            raise ApiError(
                ACCESS_DENIED,
                f"User: {self.caller.arn} is not authorized to perform: {action}{named}",
            )


Parameters = dict[str, Any]
Handler = Callable[[Call, Parameters], Awaitable[Mapping[str, Any] | None]]
"""One operation: its result has the members of the modelled output, ApiError is its refusal."""
Credentials = Callable[[str], Awaitable[Caller | None]]
"""Who has this access key id; None: nobody."""
OnFault = Callable[[Operation | None, str, Exception], None]
"""Told of the operation, the request id, and what went wrong."""
OnVerified = Callable[[Caller, Instant], None]
"""Told of whoever has proved to hold a secret, before it is known what it is allowed."""


Admits = Callable[[Caller, Instant], bool]
"""Whether somebody who has proved to hold a secret may ask now."""


def _admitted(caller: Caller, now: Instant) -> bool:
    return True


def _ignored(operation: Operation | None, request_id: str, fault: Exception) -> None:
    """Nobody wants to know."""


def _unnoticed(caller: Caller, now: Instant) -> None:
    """Nobody wants to know."""


class Front:
    """Answers requests to every service that `handlers` has operations of."""

    def __init__(
        self,
        handlers: Mapping[tuple[str, str], Handler],
        credentials: Credentials,
        *,
        region: str,
        replays: Replays | None = None,
        on_fault: OnFault = _ignored,
        on_verified: OnVerified = _unnoticed,
        admits: Admits = _admitted,
        recorder: Recorder | None = None,
    ) -> None:
        """`handlers` by service and operation, as botocore names them; KeyError if it knows no
        such. `region` is that of the ARNs: clients may sign for any, but what they choose must not
        decide which statements of a policy are about them. `recorder` keeps the audit log."""
        self._handlers = {
            service(name).operation(operation): handler
            for (name, operation), handler in handlers.items()
        }
        self._credentials = credentials
        self._region = region
        self._replays = replays if replays is not None else Replays()
        self._on_fault = on_fault
        self._on_verified = on_verified
        self._admits = admits
        self._recorder = recorder
        self._services = {made.service.signing_name: made.service for made in self._handlers}
        for operation in self._handlers:
            _compile(operation)

    async def answer(
        self, request: Request, *, now: Instant, request_id: str, address: str = ""
    ) -> Response:
        """The response to `request`, which has come from `address`. It never raises."""
        progress = _Progress()
        try:
            return await self._carried_out(request, now, request_id, address, progress)
        except ApiError as error:
            return errors.answer(error, request_id, progress.service, progress.operation)
        except Exception as fault:
            self._on_fault(progress.operation, request_id, fault)
            return errors.internal(request_id, progress.service, progress.operation)

    async def _carried_out(
        self, request: Request, now: Instant, request_id: str, address: str, progress: _Progress
    ) -> Response:
        claim = sigv4.read_claim(request)
        progress.service = self._service(claim)
        route = router.route(progress.service, request)
        progress.operation = operation = route.operation
        caller = await self._authenticated(claim, request, operation, now)
        call = Call(operation, caller, self._region, request_id, now)
        async with self._recorded(call, route, address) as attempt:
            _authorize(call, route)
            parameters = parse.parameters(request, route)
            validate.check(operation, parameters)
            if attempt is not None:
                attempt.tell(parameters)
            result = await self._handler(operation)(call, parameters)
        return serialize.response(operation, result, request_id)

    def _recorded(
        self, call: Call, route: Route, address: str
    ) -> AbstractAsyncContextManager[Attempt | None]:
        if self._recorder is None or not call.operation.changes_state:
            return nullcontext()
        resource = resources.resource_of(route, call.region, call.account)
        return audit.attempted(self._recorder, call, resource, address)

    def _service(self, claim: Claim) -> Service:
        """One endpoint serves them all: what a request is signed for tells which one is meant."""
        found = self._services.get(claim.service)
        if found is None:
            raise ApiError(INVALID_SIGNATURE, "the credential is scoped to a service unknown here")
        return found

    async def _authenticated(
        self, claim: Claim, request: Request, operation: Operation, now: Instant
    ) -> Caller:
        caller = await self._credentials(claim.access_key_id)
        if caller is None:
            raise ApiError(UNRECOGNIZED_CLIENT, "the access key id is not known, or not active")
        sigv4.verify(claim, request, caller.secret, now)
        if not self._admits(caller, now):
            raise ApiError("ThrottlingException", "Rate exceeded")
        if operation.changes_state:
            self._replays.admit(claim, now)
        self._on_verified(caller, now)
        return caller

    def _handler(self, operation: Operation) -> Handler:
        handler = self._handlers.get(operation)
        if handler is None:
            raise errors.invalid(f"{operation.name} is not offered by this server")
        return handler


@dataclass(slots=True)
class _Progress:
    """How far a request got: an error is written as the service and operation write it."""

    service: Service | None = None
    operation: Operation | None = None


def _authorize(call: Call, route: Route) -> None:
    """What the path names is judged here. An operation that finds its resource by another name
    passes here only if it is allowed for every resource and denied for none."""
    call.require(resources.resource_of(route, call.region, call.account))


def _compile(operation: Operation) -> None:
    """Now, and not while the first request waits."""
    router.prepare(operation.service)
    parse.prepare(operation)
    validate.prepare(operation)
    serialize.prepare(operation)
