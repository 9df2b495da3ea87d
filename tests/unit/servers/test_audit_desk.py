"""What a running server writes into the audit log, and how much of it a flood makes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.network.events import GatewayRefused
from bittern.servers.audit_desk import HEAD_S, LOG_S, MOST_TOLD, REFUSALS, TELL_S, AuditDesk
from bittern.store.audit_head import kept_head
from bittern.store.audit_records import AuditFilter, AuditRecord
from bittern.testing.examples import GATEWAY_EUI, NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant, Refusal

ACTOR = "arn:aws:iam::123456789012:user/AKIA"
DENIAL = AuditRecord(
    at=NOW, account="123456789012", actor=ACTOR, action="iot:CreateThing", outcome="denied"
)


class Office:
    """A desk, its log, and a clock."""

    def __init__(self, folder: Path, keep_s: float = 1e6) -> None:
        self.now = NOW
        self.log = MemoryStore()
        self.head_file = folder / "audit.head"
        self.desk = AuditDesk(
            self.log, now=lambda: self.now, head_file=self.head_file, keep_s=keep_s
        )

    def later(self, s: float) -> None:
        self.now = Instant(self.now + s)

    async def records(self) -> list[AuditRecord]:
        return [one.record for one in await self.log.audit_entries(AuditFilter(), 0, 10_000)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_a_change_is_an_entry_each_however_many(office: Office) -> None:
    done = msgspec.structs.replace(DENIAL, outcome="done")
    for _ in range(3 * int(REFUSALS.burst)):
        await office.desk.record(done)
    assert len(await office.records()) == 300


async def test_a_flood_of_refusals_is_a_few_entries_and_a_count(office: Office) -> None:
    for _ in range(10_000):
        await office.desk.record_refused(DENIAL)
    assert len(await office.records()) == int(REFUSALS.burst)
    office.later(TELL_S)
    await office.desk.keep_up()
    last = (await office.records())[-1]
    assert (last.actor, last.account, last.action) == (ACTOR, "123456789012", "refused:api")
    assert msgspec.json.decode(last.detail)["times"] == 10_000 - REFUSALS.burst


async def test_refusals_of_one_caller_hide_none_of_another(office: Office) -> None:
    for _ in range(10_000):
        await office.desk.record_refused(DENIAL)
    other = msgspec.structs.replace(DENIAL, actor="arn:other")
    await office.desk.record_refused(other)
    assert (await office.records())[-1] == other


async def test_sign_ins_that_fail_are_counted_by_who_and_where(office: Office) -> None:
    for number in range(1000):
        # One network of IPv6 is one place.
        office.desk.sign_in_failed("sign-in:mqtt", "ada", f"2001:db8::{number:x}", "wrong password")
    office.desk.sign_in_failed("sign-in:api", "", "192.0.2.1", "InvalidSignatureException")
    await office.desk.keep_up()
    assert await office.records() == []
    office.later(TELL_S)
    await office.desk.keep_up()
    mqtt, api = await office.records()
    detail = msgspec.json.decode(mqtt.detail)
    assert (mqtt.actor, mqtt.outcome) == ("ada", "denied")
    assert (detail["times"], detail["address"]) == (1000, "2001:db8::/64")
    assert (api.action, msgspec.json.decode(api.detail)["times"]) == ("sign-in:api", 1)


async def test_a_flood_of_names_and_addresses_is_bounded(office: Office) -> None:
    for number in range(100_000):
        office.desk.sign_in_failed("sign-in:mqtt", f"u{number}", f"10.0.{number % 256}.1", "wrong")
    office.later(TELL_S)
    await office.desk.keep_up()
    records = await office.records()
    assert len(records) == MOST_TOLD + 1
    assert sum(msgspec.json.decode(one.detail)["times"] for one in records) == 100_000
    assert records[-1].actor == "(others)"


async def test_a_gateway_that_is_refused_is_told_by_its_place(office: Office) -> None:
    refused = GatewayRefused(
        at=NOW,
        refusal=Refusal.UNKNOWN_GATEWAY,
        reason="not registered",
        gateway_eui=GATEWAY_EUI,
        peer="[2001:db8::1]:443",
    )
    office.desk.heard(refused)
    await office.desk.finish()
    told, stop = await office.records()
    assert (told.actor, told.action) == (str(GATEWAY_EUI), "sign-in:gateway")
    detail = msgspec.json.decode(told.detail)
    assert (detail["address"], detail["reason"]) == ("2001:db8::/64", "unknown_gateway")
    assert stop.action == "server:stop"


async def test_a_key_that_is_typed_as_a_name_is_not_kept(office: Office) -> None:
    key = "000102030405060708090a0b0c0d0e0f"
    office.desk.sign_in_failed("sign-in:mqtt", key, "192.0.2.1", "wrong")
    office.desk.sign_in_failed("sign-in:mqtt", "x" * 1000, "192.0.2.1", "wrong")
    await office.desk.finish()
    records = await office.records()
    assert key not in repr(records)
    assert "x" * 65 not in repr(records)


async def test_what_cannot_be_told_now_is_told_later(office: Office, monkeypatch: Any) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("full")

    office.desk.sign_in_failed("sign-in:api", "", "192.0.2.1", "x")
    office.later(TELL_S)
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(office.log, "add_audit", broken)
        await office.desk.keep_up()
    office.later(TELL_S)
    await office.desk.keep_up()
    assert len(await office.records()) == 1


async def test_an_entry_that_cannot_be_kept_is_told_and_raised(
    office: Office, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(office.log, "add_audit", broken)
    with pytest.raises(StoreUnavailable):
        await office.desk.record(DENIAL)
    assert ACTOR in caplog.text


async def test_the_head_is_kept_apart_and_told_to_the_log(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await office.desk.begin()
    office.later(HEAD_S)
    await office.desk.keep_up()
    head = await office.log.audit_head()
    assert kept_head(office.head_file) == head
    assert office.desk.statistics()["entries"] == 1
    office.later(LOG_S)
    await office.desk.keep_up()
    await office.desk.keep_up()
    assert caplog.text.count(head.hash.hex()) == 1


async def test_a_log_that_has_lost_its_end_is_told_at_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.desk.begin()
    await office.desk.begin()
    await office.desk.keep_up()
    kept = kept_head(office.head_file)
    office.log.__init__()  # type: ignore[misc]
    office.later(1)
    await office.desk.begin()
    await office.desk.keep_up()
    assert "ends at entry 1, and had 2" in caplog.text
    assert office.desk.statistics()["head_lost"]
    for _ in range(2):
        await office.desk.begin()
    await office.desk.keep_up()
    assert "entry 2 of the audit log is another" in caplog.text
    assert kept_head(office.head_file) == kept


async def test_what_is_old_is_removed_and_that_is_recorded(tmp_path: Path) -> None:
    office = Office(tmp_path, keep_s=100.0)
    await office.desk.begin()
    office.later(101)
    await office.desk.shorten()
    await office.desk.shorten()
    assert [one.action for one in await office.records()] == ["audit:retention"]
    assert office.desk.statistics()["removed"] == 1
    assert (await office.log.verify_audit()).fault == ""
