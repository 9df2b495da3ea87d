"""By whom what is written is written, so that the audit log has it in the same transaction.

    with attributed(record) as attribution:
        await store.add_gateway(...)         # adds `record` with the gateway

The first write of the context adds the record; none after it does. Between a handler of the API and
a transaction lie a dozen calls that have nothing to do with who is asking: handing the record
through all of them would be an argument of every method of every port.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bittern.store.audit_records import AuditRecord


class Attribution:
    """One record, and whether it was added."""

    __slots__ = ("is_added", "is_tried", "record")

    def __init__(self, record: AuditRecord) -> None:
        self.record: AuditRecord | None = record
        """None: nothing is to be added any more."""
        self.is_tried = False
        """Something was about to be changed."""
        self.is_added = False
        """Committed with a change."""

    def take(self) -> AuditRecord | None:
        """What a write is to add; it then belongs to that write alone."""
        self.is_tried = True
        record, self.record = self.record, None
        return record

    def give_back(self, record: AuditRecord) -> None:
        """The write came to nothing."""
        self.record = record


_current: ContextVar[Attribution | None] = ContextVar("attribution", default=None)


def current() -> Attribution | None:
    """Of whoever is writing."""
    return _current.get()


@contextmanager
def attributed(record: AuditRecord) -> Iterator[Attribution]:
    attribution = Attribution(record)
    token = _current.set(attribution)
    try:
        yield attribution
    finally:
        attribution.record = None  # work that goes on behind adds nothing more
        _current.reset(token)
