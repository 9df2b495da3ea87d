"""The audit log of a server: when it began and ended, and its head beside it."""

from __future__ import annotations

from pathlib import Path

from bittern.app.audit import audit_of, audited_store
from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.installation import opened_keychain
from bittern.store.audit_head import kept_head
from bittern.store.audit_records import AuditFilter
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore


async def test_a_server_says_when_it_begins_and_ends(tmp_path: Path) -> None:
    log = MemoryStore()
    configuration = Configuration(data_dir=tmp_path)
    async with audit_of(configuration, log, lambda: NOW) as desk:
        desk.sign_in_failed("sign-in:api", "", "192.0.2.1", "InvalidSignatureException")
    actions = [one.record.action for one in await log.audit_entries(AuditFilter())]
    assert actions == ["server:start", "sign-in:api", "server:stop"]
    assert kept_head(Layout(tmp_path).audit_head) == await log.audit_head()


async def test_the_log_is_in_the_store_and_outlives_the_server(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path)
    async with opened_keychain(configuration, NOW) as keychain:
        for _ in range(2):
            async with audited_store(configuration, keychain, lambda: NOW) as (store, _desk):
                pass
        async with audited_store(configuration, keychain, lambda: NOW) as (store, _desk):
            assert len(await store.audit_entries(AuditFilter())) == 5
            assert (await store.verify_audit()).fault == ""
