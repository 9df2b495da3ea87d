"""What a front has recorded of requests: through its whole life, and in the store's transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.api import audit
from bittern.api.audit import attempted
from bittern.api.errors import ApiError
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.policy import ready
from bittern.api.sigv4 import SecretAccessKey
from bittern.errors import StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.store.audit_records import AuditFilter, AuditRecord
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import ACCOUNT, NOW

OPERATION = service("iotwireless").operation("CreateWirelessDevice")
ACTOR = "arn:aws:iam::123456789012:user/AKIDEXAMPLE"
CALLER = Caller("123456789012", "AKIDEXAMPLE", ACTOR, ready("operator"), SecretAccessKey("s"))
CALL = Call(OPERATION, CALLER, "eu-west-1", "a-request", NOW)
PARAMETERS = {"Name": "cellar", "LoRaWAN": {"OtaaV1_0_x": {"AppKey": "00" * 16}}}


class Log:
    """A recorder on a store."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.refused = 0

    async def record(self, record: AuditRecord) -> None:
        await self.store.add_audit(record)

    async def record_refused(self, record: AuditRecord) -> None:
        self.refused += 1
        await self.store.add_audit(record)

    async def entries(self) -> list[AuditRecord]:
        return [one.record for one in await self.store.audit_entries(AuditFilter())]


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    store = SqliteStore(tmp_path / "x.db", KeyRing({1: bytes(32)}), group_commit_s=0)
    await store.open()
    yield Log(store)
    await store.close()


def attempt(log: Log) -> Any:
    return attempted(log, CALL, "*", "192.0.2.1")


async def test_a_change_is_recorded_with_who_where_and_what(log: Log) -> None:
    async with attempt(log) as one:
        one.tell(PARAMETERS)
        await log.store.add_account(ACCOUNT)
        assert len(await log.entries()) == 1
    [record] = await log.entries()
    assert (record.account, record.actor) == ("123456789012", ACTOR)
    assert (record.action, record.outcome) == ("iotwireless:CreateWirelessDevice", "done")
    assert msgspec.json.decode(record.detail) == {
        "address": "192.0.2.1",
        "request_id": "a-request",
        "parameters": {
            "Name": "cellar",
            "LoRaWAN": {"OtaaV1_0_x": {"AppKey": "(hidden)"}},
        },
    }


async def test_what_changes_nothing_that_is_kept_is_recorded_behind(log: Log) -> None:
    async with attempt(log) as one:
        one.tell(PARAMETERS)
    assert [one.outcome for one in await log.entries()] == ["done"]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("AccessDeniedException", "denied"),
        ("ForbiddenException", "denied"),
        ("ConflictException", "failed"),
        ("ValidationException", "failed"),
    ],
)
async def test_what_is_refused_is_recorded_as_such(log: Log, code: str, outcome: str) -> None:
    with pytest.raises(ApiError):
        async with attempt(log):
            raise ApiError(code, "no")
    [record] = await log.entries()
    assert (record.outcome, log.refused) == (outcome, 1)
    assert msgspec.json.decode(record.detail)["error"] == code


async def test_a_fault_of_ours_is_recorded_without_its_text(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        async with attempt(log):
            raise ZeroDivisionError("a secret in here")
    [record] = await log.entries()
    assert record.outcome == "failed"
    assert "secret" not in record.detail


async def test_a_change_that_is_followed_by_a_failure_is_told_by_both(log: Log) -> None:
    with pytest.raises(ApiError):
        async with attempt(log):
            await log.store.add_account(ACCOUNT)
            raise ApiError("ConflictException", "no")
    assert [one.outcome for one in await log.entries()] == ["done", "failed"]


async def test_a_request_whose_entry_cannot_be_kept_has_failed(log: Log) -> None:
    class Full(Log):
        async def record(self, record: AuditRecord) -> None:
            raise StoreUnavailable("full")

    with pytest.raises(StoreUnavailable):
        async with attempt(Full(log.store)):
            pass


def test_every_code_of_a_denial_is_one_that_services_have() -> None:
    assert "AccessDeniedException" in audit.DENIED
