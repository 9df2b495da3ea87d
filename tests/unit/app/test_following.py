from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from bittern.app.following import (
    certificates_followed_by,
    codecs_followed_by,
    deliveries_followed_by,
    starting_over,
)
from bittern.servers.background import Background
from bittern.store.records import Change
from bittern.testing.examples import FOREIGN_CERTIFICATE, GATEWAY
from bittern.testing.memory_store import MemoryStore


def changed(*kinds: Any) -> list[Change]:
    return [Change(number, kind, f"{kind}-{number}") for number, kind in enumerate(kinds, 1)]


def called(part: Mock) -> list[tuple[object, ...]]:
    return [(name, *arguments) for name, arguments, _ in part.mock_calls]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["device"], []),
        (["destination"], [("destinations_changed",)]),
        (["rule"], [("rules_changed",)]),
        (["destination", "rule"], [("rules_changed",)]),
        (["replay"], [("replayed", "replay-1")]),
    ],
)
def test_deliveries_look_again_at_what_has_changed(
    kinds: list[str], expected: list[tuple[object, ...]]
) -> None:
    dispatcher = Mock()
    deliveries_followed_by(dispatcher)(changed(*kinds))
    assert called(dispatcher) == expected


def test_a_lane_is_looked_into_once() -> None:
    dispatcher = Mock()
    deliveries_followed_by(dispatcher)([Change(1, "replay", "a"), Change(2, "replay", "a")])
    assert called(dispatcher) == [("replayed", "a")]


@pytest.mark.parametrize(("kind", "expected"), [("device", []), ("codec", [("forget",)])])
def test_codecs_are_read_anew(kind: str, expected: list[tuple[object, ...]]) -> None:
    codecs = Mock()
    codecs_followed_by(codecs)(changed(kind))
    assert called(codecs) == expected


@pytest.mark.parametrize(("kind", "trusted"), [("device", []), ("certificate", [True])])
async def test_a_certificate_is_trusted_as_soon_as_it_is_registered(
    kind: str, trusted: list[bool]
) -> None:
    store, transport = MemoryStore(), Mock()
    await store.add_gateway(GATEWAY)
    await store.add_certificate(FOREIGN_CERTIFICATE)
    found: list[bool] = []
    transport.trust_certificates = lambda pairs: found.append(
        list(pairs) == [(FOREIGN_CERTIFICATE.fingerprint, FOREIGN_CERTIFICATE.pem)]
    )
    async with Background() as background:
        certificates_followed_by(transport, store, background)(changed(kind))
    assert found == trusted


async def test_everybody_reads_anew_in_order_when_changes_were_lost() -> None:
    done: list[str] = []

    async def read() -> None:
        done.append("read")

    await starting_over(read, lambda: done.append("forgotten"), read)()
    assert done == ["read", "forgotten", "read"]
