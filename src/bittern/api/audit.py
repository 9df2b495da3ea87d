"""What the audit log is told of requests that change something, or that would have.

A request that changes something is recorded in the transaction that does it, by `attributed`; one
that comes to nothing, or changes nothing that is kept, right after. A request whose signature is
not right is nobody's: see `servers/audit_desk`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from bittern.api.errors import ACCESS_DENIED, INTERNAL, ApiError
from bittern.api.model import Operation
from bittern.api.telling import told
from bittern.store.attribution import Attribution, attributed
from bittern.store.audit_records import AuditRecord, Outcome
from bittern.types import Instant

DENIED = frozenset({ACCESS_DENIED, "ForbiddenException", "AccessDenied", "UnauthorizedException"})


class Asking(Protocol):
    """What is recorded of a `Call`."""

    @property
    def operation(self) -> Operation: ...
    @property
    def account(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def now(self) -> Instant: ...


class Recorder(Protocol):
    """Who keeps the log. It raises where it cannot: then the request has failed."""

    async def record(self, record: AuditRecord) -> None: ...

    async def record_refused(self, record: AuditRecord) -> None:
        """As `record`, of what came to nothing: many of one caller may be told in one entry."""
        ...


class Attempt:
    """A request on its way."""

    def __init__(
        self, asking: Asking, resource: str | None, address: str, attribution: Attribution
    ) -> None:
        self._asking = asking
        self._attribution = attribution
        self._resource = resource or ""
        self._detail = {"address": address, "request_id": asking.request_id}
        self._parameters: Mapping[str, Any] = {}
        attribution.record = self.record("done")

    def tell(self, parameters: Mapping[str, Any]) -> None:
        """They are valid; what may be known of them is recorded."""
        self._parameters = told(self._asking.operation, parameters)
        self._attribution.record = self.record("done")

    def record(self, outcome: Outcome, error: str = "") -> AuditRecord:
        detail: dict[str, Any] = {**self._detail, "parameters": self._parameters}
        if error:
            detail["error"] = error
        asking = self._asking
        return AuditRecord(
            at=asking.now,
            account=asking.account,
            actor=asking.user,
            action=asking.operation.action,
            resource=self._resource,
            outcome=outcome,
            detail=msgspec.json.encode(detail).decode(),
        )


@asynccontextmanager
async def attempted(
    recorder: Recorder, asking: Asking, resource: str | None, address: str
) -> AsyncIterator[Attempt]:
    """Records how what is inside ends."""
    placeholder = AuditRecord(at=asking.now, actor="", action="", outcome="done")
    with attributed(placeholder) as attribution:
        attempt = Attempt(asking, resource, address, attribution)
        try:
            yield attempt
        except ApiError as error:
            attribution.record = None
            outcome: Outcome = "denied" if error.code in DENIED else "failed"
            await recorder.record_refused(attempt.record(outcome, error.code))
            raise
        except Exception:
            attribution.record = None
            await recorder.record_refused(attempt.record("failed", INTERNAL))
            raise
        attribution.record = None
        if not attribution.is_added:
            await recorder.record(attempt.record("done"))
