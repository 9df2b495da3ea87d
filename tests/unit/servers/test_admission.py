"""Admission from what the store says, and what when it says nothing."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.gateway.admission import Refused
from bittern.servers.admission import admit
from bittern.store.records import Gateway, GatewayCertificate
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(1_763_690_000.0)
FINGERPRINT = "ab" * 32
GATEWAY = Gateway(id="roof", gateway_eui=EUI, created_at=NOW)
CERTIFICATE = GatewayCertificate(
    fingerprint=FINGERPRINT, gateway_eui=EUI, not_after=Instant(NOW + 1), created_at=NOW
)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    return store


async def test_a_registered_gateway_is_admitted_by_its_certificate(store: MemoryStore) -> None:
    assert await admit(store, "lns", EUI, FINGERPRINT, NOW) == GATEWAY


async def test_each_mismatch_has_its_name(store: MemoryStore) -> None:
    async def refusal(**changes: object) -> Refusal:
        await store.replace_certificate(msgspec.structs.replace(CERTIFICATE, **changes))
        decision = await admit(store, "cups", EUI, FINGERPRINT, NOW)
        assert isinstance(decision, Refused)
        return decision.refusal

    assert await refusal(active=False) is Refusal.CERTIFICATE_INACTIVE
    assert await refusal(revoked_at=NOW) is Refusal.CERTIFICATE_REVOKED
    assert await refusal(not_after=NOW) is Refusal.CERTIFICATE_EXPIRED
    assert await refusal(purpose="lns") is Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE
    assert await refusal(account="222222222222") is Refusal.CERTIFICATE_OF_ANOTHER_ACCOUNT


async def test_a_store_that_does_not_answer_lets_nobody_in() -> None:
    class Away(MemoryStore):
        async def certificate(self, fingerprint: str) -> GatewayCertificate | None:
            raise StoreUnavailable("disk full")

    decision = await admit(Away(), "lns", EUI, FINGERPRINT, NOW)
    assert isinstance(decision, Refused)
    assert decision.refusal is Refusal.STORE_UNAVAILABLE
